"""A real Alertmanager, where the machine has one: Debian's package works only where it is installed."""

import os
import shutil
import urllib.request
from pathlib import Path

from deploy.local.server import Command, LocalServer

_CONFIG = """\
route: {{receiver: concordat, group_by: [alertname], group_wait: 100ms, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: concordat
    webhook_configs:
      - url: "{url}"
        send_resolved: true
        http_config: {{authorization: {{credentials: "{key}"}}}}
"""


def alertmanager() -> str:
    """The program's path, of `ALERTMANAGER_BIN_DIR` or the machine's; empty: there is none."""
    folder = os.environ.get("ALERTMANAGER_BIN_DIR")
    names = ("alertmanager", "prometheus-alertmanager")
    return next(filter(None, (shutil.which(name, path=folder) for name in names)), "")


class AlertmanagerServer(LocalServer):
    """One Alertmanager on loopback, which sends all it hears to one webhook.

    Args:
        directory: Where its data, configuration and log lie.
        webhook: Where it sends to.
        key: What it sends as its bearer token.
        port: Where it listens; 0 takes a free port.
    """

    name = "Alertmanager"

    def __init__(self, directory: Path, webhook: str, key: str, port: int = 0) -> None:
        super().__init__(directory, port)
        self._webhook, self._key = webhook, key

    @property
    def url(self) -> str:
        """Where its API is, without a final slash."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> Command:
        """Write its configuration."""
        config = self.directory / "alertmanager.yaml"
        config.write_text(_CONFIG.format(url=self._webhook, key=self._key), encoding="utf-8")
        return [
            alertmanager(),
            f"--config.file={config}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--storage.path={self.directory / 'data'}",
            "--cluster.listen-address=",
        ], {}

    def answers(self) -> bool:
        """Whether it takes alerts."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=1) as answer:
                return answer.status == 200  # noqa: PLR2004  OK
        except OSError:
            return False
