"""Whether a service still shows what its phase asks for."""

from typing import Any

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle import POLICY
from tests.fixtures.lifecycle_api import attest, define, register
from tests.fixtures.services import Elsewhere, Running, eventually

STANDING = "/v1/services/checkout-api/standing"


async def failed(lifecycle: Running, kind: str) -> None:
    body: dict[str, Any] = {
        "kind": kind,
        "at": lifecycle.resources.clock.now().isoformat(),
        "url": "https://wiki.example/7",
        "outcome": "failed",
    }
    await lifecycle.call("POST", "/v1/services/checkout-api/evidence", body, expect=201)


async def test_a_service_that_lacks_what_its_phase_asks_for_is_at_risk_and_stays(lifecycle: Running) -> None:
    await register(lifecycle, phase="active_development")
    assert not (await lifecycle.call("GET", STANDING))["at_risk"]
    await lifecycle.call("PATCH", "/v1/services/checkout-api", {"tier": None, "owner_team": None}, If_Match='"1"')

    standing = await lifecycle.call("GET", STANDING)

    assert standing["keeps"][0]["result"] == "fail"
    assert standing["phase"] == "active_development"


async def test_what_fails_suggests_a_step_back_and_says_why(lifecycle: Running, clock: FrozenClock) -> None:
    await register(lifecycle, phase="general_availability")
    assert (await lifecycle.call("GET", STANDING))["suggests"] is None

    await failed(lifecycle, "capacity_covers_demand")

    standing = await lifecycle.call("GET", STANDING)
    assert standing["suggests"] == "limited_availability"
    assert [check["id"] for check in standing["because"]] == ["capacity_covers_demand"]


async def test_an_unsupported_service_shows_what_is_left_to_remove(lifecycle: Running) -> None:
    await register(lifecycle, phase="unsupported")
    await attest(lifecycle, "dns_removed", days_ago=0)

    left = [check["id"] for check in (await lifecycle.call("GET", STANDING))["left_to_remove"]]

    assert "dns_removed" not in left
    assert "alerts_removed" in left
    await lifecycle.call("GET", "/v1/services/till-api/standing", expect=404)


async def test_an_unsupported_service_is_decommissioned_when_nothing_is_left_and_may_be_revived(
    lifecycle: Running, slo: Elsewhere
) -> None:
    await register(lifecycle, phase="unsupported")
    await attest(lifecycle, *POLICY.gates["decommissioned"], days_ago=0)
    await define(slo)

    async def alert_left() -> bool:
        left = (await lifecycle.call("GET", STANDING))["left_to_remove"]
        return [check["id"] for check in left] == ["alerts_removed", "no_references"]

    await eventually(alert_left)
    path = "/v1/services/checkout-api:decommission"
    refused = await lifecycle.call("POST", path, {"reason": "gone"}, expect=422)
    assert refused["code"] == "gate-not-passed"
    await slo.says("slo.ended", "slo/checkout-availability", slo="checkout-availability")

    async def nothing_left() -> bool:
        return not (await lifecycle.call("GET", STANDING))["left_to_remove"]

    await eventually(nothing_left)
    service = await lifecycle.call("POST", path, {"reason": "gone"})

    assert service["decommissioned_at"]
    assert await lifecycle.call("GET", "/v1/services/checkout-api") == service

    async def listed() -> bool:
        return (await lifecycle.call("GET", "/v1/services"))["items"] == [service]

    await eventually(listed)
    assert await lifecycle.call("POST", path, {"reason": "again"}) == service
    successor = {"name": "till-api", "owner_team": "checkout", "tier": 1, "revives": "checkout-api"}
    await lifecycle.call("POST", "/v1/services", successor, expect=201)
    problem = await lifecycle.call("POST", "/v1/services/till-api:decommission", {"reason": "no"}, expect=409)
    assert problem["code"] == "still-supported"
