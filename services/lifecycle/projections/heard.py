"""Until when other services were heard, beside the read models that are made of what they said.

Nothing heard is good news only while the line is open. The worker notes for each read model and partition the last
moment until which everything published is applied; what is noted is the machine's time, not that of the events.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from libs.events.bus import EVENT_PARTITIONS
from libs.events.columns import Instant
from libs.events.ledger import Place

HEARD: Final = Table(
    "lifecycle_heard",
    MetaData(),
    Column("projection", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("until", Instant(), nullable=False),
    sqlite_with_rowid=False,
)


def note_heard(connection: Connection, until: Mapping[tuple[str, Place], datetime]) -> None:
    """Note until when all that read models are made of is applied, by read model and partition."""
    rows = [
        {"projection": projection, "service": service, "partition": partition, "until": at}
        for (projection, (service, partition)), at in until.items()
    ]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(HEARD)
    newest = {"until": statement.excluded.until}
    connection.execute(statement.on_conflict_do_update(index_elements=HEARD.primary_key.columns, set_=newest), rows)


_H: Final = HEARD.c
_UNTIL: Final = (
    select(_H.projection, _H.service, func.count(), func.min(_H.until))
    .where(_H.projection.in_(bindparam("projections", expanding=True)))
    .group_by(_H.projection, _H.service)
)


def heard_ago(connection: Connection, projections: Collection[str], now: datetime) -> dict[str, timedelta]:
    """Per service, how long ago all that *projections* are made of was applied; absent while some was never heard."""
    found: dict[str, timedelta] = {}
    missing: set[str] = set()
    for _, service, partitions, until in connection.execute(_UNTIL, {"projections": list(projections)}):
        found[service] = max(found.get(service, timedelta()), now - until)
        if partitions < EVENT_PARTITIONS:
            missing.add(service)
    return {service: ago for service, ago in found.items() if service not in missing}
