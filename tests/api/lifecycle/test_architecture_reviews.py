"""Architecture reviews and the findings that come of them and of incidents, through their routes."""

from datetime import timedelta
from typing import Any

import pytest

from libs.events.bus import EVENT_PARTITIONS
from libs.events.envelope import Recorded
from libs.events.partition import partition_of
from libs.events.rebuild import rebuilding
from libs.events.testing import FrozenClock
from services.lifecycle.projections.design_work import DESIGN_WORK, open_blocking_antipatterns_of
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, ROBOT, signed_in
from tests.fixtures.reviews import CY_SIGNED, teams
from tests.fixtures.services import DEADLINE_S, Elsewhere, Running, eventually

DAY = timedelta(days=1)
REVIEWS = "/v1/architecture-reviews"
FINDINGS = "/v1/services/checkout-api/architecture-findings"
HELD: dict[str, Any] = {
    "participants": [{"person": "ana", "side": "dev"}, {"person": "bo", "side": "sre"}],
    "components": [
        {"name": "orders-db", "criticality": "critical", "redundancy": 0, "failure_domains": ["zone-a"]},
        {"name": "cache", "criticality": "critical", "redundancy": 1, "failure_domains": ["zone-a"]},
        {"name": "web", "criticality": "critical", "redundancy": 2, "failure_domains": ["zone-a", "zone-b"]},
        {"name": "reports", "criticality": "supporting", "redundancy": 0},
    ],
    "patterns": [{"pattern": "circuit-breaker", "where": "calls to the provider"}],
    "antipatterns": [{"antipattern": "retry-storm", "where": "checkout > payments", "severity": "conditional"}],
    "decisions": ["a second database in zone b by March"],
}


async def prepared(service: Running) -> str:
    """The path of a review that people can read up on since the day before yesterday."""
    sent = (service.resources.clock.now() - 2 * DAY).isoformat()
    body = {
        "service": "checkout-api",
        "title": "Checkout before the sales",
        "pre_read": {"url": "https://wiki.example/checkout", "sent_at": sent},
    }
    return f"{REVIEWS}/{(await service.call('POST', REVIEWS, body, expect=201))['id']}"


async def found(service: Running, query: str = "") -> list[tuple[str, str, str]]:
    """Item, severity and state of each finding."""
    listed = await service.call("GET", f"{FINDINGS}{query}")
    return [(each["item"], each["severity"], each["state"]) for each in listed["items"]]


