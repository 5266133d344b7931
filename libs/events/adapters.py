"""Settings in, connected adapters out: the one place where a database or a bus is chosen."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from libs.events.bus import Bus
from libs.events.clock import Clock
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.settings import Settings
from libs.events.store import Store
from libs.events.views import Views, open_views


@asynccontextmanager
async def open_bus(settings: Settings, clock: Clock) -> AsyncGenerator[Bus]:
    """Kafka where it is named, else the log of this process.

    Raises:
        SetupError: It cannot be used; says what to do.
    """
    bus = _bus(settings, clock)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def open_resources(
    settings: Settings, service: str, registry: EventRegistry, bus: Bus, clock: Clock
) -> AsyncGenerator[Resources]:
    """The adapters of *service*, connected; disconnected at the end.

    Raises:
        SetupError: One cannot be used; says what to do.
    """
    async with AsyncExitStack() as stack:
        views = await stack.enter_async_context(_open_views(settings, service))
        store = _store(settings, service, clock)
        await store.start()
        stack.push_async_callback(store.close)
        yield Resources(service, registry, store, views, bus, clock)


@asynccontextmanager
async def _open_views(settings: Settings, service: str) -> AsyncGenerator[Views]:
    """Read models; files and memory are migrated on the way, PostgreSQL by `concordat migrate`."""
    url = settings.database_url
    if url == "sqlite:":
        url = f"sqlite:///{settings.data_dir.absolute() / service}.views.db"
    async with open_views(
        url, pool_size=settings.database_pool, prepared_statements=settings.prepared_statements
    ) as views:
        if not views.is_postgres:
            from libs.events.migrate import migrate  # noqa: PLC0415  production never needs it here

            await views.write_long(migrate, service)
        yield views


def _store(settings: Settings, service: str, clock: Clock) -> Store:
    match settings.database_url.partition(":")[0]:
        case "postgresql":
            from libs.events.postgres import PostgresStore  # noqa: PLC0415  asyncpg, where it is used

            return PostgresStore(
                settings.database_url,
                service,
                clock,
                pool_size=settings.database_pool,
                prepared_statements=settings.prepared_statements,
            )
        case "sqlite":
            from libs.events.sqlite import SqliteStore  # noqa: PLC0415  as above

            return SqliteStore(settings.data_dir / f"{service}.events.db", clock)
        case _:
            from libs.events.memory import MemoryStore  # noqa: PLC0415  as above

            return MemoryStore(clock)


def _bus(settings: Settings, clock: Clock) -> Bus:
    if settings.kafka_bootstrap_servers:
        from libs.events.kafka import KafkaBus  # noqa: PLC0415  aiokafka, where it is used

        return KafkaBus(settings.kafka_bootstrap_servers)
    from libs.events.embedded_log import EmbeddedLog  # noqa: PLC0415  as above

    forgets = settings.database_url == "memory:"
    return EmbeddedLog(None if forgets else settings.data_dir / "bus.db", clock)
