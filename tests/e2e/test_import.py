"""`concordat slo import` sends files of counts, and says what of them is kept."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.story import ROOT
from tests.fixtures.servers import ConcordatServer
from tests.fixtures.slo import NAME, document


def import_file(server: ConcordatServer, *arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "services.cli.main", "slo", "import", NAME, *arguments, "--url", server.url],
        cwd=ROOT,
        env=os.environ | {"CONCORDAT_API_KEY": server.api_key},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(120)
def test_a_file_is_imported_line_by_line_and_may_be_sent_again(
    concordat_server: ConcordatServer, tmp_path: Path
) -> None:
    lines = [
        f"2026-01-0{day}T{hour:02}:{minute:02}:00Z,9,10" for day in (1, 2) for hour in range(24) for minute in range(60)
    ]
    lines[99] = "2026-01-01T01:39:00Z,11,10"
    file = tmp_path / "counts.csv"
    file.write_text("\n".join(["start,good,total", *lines]))
    headers = {"X-API-Key": concordat_server.api_key}
    with httpx.Client(base_url=concordat_server.url, headers=headers) as http:
        assert import_file(concordat_server, str(file))[0] == 4
        http.post("/v1/teams", json={"name": "checkout", "kind": "dev"}).raise_for_status()
        http.post("/v1/services", json={"name": "checkout-api", "owner_team": "checkout"}).raise_for_status()
        http.post("/v1/slos", json=document()).raise_for_status()

        code, said = import_file(concordat_server, str(file))

        assert (code, said.splitlines()[-1]) == (1, "buckets 2879, refused lines 1, last line 2881")
        assert "line=101" in said
        assert "good-exceeds-total" in said
        assert (
            import_file(concordat_server, str(file), "--after", "2001")[1]
            == "buckets 880, refused lines 0, last line 2881\n"
        )
        deadline = time.monotonic() + 30
        while (status := http.get(f"/v1/slos/{NAME}/status?at=2026-01-03T00:00:00Z").json())["total"] != 28_790:
            assert time.monotonic() < deadline, status
            time.sleep(0.1)  # what is published is taken in a moment later
        assert status["good"] == 2879 * 9
