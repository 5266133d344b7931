"""The story on the embedded installation: told, killed, told again from the log, rebuilt."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.e2e.story import ROOT, Teller
from tests.fixtures.servers import ConcordatServer


def concordat(server: ConcordatServer, *arguments: str) -> list[dict[str, Any]]:
    """The JSON lines that a `concordat` command prints about the server's data directory."""
    command = [sys.executable, "-m", "services.cli.main", *arguments, "--data-dir", str(server.data_dir), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def digests(server: ConcordatServer) -> dict[str, object]:
    """A hash of the rows of every read model."""
    return {str(item["projection"]): item["digest"] for item in concordat(server, "projections", "list", "--digest")}


@pytest.mark.timeout(180)
async def test_the_story_survives_a_kill_and_a_rebuild_of_every_projection(concordat_server: ConcordatServer) -> None:
    server = concordat_server
    headers = {"X-API-Key": server.api_key}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http:
        teller = Teller(http, datetime.now(UTC).replace(second=0, microsecond=0))
        await teller.tell()
        told = await teller.settled()

    server.kill()
    server.start()
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http:
        teller.http = http
        assert told == await teller.answers(), "after kill -9"

        tables = digests(server)
        concordat(server, "projections", "rebuild", "all")
        assert tables == digests(server)
        assert told == await teller.answers(), "after the rebuild"

    verified = concordat(server, "events", "verify")
    assert {0} == {line["summary"]["faults"] for line in verified if "summary" in line}
    assert server.stop() == 0
