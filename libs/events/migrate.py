"""Bringing a service's database to the schema of this program, and refusing one that is not there.

A service's migrations lie in `services/<service>/migrations`; the same ones serve PostgreSQL and the SQLite file of
read models. alembic is imported only when one is due: every start asks, and it takes 9 MiB.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from libs.events import schema
from libs.events.database import Database, open_database
from libs.events.errors import SetupError, StoreUnavailableError
from libs.events.views_tables import METADATA

_MIGRATION_LOCK = 0x6D696772617465  # "migrate"
_WAIT_FOR_OTHER = "60s"  # for another process that migrates
_REVISION = len("2026_11_21_0001")
_WAIT_FOR_TABLE = "5s"  # a migration that waits for a table holds up everyone behind it


async def upgrade(url: str, service: str) -> None:
    """Bring the database at *url* to the newest schema; of two at once the second waits, then finds nothing to do.

    With `CONCORDAT_APP_ROLE` in the environment, that role may then use everything, and change no event.

    Raises:
        SetupError: It cannot be reached, or another process holds it.
    """
    async with _database(url) as database:
        await database.write(lambda connection: migrate(connection, service))


def migrate(connection: Connection, service: str) -> None:
    """As `upgrade`, in the transaction of *connection*."""
    is_postgres = connection.dialect.name == "postgresql"
    if is_postgres:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_FOR_OTHER}'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_FOR_TABLE}'"))
    current, known = _revisions(connection, service)
    if current != {max(known)}:
        _upgrade(connection, service)
    role = os.environ.get("CONCORDAT_APP_ROLE", "")
    if role and is_postgres:
        for statement in schema.grants(role):
            connection.execute(text(statement))


async def check(url: str, service: str) -> None:
    """Nothing, if the database at *url* has the schema of this program.

    Raises:
        SetupError: It is older, newer, or cannot be reached; says what to do.
    """
    async with _database(url) as database:
        current, known = await database.read(lambda connection: _revisions(connection, service))
    if current == {max(known)}:
        return
    if current <= known:
        message = f"the database of {service} lacks migrations; run `concordat migrate {service}`"
    else:
        message = f"the database of {service} is newer than this program; start the newer version"
    raise SetupError(message)


def run_env() -> None:
    """What every `migrations/env.py` does: run what alembic asks for on the connection that is open."""
    from alembic import context  # noqa: PLC0415  see above

    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()


def create_event_store() -> None:
    """The first migration of every service: its events, and what projections keep about themselves.

    Events of an embedded service lie in a file of their own (`sqlite.py`), so that SQLite gets only the latter.
    """
    from alembic import op  # noqa: PLC0415  see above

    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in schema.POSTGRES:
            connection.exec_driver_sql(statement)
    METADATA.create_all(connection)


def renew_appending() -> None:
    """A later migration of every service: PostgreSQL appends as this program has it."""
    from alembic import op  # noqa: PLC0415  see above

    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in schema.APPENDING:
            connection.exec_driver_sql(statement)


def _revisions(connection: Connection, service: str) -> tuple[set[str], set[str]]:
    """Where the database is, and all revisions there are, with which the names of the files begin."""
    is_new = not inspect(connection).has_table("alembic_version")
    current = () if is_new else connection.scalars(text("SELECT version_num FROM alembic_version"))
    return set(current), {file.name[:_REVISION] for file in (_folder(service) / "versions").glob("2*.py")}


def _upgrade(connection: Connection, service: str) -> None:
    from alembic import command  # noqa: PLC0415  see above
    from alembic.config import Config  # noqa: PLC0415  as above

    config = Config()
    config.set_main_option("script_location", str(_folder(service)).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _folder(service: str) -> Path:
    package = find_spec(f"services.{service}")
    places = package.submodule_search_locations if package else None
    if not places:
        message = f"there is no service {service!r}; one of lifecycle, slo, incidents, gateway"
        raise SetupError(message)
    return Path(places[0]) / "migrations"


@asynccontextmanager
async def _database(url: str) -> AsyncGenerator[Database]:
    try:
        async with open_database(url, pool_size=1) as database:
            yield database
    except (StoreUnavailableError, SQLAlchemyError) as error:
        cause = error.__cause__ if isinstance(error, StoreUnavailableError) else error
        reason = cause.orig if isinstance(cause, DBAPIError) else cause
        message = f"the database {url.rpartition('@')[2]} cannot be used: {reason}"
        raise SetupError(message) from error
