"""What happens to items about services that lack what their phase asks them to keep."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.evaluation.events import Result
from services.lifecycle.domain.phases import Phase

Because = Literal["shown_again", "left_phase"]


@dataclass(frozen=True, slots=True)
class Lack:
    """A check that is not met.

    Args:
        check: Its name in the policy.
        result: `fail` or `unknown`.
        since: When it was first seen so, while the item is open.
        detail: What was found.
        how_to_fix: What to do.
        who: The teams that must do it.
        source: Who asks for it.
    """

    check: str
    result: Result
    since: datetime
    detail: str
    how_to_fix: str
    who: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class PhaseAtRisk:
    """A service lacks what its phase asks it to keep, or something suggests a step back; people decide.

    Args:
        item: The id of what people have to do now.
        service: Which service.
        phase: Where it stands, and goes on standing.
        policy_version: Of the policy that asks.
        lacks: What it does not show.
        reasons: What suggests a step back.
        at: Since when.
    """

    item: str
    service: str
    phase: Phase
    policy_version: str
    lacks: tuple[Lack, ...]
    reasons: tuple[Lack, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class PhaseRiskChanged:
    """It lacks something else by now; all of it is told."""

    item: str
    service: str
    phase: Phase
    policy_version: str
    lacks: tuple[Lack, ...]
    reasons: tuple[Lack, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class PhaseRiskClosed:
    """Everything is shown again, or the service has left the phase."""

    item: str
    service: str
    phase: Phase
    because: Because
    at: datetime


Event = PhaseAtRisk | PhaseRiskChanged | PhaseRiskClosed
