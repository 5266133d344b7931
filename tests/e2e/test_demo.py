"""`concordat demo load` fills an installation; loading it again changes nothing."""

import os
import subprocess
import sys
import time

import httpx
import pytest

from tests.e2e.story import ROOT
from tests.fixtures.servers import ConcordatServer


def load_demo(server: ConcordatServer) -> str:
    """What the command says in the end."""
    command = [sys.executable, "-m", "services.cli.main", "demo", "load", "--url", server.url]
    environment = os.environ | {"CONCORDAT_API_KEY": server.api_key}
    done = subprocess.run(  # noqa: S603  our own command
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(240)
def test_loading_the_demo_twice_makes_one_organisation(concordat_server: ConcordatServer) -> None:
    assert [load_demo(concordat_server) for _ in range(2)] == ["teams 3, services 5, days of measurements 28\n"] * 2

    expected = {
        "/v1/teams": 3,
        "/v1/services": 5,
        "/v1/slos": 4,
        "/v1/incidents": 1,
        "/v1/postmortems": 1,
        "/v1/actions": 1,
    }
    deadline = time.monotonic() + 30
    with httpx.Client(base_url=concordat_server.url, headers={"X-API-Key": concordat_server.api_key}) as http:
        while (counted := {path: len(http.get(path).json()["items"]) for path in expected}) != expected:
            assert time.monotonic() < deadline, counted  # lists follow the log
            time.sleep(0.1)
