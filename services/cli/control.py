"""How a command line works on a data directory that a running server holds: JSON lines over a local socket.

The request is one line `{"operation", "arguments"}`, the answer a line per step, the last of them `{"end": true}`
or `{"error": ..., "exit_code": ...}`. The socket lies in a folder that only its owner can enter.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from services.cli.errors import CliError, as_cli_error
from services.cli.operations import Platform, operate

Line = dict[str, Any]
_LINE_BYTES = 4 * 1024 * 1024


@asynccontextmanager
async def control_socket(platform: Platform) -> AsyncGenerator[str]:
    """Answers operations on *platform* as long as the context is open; gives the socket's path."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            async with aclosing(operate(platform, request["operation"], request["arguments"])) as lines:
                async for line in lines:
                    await _send(writer, line)
            await _send(writer, {"end": True})
        except (ConnectionError, asyncio.CancelledError):
            pass  # the asker has left, or this server ends
        except Exception as error:  # noqa: BLE001  the asker's answer, whatever it is
            known = as_cli_error(error)
            await _send(writer, {"error": str(known), "exit_code": known.exit_code})
        finally:
            writer.close()

    with tempfile.TemporaryDirectory(prefix="concordat-") as folder:
        path = str(Path(folder) / "control.sock")
        server = await asyncio.start_unix_server(answer, path, limit=_LINE_BYTES)
        try:
            yield path
        finally:
            server.close()


async def ask(socket: str, operation: str, arguments: Line) -> AsyncIterator[Line]:
    """The lines with which the server behind *socket* answers.

    Raises:
        CliError: What the server refused, or that it ended meanwhile.
    """
    reader, writer = await asyncio.open_unix_connection(socket, limit=_LINE_BYTES)
    try:
        await _send(writer, {"operation": operation, "arguments": arguments})
        while raw := await reader.readline():
            line = json.loads(raw)
            if "error" in line:
                raise CliError(line["error"], line["exit_code"])
            if "end" in line:
                return
            yield line
    finally:
        writer.close()
    message = "the server ended before it had answered; start it again, then repeat the command"
    raise CliError(message)


async def _send(writer: asyncio.StreamWriter, line: Line) -> None:
    writer.write(json.dumps(line).encode() + b"\n")
    await writer.drain()
