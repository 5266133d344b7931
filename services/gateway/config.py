"""The gateway's own settings, beside those of every process."""

from pydantic import Field

from libs.events.settings import Settings


class GatewaySettings(Settings):
    """Where the owners are, and how long to wait for them.

    Args:
        lifecycle_url: The lifecycle service, as `http://host:port`.
        slo_url: The slo service.
        incidents_url: The incidents service.
        owner_timeout_s: The longest an owner may take, a second try included; then 504.
        owner_connect_timeout_s: The longest a connection may take to open.
        owner_connections: Open at once to one owner; further requests wait for one.
        api_key_refresh_s: A revoked key is refused by every gateway process after at most this time.
        streams: Open event streams at once; each reads the log by itself.
        stream_keep_alive_s: A silent stream sends a comment this often.
    """

    lifecycle_url: str = "http://127.0.0.1:8081"
    slo_url: str = "http://127.0.0.1:8082"
    incidents_url: str = "http://127.0.0.1:8083"
    owner_timeout_s: float = Field(default=10, gt=0)
    owner_connect_timeout_s: float = Field(default=1, gt=0)
    owner_connections: int = Field(default=100, ge=1)
    api_key_refresh_s: float = Field(default=5, ge=0)
    streams: int = Field(default=100, ge=0)
    stream_keep_alive_s: float = Field(default=15, gt=0)

    @property
    def owner_urls(self) -> dict[str, str]:
        """Service name to address."""
        return {"lifecycle": self.lifecycle_url, "slo": self.slo_url, "incidents": self.incidents_url}
