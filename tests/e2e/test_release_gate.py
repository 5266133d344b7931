"""The release gate as a pipeline meets it: one process, the gateway, and a key that can do nothing else."""

import os
import re
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.e2e.story import SERVICE, SLO_DOCUMENT, Teller
from tests.fixtures.servers import ConcordatServer

POLICY, GATE = f"/v1/error-budget-policies/{SERVICE}", f"/v1/release-gate/{SERVICE}"
PAGE = Path(__file__).parents[2] / "docs" / "release-gate.md"
HOUR = timedelta(hours=1)


@asynccontextmanager
async def told_by(server: ConcordatServer, key: str) -> AsyncGenerator[Teller]:
    """The gateway, for whoever holds *key*."""
    async with httpx.AsyncClient(
        base_url=server.url, headers={"X-API-Key": key, "Prefer": "wait=10"}, timeout=30
    ) as http:
        yield Teller(http, datetime.now(UTC).replace(second=0, microsecond=0))


async def key_of(admin: Teller, owner: str, *scopes: str, kind: str = "person") -> str:
    """A key that speaks for *owner*."""
    body = {"owner": owner, "owner_kind": kind, "scopes": list(scopes)}
    key: str = (await admin.call("POST", "/v1/api-keys", body, expect=201))["key"]
    return key


def step_of_the_page(url: str, key: str, change: str) -> tuple[int, str]:
    """How the page's step for CI ends, and the beginning of what it prints."""
    text = PAGE.read_text(encoding="utf-8").replace("checkout-api", SERVICE)
    (step,) = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    told = {"CONCORDAT_URL": url, "CONCORDAT_API_KEY": key, "CHANGE": change, "CI_COMMIT_SHA": "4f0c2d1"}
    done = subprocess.run(["sh", "-ec", step], env=os.environ | told, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.returncode, done.stdout[: done.stdout.index("]") + 1]


@pytest.mark.timeout(120)
async def test_a_pipeline_is_stopped_by_a_policy_that_both_sides_signed_and_let_through_broken_glass(
    concordat_server: ConcordatServer,
) -> None:
    async with told_by(concordat_server, concordat_server.api_key) as admin:
        await admin.found()
        await admin.call("POST", "/v1/slos", SLO_DOCUMENT, expect=201)
        policy = {
            "service": SERVICE,
            "executive": "cleo",
            "signers": {"development": ["ana"], "sre": ["bo"]},
            "revisit_by": (admin.now + timedelta(days=365)).date().isoformat(),
        }
        await admin.call("POST", "/v1/error-budget-policies", policy, expect=201)
        for name, side in (("ana", "development"), ("bo", "sre")):
            async with told_by(concordat_server, await key_of(admin, name, "error-budget-policies.write")) as person:
                await person.call("POST", f"{POLICY}:sign", {"version": 1, "side": side, "reason": "fair"})
        pipeline = await key_of(admin, "ci", "release-gate.read", "release-gate.write", kind="machine")
        async with told_by(concordat_server, pipeline) as ci:
            assert (await ci.call("GET", GATE))["decision"] == "allow"
            await admin.measure(admin.now - HOUR, 60, good=500, total=1000)
            denied = await ci.eventually(GATE, lambda said: said["decision"] == "deny")
            assert (denied["reasons"][0]["code"], denied["state"]) == ("frozen", "frozen")
            await ci.call("GET", POLICY, expect=403)
            if shutil.which("curl") and shutil.which("jq"):  # what the page says to do needs both; this test does not
                assert step_of_the_page(concordat_server.url, pipeline, "normal") == (1, "deny: [frozen]")
                assert step_of_the_page(concordat_server.url, pipeline, "p0") == (0, "allow: [change-passes]")

            shown = await admin.eventually(
                f"/v1/services/{SERVICE}", lambda view: view["error_budget"] and view["error_budget"]["frozen"]
            )
            assert shown["error_budget"]["reason"].startswith("checkout-availability has spent 5000 %")
            overview = await admin.eventually("/v1/overview", lambda all_of_it: all_of_it["frozen_services"] == 1)
            assert overview["services_by_error_budget"] == {"frozen": 1}
            gate = f"/v1/services/{SERVICE}/gates/general_availability"
            await admin.eventually(gate, lambda said: "releases are frozen" in str(said["checks"]))

            glass = {"reason": "customers cannot pay", "follow_up": "ask why", "follow_up_due": "2099-01-01"}
            await admin.call(
                "POST", f"{POLICY}:break-glass", glass | {"expires": (datetime.now(UTC) + HOUR).isoformat()}
            )
            await ci.call("POST", f"{POLICY}:use-glass", {"deployment": "checkout-42"})
            passed = await ci.call("GET", f"{GATE}?deployment=checkout-42")
            assert (passed["decision"], passed["reasons"][0]["code"]) == ("allow", "glass-broken")
            assert (await ci.call("GET", GATE))["decision"] == "deny"
        went_through = "deployment checkout-42 went through the freeze"
        timeline = f"/v1/services/{SERVICE}/timeline"
        await admin.eventually(timeline, lambda told: went_through in [item["summary"] for item in told["items"]])
