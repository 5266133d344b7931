"""How far the reading of sources has come, stored so that it goes on after a restart or in another process.

Progress moves only from where it stood (compare and set), after its counts are published. So of two processes that
both believe to poll a source neither can leave a minute out; what both publish is harmless, since revisions replace.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from libs.events.columns import Instant
from services.slo.projections.polled_slos import POLLED_SLOS, still_measured
from services.slo.prometheus import Fault, Progress

Kind = Literal["live", "backfill"]
_METADATA = MetaData()
_FIRST_LOOK_MIN: Final = 60  # of a new SLO's past; its first burn-rate alert needs an hour, the rest is a backfill

POLLS: Final = Table(
    "slo_polls",
    _METADATA,
    Column("slo", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # live: ends with the clock; backfill: a range of the past
    Column("first", BigInteger, nullable=False),  # minutes since the epoch; `until` is not read
    Column("until", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),  # the next to read
    Column("code", Text, nullable=False),  # what is wrong, empty when nothing is
    Column("place", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)
SOURCE_POLLS: Final = Table(
    "slo_source_polls",
    _METADATA,
    Column("source", Text, primary_key=True),
    Column("asked_at", Instant(), nullable=False),
    Column("succeeded_at", Instant()),
    Column("read_until", BigInteger),  # the minute behind the newest that was read
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Poll:
    """What is to be read for an SLO.

    Args:
        slo: The SLO.
        kind: `live` reads on as time passes, `backfill` a range of the past.
        sli: The `spec` of its OpenSLO SLI, as `indicator_of` takes it.
        progress: How far it is.
        fault: What was wrong when it was read last.
    """

    slo: str
    kind: Kind
    sli: dict[str, Any]
    progress: Progress
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a `Poll`: how far it is now, and what is wrong."""

    poll: Poll
    progress: Progress
    fault: Fault | None

    @property
    def failed(self) -> bool:
        """Whether nothing was read."""
        return self.progress.done == self.poll.progress.done


def due(connection: Connection, source: str, newest: int) -> list[Poll]:
    """What of *source* is not read up to the minute *newest*; live first, then backfills, those behind most first."""
    polled, polls = POLLED_SLOS.view, POLLS
    live = and_(polls.c.slo == polled.c.slo, polls.c.kind == "live")
    backfill = and_(polls.c.slo == polled.c.slo, polls.c.kind == "backfill", polls.c.done < polls.c.until)
    query = select(polled.c.slo, polled.c.sli, *polls.c[1:]).where(polled.c.source == source, still_measured())
    found = [_live(row, newest) for row in connection.execute(query.outerjoin(polls, live)).mappings()]
    behind = sorted((poll for poll in found if poll.progress.done < newest), key=lambda poll: poll.progress.done)
    backfills = connection.execute(query.join(polls, backfill).order_by(polls.c.done)).mappings()
    return behind + [_poll(row, "backfill", _progress(row)) for row in backfills]


def save(connection: Connection, found: Iterable[Done]) -> None:
    """Move progress on, where nobody else moved it."""
    for done in found:
        poll, fault = done.poll, done.fault
        row = {"slo": poll.slo, "kind": poll.kind, **_columns(poll.progress), **_said(None)}
        connection.execute(_insert(connection)(POLLS).values(row).on_conflict_do_nothing())
        held = and_(
            POLLS.c.slo == poll.slo,
            POLLS.c.kind == poll.kind,
            POLLS.c.first == poll.progress.first,
            POLLS.c.done == poll.progress.done,
            or_(POLLS.c.kind == "live", POLLS.c.until == poll.progress.end),
        )
        connection.execute(update(POLLS).where(held).values(_columns(done.progress) | _said(fault)))


def ask_backfill(connection: Connection, slo: str, progress: Progress) -> None:
    """Have the range of *progress* read; the same that is under way goes on, any other takes its place."""
    row = {"slo": slo, "kind": "backfill", **_columns(progress), **_said(None)}
    same = and_(POLLS.c.first == progress.first, POLLS.c.until == progress.end, POLLS.c.done < POLLS.c.until)
    insert = _insert(connection)(POLLS).values(row)
    connection.execute(insert.on_conflict_do_update(index_elements=["slo", "kind"], set_=row, where=~same))


def read(connection: Connection, slo: str) -> dict[Kind, tuple[Progress, Fault | None]]:
    """How far the polling of *slo* is."""
    rows = connection.execute(select(POLLS).where(POLLS.c.slo == slo)).mappings()
    return {row["kind"]: (_progress(row), _fault(row)) for row in rows}


def failing(connection: Connection, source: str, most: int) -> Sequence[tuple[str, Fault]]:
    """SLOs of *source* that cannot be read, and why; at most so many."""
    polled = POLLED_SLOS.view
    query = select(POLLS).join(polled, polled.c.slo == POLLS.c.slo).where(polled.c.source == source, POLLS.c.code != "")
    query = query.where(still_measured()).order_by(POLLS.c.slo, POLLS.c.kind).limit(most)
    rows = connection.execute(query).mappings()
    return [(row["slo"], fault) for row in rows if (fault := _fault(row))]


def slos_of(connection: Connection, source: str, most: int) -> tuple[int, Sequence[str]]:
    """How many SLOs are polled from *source*, and the names of some."""
    polled = POLLED_SLOS.view
    where = and_(polled.c.source == source, still_measured())
    number = connection.execute(select(func.count()).select_from(polled).where(where)).scalar_one()
    names = connection.execute(select(polled.c.slo).where(where).order_by(polled.c.slo).limit(most)).scalars()
    return number, names.all()


def note_poll(connection: Connection, source: str, at: datetime, read_until: int | None) -> datetime | None:
    """Keep that *source* was asked (*read_until* None: without success), and give when it had answered last."""
    row: dict[str, Any] = {"source": source, "asked_at": at}
    if read_until is not None:
        row |= {"succeeded_at": at, "read_until": read_until}
    insert = _insert(connection)(SOURCE_POLLS).values(row)
    connection.execute(insert.on_conflict_do_update(index_elements=["source"], set_=row))
    found = select(SOURCE_POLLS.c.succeeded_at).where(SOURCE_POLLS.c.source == source)
    return connection.execute(found).scalar_one()


def time_of(minute: int) -> datetime:
    """When the minute since the epoch begins."""
    return datetime.fromtimestamp(minute * 60, UTC)


def _live(row: Any, newest: int) -> Poll:  # noqa: ANN401  a mapping by column
    first = newest - _FIRST_LOOK_MIN
    begun = Progress(first, newest, first) if row["done"] is None else _progress(row).until(newest)
    return _poll(row, "live", begun)


def _poll(row: Any, kind: Kind, progress: Progress) -> Poll:  # noqa: ANN401  as above
    return Poll(row["slo"], kind, row["sli"], progress, _fault(row))


def _progress(row: Any) -> Progress:  # noqa: ANN401  as above
    return Progress(row["first"], row["until"], row["done"])


def _fault(row: Any) -> Fault | None:  # noqa: ANN401  as above
    return Fault(row["code"], row["place"], row["detail"]) if row["code"] else None


def _columns(progress: Progress) -> dict[str, int]:
    return {"first": progress.first, "until": progress.end, "done": progress.done}


def _said(fault: Fault | None) -> dict[str, str]:
    return {
        "code": fault.code if fault else "",
        "place": fault.place if fault else "",
        "detail": fault.detail if fault else "",
    }


def _insert(connection: Connection) -> Any:  # noqa: ANN401  both have the same methods
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
