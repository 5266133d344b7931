"""The slo service's own settings, beside those of every process."""

from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from libs.events.settings import Settings


class SloSettings(Settings):
    """When measurements are evaluated.

    Args:
        tick_s: Every SLO is evaluated at least this often, also when no data comes.
        assess_every_s: Figures that only moved a point are published at most this often per SLO.
        settle_s: Arriving data is evaluated when none came for so long, or after a second of steady arrival.
        future_s: A bucket may start this much later than the service's clock says.
        service_wait_s: A definition waits so long to hear of a service that it names.
        secrets_dir: The folder whose files sources name as their secrets; `secrets` in `data_dir` unless given.
        source_hosts: Which hosts sources may be asked at, as `prometheus.example.com,*.internal,localhost:9090`.
        metrics_slos: So many SLOs, the first by name, have series of their own on /metrics.
        webhook_hosts: Which hosts may be sent notifications, written like `source_hosts`.
        minutes_kept_d: Minute buckets are kept for so many days after their day last changed.
        hours_kept_d: Sums per hour are kept for so many days.
    """

    tick_s: float = Field(default=15, gt=0)
    assess_every_s: float = Field(default=60, ge=0)
    settle_s: float = Field(default=0.05, gt=0, le=1)
    future_s: float = Field(default=300, ge=0)
    service_wait_s: float = Field(default=2, ge=0, le=10)
    metrics_slos: int = Field(default=1000, ge=0)
    secrets_dir: Path | None = None
    source_hosts: str = ""
    webhook_hosts: str = ""
    minutes_kept_d: int = Field(default=35, ge=4)  # alert conditions look back three days
    hours_kept_d: int = Field(default=400, ge=35)

    @property
    def secrets(self) -> Path:
        """The folder of secrets."""
        return self.secrets_dir or self.data_dir / "secrets"

    def may_ask(self, address: str) -> bool:
        """Whether the host of *address*, an URL, is among `source_hosts`; a pattern without a port allows any."""
        return _allows(self.source_hosts, address)

    def may_tell(self, address: str) -> bool:
        """Whether the host of *address*, an URL, is among `webhook_hosts`."""
        return _allows(self.webhook_hosts, address)

    @property
    def assess_every(self) -> timedelta:
        """`assess_every_s` as a duration."""
        return timedelta(seconds=self.assess_every_s)


def _allows(hosts: str, address: str) -> bool:
    try:
        url = urlsplit(address)
        host, port = url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)
    except ValueError:
        return False
    if not host:
        return False
    patterns = (pattern.strip().lower() for pattern in hosts.split(","))
    return any(fnmatchcase(host, each) or fnmatchcase(f"{host}:{port}", each) for each in patterns if each)
