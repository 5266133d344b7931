"""What the gateway knows is the same in every database, and after every rebuild."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from libs.events.bus import events_topic
from libs.events.embedded_log import EmbeddedLog
from libs.events.memory import MemoryStore
from libs.events.rebuild import rebuilding
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import Views
from services.gateway.contract import CONTRACT
from services.gateway.projections import PROJECTIONS
from tests.fixtures.elsewhere import DESIGN, Elsewhere

pytestmark = pytest.mark.usefixtures("worker")

PATHS = (
    "/v1/services/checkout-api",
    "/v1/overview",
    "/v1/events?page_size=3",
    "/v1/events?service=checkout-api&since=2026-11-21T09:00:00Z&order_by=recorded_at",
    "/v1/services/checkout-api/timeline",
    "/v1/audit?actor=ana",
    "/v1/api-keys?owner=ci",
)


@pytest.fixture
async def resources(clock: FrozenClock, views: Views) -> AsyncGenerator[Resources]:
    bus = EmbeddedLog(None, clock)
    await bus.start()
    await bus.ensure_topics([events_topic(service) for service in ("lifecycle", "slo", "incidents")])
    await views.start(PROJECTIONS)
    yield Resources("gateway", CONTRACT, MemoryStore(clock), views, bus, clock)
    await bus.close()


async def live(elsewhere: Elsewhere, client: httpx.AsyncClient) -> None:
    """A service with all that can be known of it, and keys."""
    about = {"service": "checkout-api"}
    await elsewhere.register("checkout-api")
    await elsewhere.tell("team/checkout", "lifecycle.team.registered", team="checkout", kind="dev")
    moved = about | {"from_phase": DESIGN, "to_phase": "active_development", "reason": "approved \U0001f44d \u00e4"}
    await elsewhere.tell("service/checkout-api", "lifecycle.service.phase-changed", **moved)
    teams = {"engagement": "g1", "sre_team": "reliability", "by": "ana"}
    begun = teams | {
        "dev_team": "checkout",
        "services": ["checkout-api"],
        "model": "full",
        "at": "2026-11-21T10:00:00Z",
    }
    await elsewhere.tell("engagement/g1", "lifecycle.engagement.activated", **begun)
    await elsewhere.tell("service/checkout-api", "lifecycle.service.engaged", **about, **teams)
    check = {"id": "design", "result": "fail", "blocking": True, "how_to_fix": "review the design"}
    told = about | {"phase": "limited_availability", "policy_version": "1", "passed": False, "checks": [check]}
    await elsewhere.tell("evaluation/e1", "lifecycle.gate.evaluated", evaluation="e1", **told)
    slo = about | {"slo": "availability", "display_name": "A", "revision": 1, "target": 0.999, "window": "28d"}
    await elsewhere.tell("slo/availability", "slo.slo.defined", **slo)
    figures = {"state": "violated", "sli": 0.9, "good": 9 * 10**12, "total": 10**13, "coverage": 1.0}
    budget = {"error_budget_consumed": 100.0, "error_budget_remaining": -99.0}
    await elsewhere.tell("budget/availability", "slo.budget.assessed", **slo, **figures, **budget)
    policy = about | {"version": 1, "missing": []}
    await elsewhere.tell("error-budget-policy/checkout-api", "slo.policy.written", **policy)
    incident = about | {"incident": "i1", "number": "INC-1", "severity": "sev1", "title": "down"}
    await elsewhere.tell("incident/i1", "incidents.incident.declared", **incident)
    await elsewhere.tell("incident/i1", "incidents.incident.acknowledged", **incident)
    action = about | {"action": "a1", "postmortem": "p1", "incident": "i1", "title": "add a canary", "owner": "bo"}
    await elsewhere.tell("action/a1", "incidents.action.opened", **action, priority="P1", due="2026-11-20")
    turn = {"person": "ana", "since": "2026-11-20T09:00:00Z", "until": "2026-11-27T09:00:00Z", "layer": "primary"}
    turned = {"schedule": "checkout", "services": ["checkout-api"], "on_call": [turn], "at": "2026-11-20T09:00:00Z"}
    await elsewhere.tell("schedule/checkout", "incidents.schedule.turned", **turned)
    body = {"owner": "ci", "owner_kind": "machine", "scopes": ["services.read"]}
    made = await client.post("/v1/api-keys", json=body)
    revoked = await client.delete(f"/v1/api-keys/{made.json()['id']}")
    token = {"Consistency-Token": revoked.headers["Consistency-Token"]}
    for path in ("/v1/audit", "/v1/api-keys"):
        assert (await client.get(path, headers=token)).status_code == 200
    for path in PATHS:
        await elsewhere.seen(client, path)


async def answers(client: httpx.AsyncClient) -> list[object]:
    return [(await client.get(path)).json() for path in PATHS]


async def test_a_rebuild_shows_what_was_shown_before(
    client: httpx.AsyncClient, elsewhere: Elsewhere, resources: Resources
) -> None:
    await live(elsewhere, client)
    before = [await resources.views.dump(projection) for projection in PROJECTIONS]
    shown = await answers(client)
    assert [len(rows) for rows in before] == [1, 1, 1, 1, 1, 1, 1, 1, 16, 2]
    async for _ in rebuilding(resources, *PROJECTIONS):
        pass
    assert [await resources.views.dump(projection) for projection in PROJECTIONS] == before
    assert await answers(client) == shown
    assert {generation.generation for generation in await resources.views.generations()} == {2}


async def test_reads_go_on_while_a_rebuild_runs(
    client: httpx.AsyncClient, elsewhere: Elsewhere, resources: Resources
) -> None:
    await live(elsewhere, client)
    shown = await answers(client)

    async def rebuild_all() -> None:
        async for _ in rebuilding(resources, *PROJECTIONS):
            pass

    rebuilt = asyncio.create_task(rebuild_all())
    while not rebuilt.done():
        assert await answers(client) == shown
        await asyncio.sleep(0)  # short reads run on the loop, and so does this client: let the rebuild have its turn
    await rebuilt
