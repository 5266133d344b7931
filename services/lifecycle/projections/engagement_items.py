"""What engagements keep track of, by kind and state; each is read whole from its own stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Date, Text, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.engagement_item.events import Content, ItemChanged, ItemFact, ItemMoved, ItemOpened
from services.lifecycle.domain.engagement_item.lives import LIVES, Kind


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("item", Text, primary_key=True),
        Column("engagement", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("goes_on", Boolean, nullable=False),
        Column("title", Text, nullable=False),
        Column("side", Text),
        Column("topic", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("start", Date),
        Column("due", Date),
        Column("services", Json(), nullable=False),
        Column("outcome", Text, nullable=False),
        Column("cause", Text, nullable=False),  # what proposed it by itself, or empty
        Column("place", Text, nullable=False),  # sorts by time
        Column("opened_at", Instant(), nullable=False),
        Column("moved_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as lists, packs and health read it."""

    item: str
    engagement: str
    kind: Kind
    state: str
    goes_on: bool
    title: str
    side: str | None
    topic: str
    owner: str
    start: date | None
    due: date | None
    services: tuple[str, ...]
    outcome: str
    cause: str
    opened_at: datetime
    moved_at: datetime

    def overdue(self, today: date) -> bool:
        """Whether its day is over, and it is not."""
        return self.goes_on and self.due is not None and self.due < today


def _keys(event: ItemFact, _: Recorded) -> Sequence[Key]:
    return ((event.item,),)


def _said(content: Content) -> Row:
    return {
        "title": content.title,
        "side": content.side,
        "topic": content.topic,
        "owner": content.owner,
        "start": content.start,
        "due": content.due,
        "services": list(content.services),
    }


def _opened(_: Row | None, event: ItemOpened, recorded: Recorded, __: Key) -> Row:
    return _said(event.content) | {
        "item": event.item,
        "engagement": event.engagement,
        "kind": event.kind,
        "state": LIVES[event.kind].begins,
        "goes_on": True,
        "outcome": "",
        "cause": event.cause,
        "place": f"{event.at.isoformat()}/{event.item}",
        "opened_at": event.at,
        "moved_at": event.at,
        "recorded_at": recorded.recorded_at,
    }


def _changed(row: Row | None, event: ItemChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | _said(event.content)


def _moved(row: Row | None, event: ItemMoved, _: Recorded, __: Key) -> Row | None:
    if row is None:
        return None
    told = {name: value for name in ("owner", "due", "outcome") if (value := getattr(event, name))}
    goes_on = bool(LIVES[event.kind].allowed(event.to))
    return row | told | {"state": event.to, "goes_on": goes_on, "moved_at": event.at}


ENGAGEMENT_ITEMS: Final = Projection(
    name="engagement_items",
    columns=_columns,
    events=CONTRACT,
    folds={
        ItemOpened: Fold(_keys, _opened),
        ItemChanged: Fold(_keys, _changed),
        ItemMoved: Fold(_keys, _moved),
    },
    indexes=(("engagement", "kind"), ("owner",)),
    sources=("lifecycle",),
)


def items_of(connection: Connection, engagement: str) -> tuple[ItemRow, ...]:
    """What *engagement* keeps track of, in the order in which it began."""
    view = ENGAGEMENT_ITEMS.view
    query = select(view).where(view.c.engagement == engagement).order_by(view.c.place)
    return tuple(map(item_in, connection.execute(query).mappings()))


def open_milestones(connection: Connection) -> tuple[ItemRow, ...]:
    """Every milestone that goes on, of every engagement."""
    view = ENGAGEMENT_ITEMS.view
    query = select(view).where(view.c.kind == "milestone", view.c.goes_on).order_by(view.c.place)
    return tuple(map(item_in, connection.execute(query).mappings()))


def overlaps(milestone: ItemRow, others: Sequence[ItemRow]) -> tuple[ItemRow, ...]:
    """The milestones of another side or another engagement that are about one of its services at the same time."""
    return tuple(
        other
        for other in others
        if (other.engagement, other.side) != (milestone.engagement, milestone.side)
        and set(other.services) & set(milestone.services)
        and _begins(other) <= (milestone.due or date.max)
        and _begins(milestone) <= (other.due or date.max)
    )


def _begins(milestone: ItemRow) -> date:
    return milestone.start or milestone.due or milestone.opened_at.date()


def item_in(row: Any) -> ItemRow:  # noqa: ANN401  a row of any projection is untyped
    """A row as lists, packs and health read it."""
    fields = {name: row[name] for name in ItemRow.__dataclass_fields__ if name != "services"}
    return ItemRow(**fields, services=tuple(row["services"]))
