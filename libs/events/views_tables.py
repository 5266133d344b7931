"""The tables beside the read models.

`generations`: which table a projection's view shows, and which one is being built. `checkpoints`: how far each consumer
has come, per partition. `dead_letters`: what could not be applied, and what waits behind it. `switches` never has rows:
in Postgres a read locks it before it sees anything, and a switch waits for reads to end. A read that sees one moment
would otherwise look up the new table and not see the rows that came into it after that moment.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()

GENERATIONS = Table(
    "generations",
    METADATA,
    Column("projection", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),  # serving | requested | building | failed
    Column("fingerprint", Text, nullable=False),  # of the code whose rows these are
    Column("writes", BigInteger, nullable=False),  # rises with every transaction; its row lock serialises them
    Column("done", BigInteger, nullable=False),  # events of the log that the rebuild has passed
    Column("total", BigInteger, nullable=False),
    Column("per_second", Float, nullable=False),
    Column("error", Text, nullable=False),  # why it failed, or why it stands still
)

CHECKPOINTS = Table(
    "checkpoints",
    METADATA,
    Column("consumer", Text, primary_key=True),  # a projection, or `<service>.reactions`
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("service", Text, primary_key=True),  # whose log
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Text, nullable=False),
    Column("next", BigInteger, nullable=False),  # the offset of the next record; in a store, of the next position
    Column("position", BigInteger, nullable=False),  # the highest applied
)

DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("consumer", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("service", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("event", LargeBinary, nullable=False),  # a `Recorded`, msgpack
    Column("parked", Boolean, nullable=False),  # not tried: an earlier event of its stream is here
    Column("error", Text, nullable=False),
)

SWITCHES = Table("switches", METADATA, Column("id", Integer, primary_key=True))
