"""`make openapi`: the committed OpenAPI documents, made anew from the routes."""

import asyncio
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from libs.events.settings import Settings
from libs.web import openapi
from services.cli.wiring import OWNERS, open_parts, settings_of

ROOT = Path(__file__).parents[2]
_IN_MEMORY: dict[str, object] = {"database_url": "memory:", "kafka_bootstrap_servers": "", "internal_key": "-" * 32}


async def documents() -> dict[Path, dict[str, Any]]:
    """Each committed file, relative to the repository, and what the routes say it should hold."""
    made: dict[str, dict[str, Any]] = {}
    async with open_parts((*OWNERS, "gateway"), None, **_IN_MEMORY) as parts:
        for service in OWNERS:
            settings: Settings = settings_of(service, **_IN_MEMORY)
            made[service] = openapi.document(_app(service).create_app(parts[service].resources, settings))
        gateway = _app("gateway").create_app(
            parts["gateway"].resources, settings_of("gateway", **_IN_MEMORY), owners={}, documents=made
        )
    files = {Path("services/gateway/openapi") / f"{service}.json": document for service, document in made.items()}
    return files | {Path("docs/openapi.json"): gateway.openapi()}


def text_of(document: dict[str, Any]) -> str:
    """*document* as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every document whose routes have changed."""
    for path, document in asyncio.run(documents()).items():
        (ROOT / path).write_text(text_of(document))


def _app(service: str) -> Any:  # noqa: ANN401  a module
    return import_module(f"services.{service}.app")


if __name__ == "__main__":
    main()
