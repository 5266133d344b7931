"""Who carries out an operation: the server that holds the data directory, or this process."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from libs.events.errors import SetupError
from libs.events.settings import Settings, load_settings
from services.cli.control import ask
from services.cli.data_directory import DataDirectory, InUseError
from services.cli.errors import UNREACHABLE, CliError
from services.cli.operations import operate
from services.cli.wiring import SERVICES, open_parts

Line = dict[str, Any]


async def operation_lines(
    operation: str, arguments: Line, data_dir: Path | None, service: str, *, begins: bool = False
) -> AsyncIterator[Line]:
    """The lines of *operation*, on a service's database or on a data directory, which it *begins* if it may.

    Raises:
        SetupError: The directory does not exist, or cannot be used.
        CliError: What the running server refused.
    """
    settings = load_settings(Settings, data_dir=data_dir)
    services = (service,) if service else SERVICES
    with ExitStack() as stack:
        if settings.database_url == "sqlite:":
            folder = settings.data_dir
            if not begins and not DataDirectory(folder).exists():
                message = f"there is no data directory {folder}; name it with --data-dir, or start `concordat serve`"
                raise SetupError(message)
            try:
                stack.enter_context(DataDirectory(folder).hold())
            except InUseError as held:
                if not held.control:
                    message = f"{folder} is held by process {held.pid}, which is just starting or ending; try again"
                    raise CliError(message, UNREACHABLE) from held
                async for line in ask(held.control, operation, arguments):
                    yield line
                return
        async with open_parts(services, data_dir=data_dir) as parts:
            async for line in operate(parts, operation, arguments):
                yield line
