"""What incidents is told at the start."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import Field, TypeAdapter

from libs.events.errors import SetupError
from libs.events.settings import Settings
from libs.web.shapes import FaultyDocumentError, read_shaped
from services.incidents.domain.blameless_rules import Rules
from services.incidents.domain.learning import InvalidPolicyError, LearningPolicy
from services.incidents.domain.on_call.limits import OnCallPolicy
from services.incidents.domain.updates_policy import UpdatesPolicy

T = TypeVar("T")

_POLICIES = Path(__file__).parent / "policies"
BLAMELESS_RULES = _POLICIES / "blameless-2026-11.yaml"


class IncidentsSettings(Settings):
    """The settings of incidents, beside those of every service.

    Args:
        service_wait_s: How long declaring an incident waits for a service that was just registered to be known here.
        learning_policy: When postmortems and actions are due, and who reviews; a YAML file like
            `policies/learning-2026-11.yaml`, which is the default.
        enqueue_per_minute: How many alerts one sender may send to one process in a minute, and at once; 0: any number.
        flapping_alerts: From how many alerts of one identity, ended within an hour, it counts as flapping.
        flapping_quiet_s: How long a flapping alert must be quiet until its incident takes notice of its end.
        senders_kept_s: How long a process believes what it knows of an integration and its keys.
        blameless_rules: What the linter of postmortems advises; `policies/blameless-2026-11.yaml` is the default.
        on_call_policy: What being on call may cost; `policies/on-call-2026-11.yaml` is the default.
        updates_policy: How often who is concerned hears of an incident; `policies/updates-2026-11.yaml` is the default.
        public_url: Where people reach the gateway; links in messages begin with it.
        outbound_timeout_s: How long a webhook or an e-mail server has for its answer.
        outbound_private: Whether webhooks may lead to private and loopback addresses.
        paging_fallback: The escalation policy whose first step is told when nobody can be called for an incident.
        smtp_host: The server that takes e-mails; empty: none are sent.
        smtp_port: Its port.
        smtp_user: Who signs in there; empty: nobody does.
        smtp_password: Likewise.
        smtp_tls: `starttls`, `tls` from the first byte, or `none`.
        smtp_from: The sender of e-mails.
    """

    enqueue_per_minute: int = Field(default=0, ge=0)
    flapping_alerts: int = Field(default=3, ge=1)
    flapping_quiet_s: float = Field(default=600, ge=0)
    senders_kept_s: float = Field(default=1, ge=0, le=60)
    service_wait_s: float = Field(default=2, ge=0, le=30)
    learning_policy: Path = _POLICIES / "learning-2026-11.yaml"
    blameless_rules: Path = BLAMELESS_RULES
    on_call_policy: Path = _POLICIES / "on-call-2026-11.yaml"
    updates_policy: Path = _POLICIES / "updates-2026-11.yaml"
    public_url: str = Field(default="http://127.0.0.1:8080", pattern=r"^https?://[^\s/]+[^\s]*$")
    outbound_timeout_s: float = Field(default=10, gt=0, le=60)
    outbound_private: bool = False
    paging_fallback: str = ""
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_user: str = ""
    smtp_password: str = Field(default="", repr=False)
    smtp_tls: str = Field(default="starttls", pattern=r"^(starttls|tls|none)$")
    smtp_from: str = "concordat@localhost"


@lru_cache(maxsize=4)  # the app and the worker of one process read the same file
def load_learning(path: Path) -> LearningPolicy:
    """The policy of postmortems and actions in *path*.

    Raises:
        SetupError: It cannot be used; names the setting and the place.
    """
    return _load(path, LearningPolicy, "CONCORDAT_LEARNING_POLICY", LearningPolicy.validate)


@lru_cache(maxsize=4)
def load_rules(path: Path) -> Rules:
    """The rules of the linter in *path*.

    Raises:
        SetupError: They cannot be used; names the setting and the place.
    """
    return _load(path, Rules, "CONCORDAT_BLAMELESS_RULES")


@lru_cache(maxsize=4)
def load_on_call(path: Path) -> OnCallPolicy:
    """The limits of being on call in *path*.

    Raises:
        SetupError: They cannot be used; names the setting and the place.
    """
    return _load(path, OnCallPolicy, "CONCORDAT_ON_CALL_POLICY")


@lru_cache(maxsize=4)
def load_updates(path: Path) -> UpdatesPolicy:
    """How often who is concerned hears how an incident stands, as *path* says.

    Raises:
        SetupError: It cannot be used; names the setting and the place.
    """
    return _load(path, UpdatesPolicy, "CONCORDAT_UPDATES_POLICY", UpdatesPolicy.validate)


def _load(path: Path, shape: type[T], setting: str, check: Callable[[T], None] = lambda _: None) -> T:
    try:
        policy = read_shaped(path.read_bytes(), TypeAdapter(shape))
        check(policy)
    except (OSError, FaultyDocumentError, InvalidPolicyError) as error:
        message = f"{setting}: {path} cannot be used: {error}"
        raise SetupError(message) from error
    return policy
