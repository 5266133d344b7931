"""`concordat demo load` fills a running installation; loading it again changes nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.story import ROOT
from tests.fixtures.servers import ConcordatServer

_ORGANISATION = "teams 8, services 24, engagements 4, days 730, "


def concordat(*arguments: str, data_dir: Path) -> str:
    """What the command prints."""
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "services.cli.main", *arguments, "--data-dir", str(data_dir)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(400)
def test_a_running_installation_is_filled_once(concordat_server: ConcordatServer) -> None:
    said = [concordat("demo", "load", data_dir=concordat_server.data_dir) for _ in range(2)]

    assert [each.startswith(_ORGANISATION) for each in said] == [True, True]
    assert "events 0" in said[1]
    expected = {
        "/v1/teams": 8,
        "/v1/services?page_size=100": 24,
        "/v1/slos?page_size=100": 14,
        "/v1/engagements": 4,
    }
    deadline = time.monotonic() + 120
    with httpx.Client(
        base_url=concordat_server.url, headers={"X-API-Key": concordat_server.api_key}, timeout=60
    ) as http:
        while (counted := {path: len(http.get(path).json()["items"]) for path in expected}) != expected:
            assert time.monotonic() < deadline, counted  # lists follow the log
            time.sleep(0.2)
        status = "/v1/slos/checkout-api-availability/status"
        while (found := http.get(status).json())["coverage"] < 0.95:
            assert time.monotonic() < deadline, found  # four weeks of minutes are taken in
            time.sleep(0.5)
    assert concordat("events", "verify", data_dir=concordat_server.data_dir).count("faults 0") == 4
    assert found["state"] == "met"
    assert 0 < found["error_budget_remaining"] < 1
