"""The database of read models: its connections, and how far each projection has come."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Applied(msgspec.Struct, frozen=True):
    """How far a projection has come with the log of one service.

    Args:
        epoch: Which life of that log.
        positions: Per partition, the highest position applied (partition 0 of the service's own log is all of it).
    """

    epoch: str
    positions: Mapping[int, int]


class Views:
    """Read models live here: SQLite or Postgres, through SQLAlchemy Core.

    Queries `connect`; whoever writes rows uses `begin`, which takes SQLite's write lock at once.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncConnection]:
        """A connection for reading; what it reads is one consistent moment."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction for writing; committed at the end, rolled back on an error."""
        async with self.engine.begin() as connection:
            yield connection
