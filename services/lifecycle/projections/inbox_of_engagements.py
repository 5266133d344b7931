"""What the read models say of engagements that may wait: what they keep track of, and gatherings to hold."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, or_, select

from services.lifecycle.domain.inbox.of_engagements import Draft, OpenItem, Pair
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS
from services.lifecycle.projections.engagements import ENGAGEMENTS
from services.lifecycle.projections.gatherings import GATHERINGS
from services.lifecycle.projections.inbox_asking import ASKING, NAMED, PERSON

_GOING_ON: Final = ("requested", "accepted", "active", "handback_pending")
_ENGAGEMENTS: Final = bindparam("engagements", expanding=True)
_E: Final = ENGAGEMENTS.view.c
_PAIRS: Final = select(_E.engagement, _E.dev_team, _E.sre_team, _E.services).order_by(_E.engagement)
ENGAGED: Final = _PAIRS.where(
    _E.standing.in_(_GOING_ON),
    or_(_E.sre_team.in_(ASKING), _E.dev_team.in_(ASKING), _E.breach_owners.like(NAMED, escape="/")),
)
BY_ID: Final = _PAIRS.where(_E.engagement.in_(_ENGAGEMENTS))


def pairs(connection: Connection, query: Select[*tuple[Any, ...]], asked: dict[str, object]) -> dict[str, Pair]:
    """The engagements that *query* asks for, by id, with their two teams."""
    rows = connection.execute(query, asked)
    return {
        name: Pair(name, dev_team, sre_team, tuple(services)) for name, dev_team, sre_team, services in map(tuple, rows)
    }


_I: Final = ENGAGEMENT_ITEMS.view.c
_ITEMS: Final = (
    select(ENGAGEMENT_ITEMS.view)
    .where(_I.goes_on, or_(_I.engagement.in_(_ENGAGEMENTS), _I.owner == PERSON))
    .order_by(_I.place)
)


def items(
    connection: Connection, engagements: Sequence[str], whose: dict[str, object]
) -> Iterator[tuple[str, OpenItem]]:
    """What those engagements keep track of and is not settled, and what the person owns in any other."""
    for row in connection.execute(_ITEMS, whose | {"engagements": engagements}).mappings():
        names = OpenItem.__dataclass_fields__.keys() - {"since", "services"}
        fields = {name: row[name] for name in names}
        yield row["engagement"], OpenItem(**fields, services=tuple(row["services"]), since=row["moved_at"])


_G: Final = GATHERINGS.view.c
_DRAFTS: Final = select(GATHERINGS.view).where(~_G.held, _G.engagement.in_(_ENGAGEMENTS)).order_by(_G.gathering)


def drafts(connection: Connection, engagements: Sequence[str]) -> Iterator[tuple[str, Draft]]:
    """The gatherings of those engagements that are drafted and were not held."""
    for row in connection.execute(_DRAFTS, {"engagements": engagements}).mappings() if engagements else ():
        fields = {name: row[name] for name in Draft.__dataclass_fields__ if name != "since"}
        yield row["engagement"], Draft(**fields, since=row["drafted_at"])
