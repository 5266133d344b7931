"""Production: one role of one service per process, chosen by settings alone."""

import asyncio
from importlib import import_module

from libs.events.errors import SetupError
from libs.events.settings import Settings, load_settings
from services.cli.errors import USAGE, CliError
from services.cli.wiring import open_parts, settings_of

_KEY_BYTES = 32


async def run_role(service: str, role: str, host: str, port: int) -> None:
    """Run *role* of *service* until a signal ends it.

    Raises:
        CliError: There is no such role.
        SetupError: A setting is missing or wrong; the text names it.
    """
    from libs.web.server import serve_app, serve_worker

    settings = settings_of(service)
    if len(settings.internal_key.encode()) < _KEY_BYTES:
        message = f"CONCORDAT_INTERNAL_KEY must be at least {_KEY_BYTES} bytes, the same for all processes"
        raise SetupError(message)
    async with open_parts([service]) as parts:
        resources = parts[service].resources
        match role:
            case "api" if service == "gateway":
                from services.gateway.auth.admin_key import ensure_admin_key
                from services.gateway.config import GatewaySettings
                from services.gateway.http_owner import open_owners

                await ensure_admin_key(resources, settings.data_dir)
                async with open_owners(load_settings(GatewaySettings)) as owners:
                    gateway = import_module("services.gateway.app").create_app(resources, settings, owners)
                    await serve_app(gateway, host, port)
            case "api":
                await serve_app(import_module(f"services.{service}.app").create_app(resources, settings), host, port)
            case "worker":
                await serve_worker(parts[service].worker, resources, host, port)
            case _:
                message = f"no role {role!r}; there are api and worker"
                raise CliError(message, USAGE)


def migrate_service(service: str) -> None:
    """Bring the PostgreSQL schema of *service* up to date.

    Raises:
        SetupError: CONCORDAT_DATABASE_URL names no PostgreSQL, or it cannot be reached.
    """
    from libs.events.migrate import upgrade

    settings: Settings = settings_of(service)
    if not settings.database_url.startswith("postgresql"):
        message = "CONCORDAT_DATABASE_URL must be postgresql://... to migrate; SQLite files need no migration"
        raise SetupError(message)
    asyncio.run(upgrade(settings.database_url, service))
