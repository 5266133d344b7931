"""Which service is made of what; the only table that names them all."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

from libs.events.adapters import open_bus, open_resources
from libs.events.bus import Bus
from libs.events.clock import Clock, SystemClock
from libs.events.errors import SetupError
from libs.events.settings import Settings, load_settings
from services.cli.operations import Part

SERVICES = ("lifecycle", "slo", "incidents", "gateway")
OWNERS = SERVICES[:-1]


def settings_of(service: str, **overrides: object) -> Settings:
    """The settings of *service* from the environment, with a command line's *overrides* above them.

    Raises:
        SetupError: Something is wrong; names each setting.
    """
    config = import_module(f"services.{service}.config")
    cls: type[Settings] = getattr(config, f"{service.capitalize()}Settings", None) or config.Settings
    return load_settings(cls, **overrides)


@asynccontextmanager
async def open_part(settings: Settings, service: str, bus: Bus, clock: Clock) -> AsyncGenerator[Part]:
    """One service's adapters and projections, connected."""
    registry = import_module(f"services.{service}.contract").CONTRACT
    projections: Sequence[Any] = import_module(f"services.{service}.projections").PROJECTIONS
    async with open_resources(settings, service, registry, bus, clock) as resources:
        await resources.views.start(projections)  # an API may start before its worker
        worker = import_module(f"services.{service}.worker").create_worker(resources, settings)
        yield Part(settings, resources, projections, worker)


@asynccontextmanager
async def open_parts(
    services: Sequence[str], clock: Clock | None = None, **overrides: object
) -> AsyncGenerator[Mapping[str, Part]]:
    """Several services on one bus.

    Raises:
        SetupError: A database of one service was named for several.
    """
    settings = {service: settings_of(service, **overrides) for service in services}
    if len(services) > 1 and any(each.database_url.startswith("postgresql") for each in settings.values()):
        message = (
            "CONCORDAT_DATABASE_URL is the database of one service: name it with --service (or `concordat run"
            " <service> <role>`), or unset it to work on a data directory"
        )
        raise SetupError(message)
    async with AsyncExitStack() as stack:
        clock = clock or SystemClock()
        bus = await stack.enter_async_context(open_bus(settings[services[0]], clock))
        yield {
            service: await stack.enter_async_context(open_part(settings[service], service, bus, clock))
            for service in services
        }