async def test_both_sides_look_at_it_sign_it_and_what_they_found_stays_until_it_is_mended(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    bo, cy = signed_in(lifecycle, BO), signed_in(lifecycle, CY_SIGNED)
    views, then = lifecycle.resources.views, clock.now().isoformat().replace("+00:00", "Z")
    assert await views.read(open_blocking_antipatterns_of, "checkout-api") is None
    clock.advance(DAY)
    path = await prepared(lifecycle)

    held = await lifecycle.call("POST", f"{path}:hold", HELD)
    again = await lifecycle.call("POST", f"{path}:hold", {**HELD, "decisions": ["by April"]})
    absent = await cy.call("POST", f"{path}:sign", {"side": "sre"}, expect=403)
    await lifecycle.call("POST", f"{path}:sign", {"side": "dev"})
    signed = await bo.call("POST", f"{path}:sign", {"side": "sre"})

    assert [step["who"] for step in held["next"]] == [["ana"], ["bo"]]
    assert again["minutes"]["decisions"] == ["by April"]
    assert (absent["code"], absent["who_can"]) == ("somebody-else", ["bo"])
    assert (signed["state"], [each["by"] for each in signed["signatures"]]) == ("signed", ["ana", "bo"])
    assert await found(lifecycle) == [
        ("single-point-of-failure", "blocking", "open"),
        ("redundancy-in-one-failure-domain", "conditional", "open"),
        ("retry-storm", "conditional", "open"),
    ]
    first = (await lifecycle.call("GET", f"{FINDINGS}?severity=blocking"))["items"][0]
    assert first["title"] == "orders-db is critical and has no redundancy"
    assert first["next"]["who"] == ["team checkout"]
    finding = f"{FINDINGS}/{first['id']}"
    await lifecycle.call("POST", f"{finding}:triage", {"owner": "ana", "due": "2027-03-01"})
    inside = await lifecycle.call("POST", f"{finding}:reject", {"reason": "rare"}, expect=403)
    await lifecycle.call("POST", f"{finding}:start", {})
    fixed = await lifecycle.call("POST", f"{finding}:fix", {"url": "https://git.example/42"})
    own = await lifecycle.call("POST", f"{finding}:verify", {}, expect=403)
    answer = await bo.client.post(f"{finding}:verify", json={})

    assert (inside["who_can"], own["who_can"]) == (["somebody from outside checkout"], ["anybody but ana"])
    assert fixed["next"]["who"] == ["anybody but ana"]
    token = {"Consistency_Token": answer.headers["Consistency-Token"]}
    listed = await lifecycle.call("GET", "/v1/architecture-findings?state=verified", **token)
    assert [each["id"] for each in listed["items"]] == [first["id"]]
    facts = await views.read(open_blocking_antipatterns_of, "checkout-api")
    assert facts is not None
    assert (facts.review, facts.blocking, facts.findings) == (signed["id"], (), 3)
    async for _ in rebuilding(lifecycle.resources, DESIGN_WORK):
        pass
    assert await views.read(open_blocking_antipatterns_of, "checkout-api") == facts
    assert (await lifecycle.call("GET", f"{REVIEWS}?state=signed"))["items"][0]["id"] == signed["id"]
    await lifecycle.call("GET", f"{path}?as_of={then}", expect=404)
    assert await found(lifecycle, f"?as_of={then}") == []


async def test_a_cause_of_the_catalogue_that_comes_back_is_a_finding_once_until_it_is_dealt_with(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await teams(lifecycle)

    async def happens(number: int, cause: str = "retry-storm") -> Recorded:
        told = {"incident": f"i{number}", "service": "checkout-api", "at": clock.now()}
        stream = f"incident/i{number}"
        await incidents.says("incident.declared", stream, **told, number=f"INC-{number}", severity="sev3")
        classified = await incidents.says("incident.classified", stream, **told, outage_class=cause)
        await incidents.repeats(classified)
        clock.advance(DAY)
        return classified

    async def stands(count: int) -> list[dict[str, Any]]:
        async def findings() -> list[dict[str, Any]] | None:
            listed = (await lifecycle.call("GET", FINDINGS))["items"]
            return listed if len(listed) == count else None

        return await eventually(findings)

    await happens(1)
    await happens(2, "bad-luck")
    await happens(3, "bad-luck")
    await happens(4)
    (first,) = await stands(1)
    assert (first["title"], first["item"], first["severity"]) == ("Retry storm came back", "retry-storm", "blocking")
    assert "INC-1, INC-4" in first["text"]
    fifth = await happens(5)
    partition = partition_of(fifth.stream, EVENT_PARTITIONS)
    assert await lifecycle.resources.views.wait_applied(
        "lifecycle.reactions", "incidents", incidents.epoch, partition, fifth.position, DEADLINE_S
    ), "it counts for the finding that is open, if it is heard before that is rejected"
    finding = f"{FINDINGS}/{first['id']}"
    await signed_in(lifecycle, BO).call("POST", f"{finding}:reject", {"reason": "the provider's fault"})
    await happens(6, "thundering-herd")
    await happens(7)  # once since then
    await happens(8, "thundering-herd")

    assert [each["item"] for each in await stands(2)] == ["retry-storm", "thundering-herd"]
    await happens(9)
    assert [each["state"] for each in await stands(3)] == ["rejected", "open", "open"]


@IN_MEMORY
async def test_a_waived_finding_is_open_again_when_its_time_is_over(lifecycle: Running, clock: FrozenClock) -> None:
    await teams(lifecycle)
    body = {"title": "cold cache", "text": "warm it up", "severity": "blocking", "item": "thundering-herd"}
    one = await lifecycle.call("POST", FINDINGS, body, expect=201)
    twice = await lifecycle.call("POST", FINDINGS, body, expect=409)
    waiver = {
        "control": "by hand",
        "control_url": "https://wiki.example/warm",
        "until": (clock.now() + 10 * DAY).isoformat(),
        "reason": "the next release",
    }
    await lifecycle.call("POST", f"{FINDINGS}/{one['id']}:waive", waiver, expect=403)
    waived = await signed_in(lifecycle, BO).call("POST", f"{FINDINGS}/{one['id']}:waive", waiver)
    clock.advance(10 * DAY)

    async def is_open() -> bool:
        return bool((await lifecycle.call("GET", f"{FINDINGS}/{one['id']}"))["state"] == "open")

    assert (twice["code"], twice["finding"], waived["state"]) == ("known-finding", one["id"], "waived")
    await eventually(is_open)
    unknown = await lifecycle.call("POST", FINDINGS, {**body, "item": "retry-strom"}, expect=422)
    assert (unknown["code"], unknown["nearest"][0], unknown["errors"][0]["pointer"]) == (
        "unknown-entry",
        "retry-storm",
        "/item",
    )
    await lifecycle.call("GET", f"{FINDINGS}/no-such", expect=404)
    await lifecycle.call("POST", f"{FINDINGS}/no-such:start", {}, expect=404)
    await lifecycle.call("GET", "/v1/services/nobody/architecture-findings", expect=404)


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"participants": [{"person": "ana", "side": "dev"}]}, "/participants"),
        (
            {"participants": [{"person": "ana", "side": "dev"}, {"person": "eve", "side": "sre"}]},
            "/participants/1/side",
        ),
        ({"participants": [{"person": "bo", "side": "dev"}, {"person": "cy", "side": "sre"}]}, "/participants"),
        ({"components": []}, "/components"),
        ({"components": [HELD["components"][0]] * 2}, "/components/0/name"),
        ({"components": [{**HELD["components"][0], "redundancy": -1}]}, "/components/0/redundancy"),
        ({"decisions": []}, "/decisions"),
        ({"held_at": "2026-12-24T10:00:00Z"}, "/held_at"),
        ({"held_at": "2026-11-19T11:00:00Z"}, "/held_at"),
        ({"patterns": [{"pattern": "circuit-braker"}]}, "/patterns/0/pattern"),
        (
            {"antipatterns": [{"antipattern": "retry-strom", "where": "x", "severity": "advisory"}]},
            "/antipatterns/0/antipattern",
        ),
    ],
)
async def test_minutes_that_lack_somebody_or_something_are_refused_with_the_place(
    lifecycle: Running, fields: dict[str, Any], pointer: str
) -> None:
    await teams(lifecycle)
    path = await prepared(lifecycle)

    problem = await lifecycle.call("POST", f"{path}:hold", {**HELD, **fields}, expect=422)

    assert problem["errors"][0]["pointer"] == pointer
    assert (await lifecycle.call("GET", path))["state"] == "prepared"
    assert await found(lifecycle) == []


