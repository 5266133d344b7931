"""What one can ask of a source, and the settings it takes.

Secrets never pass through here: settings name them, and who polls looks the names up where secrets are kept.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["prometheus", "push", "kafka", "file"]


@dataclass(frozen=True, slots=True)
class Auth:
    """How to show who asks.

    Args:
        kind: `basic` needs *username* and *secret*, `bearer` needs *secret*.
        username: Of basic authentication.
        secret: Name of the secret that holds the password or the token.
    """

    kind: Literal["none", "basic", "bearer"] = "none"
    username: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust over https, and who asks. Each is the name of a secret that holds PEM; empty means the default.

    Args:
        ca: The authorities to trust, instead of the machine's.
        certificate: The client's certificate.
        key: Its private key.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a source is asked.

    Args:
        kind: What it is; only `prometheus` is asked, the others send.
        address: Of the API, up to where `/api/v1` begins.
        auth: How to show who asks.
        tls: Whom to trust.
        insecure: Do not verify the certificate of https; send credentials over http.
        concurrency: Queries at once.
        timeout_s: A query may take so long.
        settle_s: A minute is read so long after its end, when every scrape of it has arrived.
        late_s: A source whose newest minute is older than this has failed.
    """

    kind: Kind
    address: str = ""
    auth: Auth = Auth()
    tls: Tls = Tls()
    insecure: bool = False
    concurrency: int = 4
    timeout_s: int = 30
    settle_s: int = 30  # Prometheus's default scrape_timeout is 10 s; the rest is for what it takes to store
    late_s: int = 600


@dataclass(frozen=True, slots=True)
class DefineSource:
    """Have a source under this name, or change the one there is."""

    source: str
    settings: Settings
    at: datetime


@dataclass(frozen=True, slots=True)
class RetireSource:
    """Ask it no more. Its measurements stay."""

    source: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NoteSuccess:
    """It answered.

    Args:
        source: The source.
        read_until: The end of the newest minute that was read.
        at: When.
    """

    source: str
    read_until: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class NoteFailure:
    """It did not answer, or with nothing that can be used.

    Args:
        source: The source.
        code: What kind of fault.
        place: Where it is, such as `address` or the query's path in the SLI.
        detail: What happened.
        remedy: How to mend it.
        last_success: When it answered last; None for never.
        at: When.
    """

    source: str
    code: str
    place: str
    detail: str
    remedy: str
    last_success: datetime | None
    at: datetime


Command = DefineSource | RetireSource | NoteSuccess | NoteFailure
