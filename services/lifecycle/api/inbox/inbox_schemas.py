"""The inbox as it is answered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel

from services.lifecycle.domain.inbox.waiting import KINDS, Kind, Role, Waiting


@dataclass(frozen=True, slots=True)
class WaitingView:
    """Something that waits: what it is about, what to do next by which request, who may, and why it is yours.

    `service` is null when it is about none, or about several `services`; `who` is empty where anybody may.
    """

    kind: Kind
    subject: str
    title: str
    service: str | None
    services: tuple[str, ...]
    team: str | None
    since: datetime
    due: date | None
    overdue: bool
    what: str
    why: str
    how: str
    who: tuple[str, ...]
    role: Role
    why_yours: str


class InboxView(BaseModel):
    """A page of what waits for a person, what is due first in front.

    `counts` are of all that pass the filters but `kind`; `total` and `overdue` of all that pass every filter.
    `limited_to` names the teams whose affairs are shown, when somebody else's inbox is read.
    """

    person: str
    items: list[WaitingView]
    next_page_token: str = ""
    total: int
    overdue: int
    counts: dict[Kind, int]
    limited_to: list[str] | None = None


def waiting_view(item: Waiting) -> WaitingView:
    """An item as it is answered."""
    return WaitingView(
        kind=item.kind,
        subject=item.subject,
        title=item.title,
        service=item.service or None,
        services=item.services,
        team=item.team or None,
        since=item.since,
        due=item.due,
        overdue=item.overdue,
        what=item.what,
        why=item.why,
        how=item.how,
        who=item.who.people,
        role=item.who.role,
        why_yours=item.why_yours,
    )


def counted(items: Sequence[Waiting]) -> dict[Kind, int]:
    """How many there are of each kind, in the order of kinds."""
    found = Counter[Kind](item.kind for item in items)
    return {kind: found[kind] for kind in KINDS if found[kind]}
