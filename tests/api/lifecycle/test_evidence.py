from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import GATES, IN_MEMORY, attest, register
from tests.fixtures.services import Running

EVIDENCE = "/v1/services/checkout-api/evidence"
REVIEW = {"kind": "design_review", "at": "2026-11-20T14:00:00Z", "url": "https://wiki.example/7", "by": "bo"}


async def test_evidence_is_recorded_and_says_which_gates_look_for_it(lifecycle: Running) -> None:
    await register(lifecycle)

    answer = await lifecycle.client.post(EVIDENCE, json=REVIEW)

    assert answer.status_code == 201
    recorded = answer.json()
    assert recorded == {
        **REVIEW,
        "id": recorded["id"],
        "service": "checkout-api",
        "recorded_at": "2026-11-21T10:00:00Z",
        "outcome": "passed",
        "figures": {},
        "counts_for": ["active_development"],
    }
    assert await lifecycle.call("GET", answer.headers["Location"]) == recorded


async def test_evidence_has_figures_that_are_judged_and_may_be_of_what_failed(lifecycle: Running) -> None:
    await register(lifecycle)
    told = {"kind": "load_test", "at": REVIEW["at"], "url": REVIEW["url"]}

    async def gate() -> tuple[str, dict[str, Any]]:
        checks = (await lifecycle.call("GET", f"{GATES}/limited_availability"))["checks"]
        (check,) = (check for check in checks if check["id"] == "load_test")
        return check["result"], check["evidence"][0]["values"]

    answer = await lifecycle.call("POST", EVIDENCE, {**told, "figures": {"peak_ratio": 1.2, "tool": "k6"}}, expect=201)
    assert answer["figures"] == {"peak_ratio": 1.2, "tool": "k6"}
    assert (await gate()) == ("fail", {"url": REVIEW["url"], "by": "ana", "peak_ratio": 1.2, "tool": "k6"})
    await lifecycle.call("POST", EVIDENCE, {**told, "figures": {"peak_ratio": 1.6}}, expect=201)
    assert (await gate())[0] == "pass"
    await lifecycle.call("POST", EVIDENCE, {**told, "outcome": "failed"}, expect=201)
    assert (await gate())[0] == "fail"


@IN_MEMORY
async def test_evidence_that_no_gate_looks_for_is_kept_and_says_so(lifecycle: Running) -> None:
    await register(lifecycle)

    recorded = await lifecycle.call("POST", EVIDENCE, {**REVIEW, "kind": "desgin_review"}, expect=201)

    assert recorded["counts_for"] == []


@IN_MEMORY
async def test_whoever_sends_it_did_it_unless_somebody_else_is_named(lifecycle: Running) -> None:
    await register(lifecycle)

    recorded = await lifecycle.call(
        "POST", EVIDENCE, {key: value for key, value in REVIEW.items() if key != "by"}, expect=201
    )

    assert recorded["by"] == "ana"


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"at": "2026-11-22T10:00:00Z"}, "/at"),
        ({"at": "2026-11-20T14:00:00"}, "/at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "/at"),
        ({"url": "see the wiki"}, "/url"),
        ({"url": "javascript:alert(1)"}, "/url"),
        ({"kind": "Design Review"}, "/kind"),
        ({"by": ""}, "/by"),
        ({"outcome": "mixed"}, "/outcome"),
        ({"figures": {"Peak Ratio": 1}}, "/figures/Peak Ratio/[key]"),
    ],
)
async def test_evidence_that_cannot_be_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], pointer: str
) -> None:
    await register(lifecycle)

    problem = await lifecycle.call("POST", EVIDENCE, {**REVIEW, **fields}, expect=422)

    assert problem["errors"][0]["pointer"] == pointer


async def test_evidence_belongs_to_a_service(lifecycle: Running) -> None:
    await lifecycle.call("POST", EVIDENCE, REVIEW, expect=404)
    await lifecycle.call("GET", EVIDENCE, expect=404)
    await register(lifecycle)
    await lifecycle.call("POST", "/v1/services", {"name": "till-api"}, expect=201)
    recorded = await lifecycle.call("POST", EVIDENCE, REVIEW, expect=201)

    await lifecycle.call("GET", f"/v1/services/till-api/evidence/{recorded['id']}", expect=404)


async def test_evidence_is_listed_last_first_by_kind_and_as_of_a_time(lifecycle: Running, clock: FrozenClock) -> None:
    await register(lifecycle)
    await attest(lifecycle, "design_review", "load_test")
    then = clock.now()
    clock.advance(timedelta(hours=1))
    last = await lifecycle.client.post(EVIDENCE, json=REVIEW)
    token = {"Consistency-Token": last.headers["Consistency-Token"]}

    async def kinds(query: str) -> list[str]:
        page = await lifecycle.call("GET", EVIDENCE + query, **token)
        return [evidence["kind"] for evidence in page["items"]]

    assert await kinds("") == ["design_review", "load_test", "design_review"]
    assert await kinds("?kind=load_test") == ["load_test"]
    assert await kinds(f"?as_of={then:%Y-%m-%dT%H:%M:%SZ}") == ["load_test", "design_review"]
