"""How people are reached: rows of record beside the log, so that a person can be erased.

A row is written before the event that names it, and never changed: an event without its row cannot be, and of two who
change a person at once the one whose event is refused leaves a row that nobody names.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, insert, select

from libs.events.columns import Json

CONTACTS: Final = Table(
    "incidents_contacts",
    MetaData(),
    Column("id", Text, primary_key=True),  # rises with time
    Column("person", Text, nullable=False),
    Column("data", Json(), nullable=False),
)
_C: Final = CONTACTS.c


def write_contact(connection: Connection, contact: str, person: str, data: Mapping[str, Any]) -> None:
    """Keep *data* under the id *contact*."""
    connection.execute(insert(CONTACTS).values(id=contact, person=person, data=dict(data)))


def read_contact(connection: Connection, contact: str) -> dict[str, Any] | None:
    """The row *contact*; None when it was erased, or replaced a moment ago."""
    return connection.execute(select(_C.data).where(_C.id == contact)).scalar_one_or_none()


def drop_before(connection: Connection, person: str, contact: str) -> None:
    """Erase what was known of *person* before the row *contact*."""
    connection.execute(delete(CONTACTS).where(_C.person == person, _C.id < contact))


def drop_contact(connection: Connection, contact: str) -> None:
    """Erase the row *contact*, which no event names."""
    connection.execute(delete(CONTACTS).where(_C.id == contact))


def erase(connection: Connection, person: str) -> None:
    """Erase all that is known of *person*."""
    connection.execute(delete(CONTACTS).where(_C.person == person))


def contacts_of(connection: Connection, people: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What is kept of *people*, who are given with the id of their row: a read model may lag by a change."""
    query = select(_C.person, _C.id, _C.data).where(_C.person.in_(people)).order_by(_C.person, _C.id)
    found: dict[str, dict[str, Any]] = {}
    named: set[str] = set()
    for person, contact, data in connection.execute(query):
        if person not in named:
            found[person] = data
        if contact == people[person]:
            named.add(person)
    return found
