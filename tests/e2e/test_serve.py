"""The embedded installation, as it starts."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.cli.serve import AppOnTheWay, embedded, where_links_lead
from services.cli.wiring import open_parts
from services.gateway.auth.admin_key import ensure_admin_key


async def test_every_owner_is_asked_as_soon_as_the_gateway_answers(tmp_path: Path) -> None:
    async with embedded(data_dir=tmp_path, database_url="memory:") as installation:
        key = await ensure_admin_key(installation.parts["gateway"].resources, tmp_path)
        headers = {"X-API-Key": key.read_text(encoding="utf-8")}
        transport = httpx.ASGITransport(installation.gateway)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            for path in ("/v1/teams", "/v1/slos", "/v1/incidents"):
                assert (await client.get(path)).json() == {"items": [], "next_page_token": ""}


async def test_who_asks_before_an_owners_routes_are_made_is_answered_when_they_are() -> None:
    async with open_parts(["incidents"], database_url="memory:", internal_key="k" * 48) as parts:
        app = AppOnTheWay("incidents", parts["incidents"])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://incidents") as client:
            asking = asyncio.ensure_future(client.get("/livez"))
            await asyncio.sleep(0)
            await app.make()
            assert (await asking).status_code == 200


@pytest.mark.parametrize("setting", ["CONCORDAT_GATE_POLICY", "CONCORDAT_ENGAGEMENT_POLICY"])
def test_a_policy_that_cannot_be_read_ends_the_start_with_the_name_of_its_setting(setting: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "services.cli.main", "serve", "--port", "0", "--data-dir", str(tmp_path)]
    environment = os.environ | {setting: str(tmp_path / "nothing.yaml")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode == 3
    said = [line for line in done.stderr.splitlines() if line.startswith("concordat: ")]
    assert len(said) == 1
    assert setting in said[0]


def test_links_in_messages_lead_to_where_it_listens_unless_a_setting_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert where_links_lead("127.0.0.1", 9090) == {"public_url": "http://127.0.0.1:9090"}
    assert where_links_lead("127.0.0.1", 0) == {}

    monkeypatch.setenv("CONCORDAT_PUBLIC_URL", "https://concordat.example.com")

    assert where_links_lead("127.0.0.1", 9090) == {}
