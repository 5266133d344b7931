"""What can be asked about a service's standing in its phase."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.phases import Phase


@dataclass(frozen=True, slots=True)
class Lacking:
    """A check that the service does not show now, and the teams that must do something about it."""

    check: CheckResult
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Note how the service stands in its phase now.

    Args:
        service: Which.
        item: The id of the item, if one is opened.
        phase: Where it stands.
        policy_version: Of the policy it was looked at by.
        lacks: What its phase asks it to keep, and it does not show.
        reasons: What suggests a step back.
        at: When it was looked at.
    """

    service: str
    item: str
    phase: Phase
    policy_version: str
    lacks: tuple[Lacking, ...]
    reasons: tuple[Lacking, ...]
    at: datetime


Command = Look
