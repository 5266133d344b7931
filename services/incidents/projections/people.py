"""People who can be called: where they belong, from the log, and how they are reached, from rows that can be erased."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, Column, Connection, Text, select

from libs.events import codec
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.person.events import PersonChanged, PersonErased, PersonRegistered, Side
from services.incidents.projections.contacts import contacts_of


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody is reached, and what they would rather have.

    Args:
        email: Empty, as all of them, where there is none.
        phone: As +49301234567.
        slack: The address of an incoming webhook that takes Slack's messages.
        webhook: The address of an HTTP endpoint that takes signed messages.
        high: Channels for what pages, the first first; all there are unless named.
        low: The same for what can wait.
        unavailability: When they cannot be called.
    """

    email: str = ""
    phone: str = ""
    slack: str = ""
    webhook: str = ""
    high: tuple[str, ...] = ()
    low: tuple[str, ...] = ()
    unavailability: tuple[Span, ...] = ()

    @property
    def reachable(self) -> bool:
        """Whether there is a channel at all; a telephone is for people to call."""
        return bool(self.email or self.slack or self.webhook)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a label; what is personal is empty once they were erased."""

    name: str
    display_name: str
    team: str
    side: Side
    site: str
    zone: str
    active: bool

    @property
    def clock(self) -> ZoneInfo:
        """The zone they live in."""
        return ZoneInfo(self.zone)


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("person", Text, primary_key=True),
        Column("team", Text, nullable=False),
        Column("side", Text, nullable=False),
        Column("site", Text, nullable=False),
        Column("contact", Text, nullable=False),  # the row that says how they are reached
        Column("active", Boolean, nullable=False),
    )


def _keys(event: PersonRegistered | PersonChanged | PersonErased, _: Recorded) -> Sequence[Key]:
    return ((event.person,),)


def _told(_: Row | None, event: PersonRegistered | PersonChanged, __: Recorded, ___: Key) -> Row:
    named = {name: getattr(event, name) for name in ("person", "team", "side", "site", "contact")}
    return named | {"active": True}


def _erased(row: Row | None, _: PersonErased, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"active": False, "contact": ""}


PEOPLE: Final = Projection(
    name="people",
    columns=_columns,
    events=CONTRACT,
    folds={
        PersonRegistered: Fold(_keys, _told),
        PersonChanged: Fold(_keys, _told),
        PersonErased: Fold(_keys, _erased),
    },
    sources=(SERVICE,),
    indexes=(("team",),),
)
_VIEW: Final = PEOPLE.view


def people_of(connection: Connection, names: Iterable[str]) -> dict[str, tuple[Person, Contact]]:
    """Those of *names* who are known, with how they are reached."""
    rows = connection.execute(select(_VIEW).where(_VIEW.c.person.in_(list(names)))).mappings().all()
    kept = contacts_of(connection, {row["person"]: row["contact"] for row in rows if row["active"]})
    return {row["person"]: _person(row["person"], row, kept.get(row["person"], {})) for row in rows}


def person_of(connection: Connection, name: str) -> Person | None:
    """Who has the label *name*; None when nobody ever had."""
    found = people_of(connection, (name,)).get(name)
    return found and found[0]


def contact_of(connection: Connection, name: str) -> Contact | None:
    """How *name* is reached; None when nothing is known of them (any more)."""
    found = people_of(connection, (name,)).get(name)
    return found[1] if found and found[0].active else None


def team_members(connection: Connection, team: str) -> list[str]:
    """The active people of *team*, by label."""
    query = select(_VIEW.c.person).where(_VIEW.c.team == team, _VIEW.c.active)
    return list(connection.execute(query.order_by(_VIEW.c.person)).scalars())


def contact_from(data: dict[str, Any]) -> Contact:
    """What a contact row says of channels, preferences and absence."""
    reached = {name: data.get("contact", {}).get(name) or "" for name in ("email", "phone", "slack", "webhook")}
    wishes = data.get("preferences", {})
    away = [codec.convert(each, Span) for each in data.get("unavailability", ())]
    return Contact(
        **reached, high=tuple(wishes.get("high", ())), low=tuple(wishes.get("low", ())), unavailability=(*away,)
    )


def _person(name: str, row: Any, data: dict[str, Any]) -> tuple[Person, Contact]:  # noqa: ANN401  a row
    display_name, zone = data.get("display_name") or name, data.get("zone") or "UTC"
    person = Person(name, display_name, row["team"], row["side"], row["site"], zone, bool(row["active"]))
    return person, contact_from(data)
