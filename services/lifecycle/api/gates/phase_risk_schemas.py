"""What goes out about services that lack what their phase asks them to keep."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.phase_risk.decider import Item
from services.lifecycle.domain.phase_risk.events import Because, Lack
from services.lifecycle.domain.phases import Phase

ItemState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class PhaseRiskView:
    """Something for people: a service lacks what its phase asks it to keep. It moves nowhere by itself.

    `lacks` is what it does not show, each with the time since when, how to fix it, and the teams `who` must; `reasons`
    are what suggests that it goes back to the phase `suggests`, which people decide. `next` says who must do what.
    """

    id: str
    service: str
    phase: Phase
    state: ItemState
    policy_version: str
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    closed_because: Because | None
    lacks: tuple[Lack, ...]
    reasons: tuple[Lack, ...]
    suggests: Phase | None
    next: tuple[str, ...]


def phase_risk_view(item: Item) -> PhaseRiskView:
    """An item as it is answered."""
    opened, newest, closed = item.opened, item.newest, item.closed
    return PhaseRiskView(
        id=opened.item,
        service=opened.service,
        phase=opened.phase,
        state="closed" if closed else "open",
        policy_version=newest.policy_version,
        opened_at=opened.at,
        changed_at=closed.at if closed else newest.at,
        closed_at=closed.at if closed else None,
        closed_because=closed.because if closed else None,
        lacks=newest.lacks,
        reasons=newest.reasons,
        suggests=Phase.LIMITED_AVAILABILITY if newest.reasons else None,
        next=() if closed else tuple(_next(item)),
    )


def _next(item: Item) -> Iterator[str]:
    newest = item.newest
    for lack in newest.lacks:
        yield f"{_named(lack)}: {lack.how_to_fix} ({lack.check}, {lack.result} since {lack.since.date()})"
    if newest.reasons:
        named = ", ".join(lack.check for lack in newest.reasons)
        who = _named(newest.reasons[0])
        yield f"{who}: decide whether {newest.service} goes back to limited availability ({named})"


def _named(lack: Lack) -> str:
    return " and ".join(lack.who) or "whoever registered it"