@IN_MEMORY
async def test_nobody_signs_what_was_not_held_and_a_machine_signs_nothing(lifecycle: Running) -> None:
    await teams(lifecycle)
    path = await prepared(lifecycle)
    early = await lifecycle.call("POST", f"{path}:sign", {"side": "dev"}, expect=409)
    answer = await lifecycle.client.post(f"{path}:hold", json=HELD)
    token = {"Consistency_Token": answer.headers["Consistency-Token"]}
    inbox = await lifecycle.call("GET", "/v1/inbox", **token)
    assert inbox["counts"] | {"architecture_signature": 1, "architecture_finding": 3} == inbox["counts"]

    robot = await signed_in(lifecycle, ROBOT).call("POST", f"{path}:sign", {"side": "sre"}, expect=403)
    both = await lifecycle.call("POST", f"{path}:sign", {"side": "sre"}, expect=403)
    gone = await lifecycle.call("POST", f"{path}:withdraw", {"reason": "the redesign comes first"})

    assert (early["allowed"], robot["who_can"], both["who_can"]) == (["hold", "withdraw"], ["bo"], ["bo"])
    assert (gone["state"], gone["next"]) == ("withdrawn", [])
    assert len(await found(lifecycle)) == 3


@IN_MEMORY
async def test_components_are_compared_with_the_review_before_and_with_the_dependency_graph(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    await lifecycle.call("POST", "/v1/services", {"name": "payments", "owner_team": "checkout"}, expect=201)
    clock.advance(DAY)
    first = await prepared(lifecycle)
    alone = await lifecycle.call("POST", f"{first}:hold", HELD)
    clock.advance(DAY)
    second = await prepared(lifecycle)
    mended = HELD["components"][0] | {"redundancy": 1, "failure_domains": ["zone-a", "zone-b"]}
    pay = {"name": "Payments", "criticality": "critical", "redundancy": 2, "failure_domains": ["zone-a", "zone-b"]}
    said = {**HELD, "components": [mended, *HELD["components"][2:], pay], "antipatterns": [], "patterns": []}
    await lifecycle.call("POST", f"{second}:hold", {**said, "patterns": [{"pattern": "saga", "where": "orders"}]})

    async def compared() -> dict[str, Any] | None:
        answer = await lifecycle.call("GET", second)
        return answer if answer["components"]["before"] and answer["components"]["dependencies"] else None

    answer = await eventually(compared)
    assert answer is not None
    assert (alone["components"]["before"], alone["components"]["changes"]) == (None, [])
    assert answer["components"]["before"] == first.rpartition("/")[2]
    assert [(each["component"], each["what"]) for each in answer["components"]["changes"]] == [
        ("cache", "gone"),
        ("orders-db", "redundancy"),
        ("orders-db", "failure_domains"),
        ("Payments", "added"),
    ]
    assert [(each["name"], each["in_graph"]) for each in answer["components"]["dependencies"]] == [("Payments", None)]
    assert answer["minutes"]["patterns"][0]["pattern"] == "compensating-transaction"
    path = "/v1/services/checkout-api/dependencies/payments"
    await lifecycle.call("PUT", path, {"criticality": "hard", "failure_behaviour": "charged later"})
    assert (await lifecycle.call("GET", second))["components"]["dependencies"] == []
