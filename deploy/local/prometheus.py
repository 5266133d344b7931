"""A real Prometheus and its promtool on a machine that has neither: Debian's package, unpacked into the cache.

`python3 -m deploy.local.prometheus HOST:PORT` starts one that scrapes the metrics there, and prints its address and its
process id, by which it is to be ended.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from deploy.local.server import Command, LocalServer

_ROOT = Path(__file__).parents[2]
_PROGRAMS = ("prometheus", "promtool")
_RETENTION = "100y"  # tests bring series of any past

_CONFIG = """\
global: {{scrape_interval: {interval}, evaluation_interval: {interval}}}
rule_files: ["{folder}/rules/*.yaml"]
scrape_configs:
"""
_JOB = """\
  - {{job_name: "{job}", static_configs: [{{targets: ["{target}"]}}]}}
"""


class PrometheusServer(LocalServer):
    """One Prometheus on loopback.

    Args:
        directory: Where its data, configuration and log lie.
        port: Where it listens; 0 takes a free port.
        scrape: Job name to `host:port` whose `/metrics` it scrapes.
        interval: How often it scrapes and evaluates rules, as Prometheus writes durations.
        web_config: Text of a `--web.config.file` (basic auth, TLS); the default asks for nothing.
    """

    name = "Prometheus"

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        *,
        scrape: Mapping[str, str] | None = None,
        interval: str = "1s",
        web_config: str = "",
    ) -> None:
        super().__init__(directory, port)
        self._scrape = scrape or {}
        self._interval = interval
        self._web_config = web_config

    @property
    def url(self) -> str:
        """Where its API is, without a final slash."""
        return f"{'https' if 'tls_server_config' in self._web_config else 'http'}://127.0.0.1:{self.port}"

    def load(self, openmetrics: str) -> None:
        """Put samples of any time into the storage of a server that does not run.

        Args:
            openmetrics: OpenMetrics text with timestamps in seconds, `# EOF` at its end.
        """
        if self.process is not None:
            raise RuntimeError("load the samples before the server starts")
        self.directory.mkdir(parents=True, exist_ok=True)
        samples = self.directory / "samples.om"
        samples.write_text(openmetrics, encoding="utf-8")
        done = promtool("tsdb", "create-blocks-from", "openmetrics", str(samples), str(self.directory / "data"))
        if done.returncode != 0:
            message = f"promtool: {done.stderr.strip()}"
            raise RuntimeError(message)

    def add_rules(self, name: str, rules: str) -> None:
        """Have it evaluate the rule file *rules*, from its next start on."""
        folder = self.directory / "rules"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(rules, encoding="utf-8")

    def prepare(self) -> Command:
        """Write its configuration."""
        config, web = self.directory / "prometheus.yaml", self.directory / "web.yaml"
        text = _CONFIG.format(folder=self.directory.resolve(), interval=self._interval)
        jobs = [_JOB.format(job=job, target=target) for job, target in self._scrape.items()]
        config.write_text(text + ("".join(jobs) or "  []\n"), encoding="utf-8")
        web.write_text(self._web_config, encoding="utf-8")
        return [
            program("prometheus"),
            f"--config.file={config}",
            f"--web.config.file={web}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--storage.tsdb.retention.time={_RETENTION}",
            "--enable-feature=native-histograms",
        ], {}

    def answers(self) -> bool:
        """Whether it answers queries."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=1) as answer:
                return answer.status == 200  # noqa: PLR2004  OK
        except urllib.error.HTTPError as error:
            return error.code != 503  # noqa: PLR2004  not ready; 401 and 400 (TLS) say that it listens
        except OSError:
            return False


def main(target: str) -> int:
    """Start a server that scrapes *target*; 3 where there is none to start."""
    directory = Path(os.environ.get("CONCORDAT_DATA_DIR", ".concordat")) / "prometheus"
    server = PrometheusServer(directory, scrape={"concordat": target}, interval="5s")
    try:
        server.start()
    except (OSError, RuntimeError) as error:
        sys.stderr.write(f"left out, there is no Prometheus on this machine: {error}\n")
        return 3
    if server.process is not None:
        sys.stdout.write(f"{server.url} {server.process.pid}\n")
    return 0


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What promtool says to *arguments*."""
    return subprocess.run(  # noqa: S603  our own command
        [program("promtool"), *arguments], capture_output=True, text=True, check=False
    )


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`: of `PROMETHEUS_BIN_DIR`, else the machine's, else Debian's."""
    chosen = os.environ.get("PROMETHEUS_BIN_DIR")
    if chosen:
        return str(Path(chosen) / name)
    if all(map(shutil.which, _PROGRAMS)):
        return str(shutil.which(name))
    return str(_unpacked() / "usr" / "bin" / name)


def _unpacked() -> Path:
    """Debian's package, fetched once (19 MB) and kept; several processes at once wait for the first."""
    cache = Path(os.environ.get("CONCORDAT_CACHE_DIR", _ROOT / ".cache")).resolve() / "prometheus"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / "root"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _fetch(cache)
            fresh = cache / "fresh"
            shutil.rmtree(fresh, ignore_errors=True)
            package = next(cache.glob("prometheus_*.deb"))
            _run(["dpkg", "-x", str(package), str(fresh)], cache)
            package.unlink()
            fresh.rename(root)  # at once: a download that was cut off is never taken for the whole
    return root


def _fetch(cache: Path) -> None:
    """Debian's package into *cache*, with package lists of its own: the machine's may be missing, or old."""
    if shutil.which("apt-get") is None:
        message = "no prometheus and promtool here, and no apt-get to fetch them; set PROMETHEUS_BIN_DIR"
        raise RuntimeError(message)
    (cache / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = [f"Dir::State::Lists={cache}/lists", f"Dir::Cache={cache}", "APT::Sandbox::User="]
    apt = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    _run([*apt, "update"], cache)
    _run([*apt, "download", "prometheus"], cache)
    shutil.rmtree(cache / "lists")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  ours
    if done.returncode != 0:
        message = f"{' '.join(command)}: {done.stderr.strip()}"
        raise RuntimeError(message)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
