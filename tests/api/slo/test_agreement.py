"""A revision of an SLO from its proposal to the third signature, or to another end."""

from datetime import timedelta
from typing import Any

from libs.web.internal_auth import Principal, sign
from tests.fixtures.services import KEY, eventually, memory_is_enough
from tests.fixtures.slo import NAME, Slo, document

PATH = f"/v1/slos/{NAME}"
POLICY: dict[str, Any] = {
    "service": "checkout-api",
    "executive": "cleo",
    "signers": {"development": ["ana"], "sre": ["bo"], "product": ["dan"]},
    "revisit_by": "2027-11-21",
}
SIDES = {"development": "ana", "sre": "bo", "product": "dan"}


async def _do(slo: Slo, verb: str, by: str, body: dict[str, Any], *, expect: int = 200, kind: Any = "person") -> Any:
    principal = Principal(by, kind, frozenset({"*"}), "api-key", "key-2")
    token = sign(principal, "slo", KEY, now_s=slo.clock.now().timestamp())
    return await slo.call("POST", f"{PATH}:{verb}", body, expect=expect, Authorization=f"Bearer {token}")


async def _proposed(slo: Slo, target: float = 0.995) -> str:
    """The id of a proposal, of an SLO whose service has a policy."""
    await slo.define()
    await slo.call("POST", "/v1/error-budget-policies", POLICY, expect=201)
    body = {"document": document(target=target), "reason": "users notice"}
    made = await _do(slo, "propose", "ana", body, expect=201)
    assert made["open"]["missing"] == ["development", "sre", "product"]
    return made["open"]["proposal"]


async def _agree(slo: Slo, proposal: str, side: str, by: str = "", **more: Any) -> Any:
    body = {"proposal": proposal, "side": side, "reason": "fair"}
    return await _do(slo, "agree", by or SIDES[side], body, **more)


async def test_the_last_of_three_sides_makes_the_revision(slo: Slo) -> None:
    proposal = await _proposed(slo)
    for side in ("product", "development"):
        waiting = await _agree(slo, proposal, side)
        assert (await slo.call("GET", PATH))["revision"] == 1
    assert (waiting["open"]["missing"], waiting["open"]["waiting_for"]) == (["sre"], "sre (bo)")
    settled = await _agree(slo, proposal, "sre")
    assert (settled["open"], [ended["end"] for ended in settled["past"]]) == (None, ["agreed"])
    revised = await slo.call("GET", PATH)
    assert (revised["revision"], revised["target"]) == (2, 0.995)
    assert (await slo.call("GET", f"{PATH}/agreement"))["past"] == settled["past"]


@memory_is_enough
async def test_only_signers_sign_each_for_one_side_and_no_machine(slo: Slo) -> None:
    proposal = await _proposed(slo)
    refused = await _agree(slo, proposal, "sre", "ana", expect=403)
    assert (refused["code"], refused["who_can"]) == ("not-a-signer", ["bo"])
    assert (await _agree(slo, proposal, "sre", "bo", expect=403, kind="machine"))["code"] == "person-required"
    assert (await _agree(slo, "another", "sre", expect=404))["code"] == "not-found"


@memory_is_enough
async def test_any_side_can_decline_and_only_the_proposer_withdraws(slo: Slo) -> None:
    proposal = await _proposed(slo)
    refused = await _do(slo, "withdraw", "bo", {"proposal": proposal, "reason": "too early"}, expect=403)
    assert refused["code"] == "not-the-proposer"
    declined = await _do(slo, "decline", "dan", {"proposal": proposal, "side": "product", "reason": "users leave"})
    assert (declined["past"][0]["end"], declined["past"][0]["ended_by"]) == ("declined", "dan")
    closed = await _agree(slo, proposal, "sre", expect=409)
    assert (closed["code"], closed["end"]) == ("proposal-closed", "declined")


@memory_is_enough
async def test_a_proposal_for_another_revision_than_the_one_that_holds_is_refused_at_the_end(slo: Slo) -> None:
    proposal = await _proposed(slo)
    await slo.call("PUT", PATH, document(target=0.9))
    await _agree(slo, proposal, "product")
    await _agree(slo, proposal, "sre")
    refused = await _agree(slo, proposal, "development", expect=409)
    assert (refused["code"], refused["revision"]) == ("proposal-outdated", 2)


async def test_a_proposal_lapses_by_itself(slo: Slo) -> None:
    await _proposed(slo)
    slo.clock.advance(timedelta(days=14))

    async def lapsed() -> Any:
        return (await slo.call("GET", f"{PATH}/agreement"))["past"]

    assert [ended["end"] for ended in await eventually(lapsed)] == ["expired"]


@memory_is_enough
async def test_an_slo_can_be_agreed_as_it_is(slo: Slo) -> None:
    await slo.define()
    await slo.call("POST", "/v1/error-budget-policies", POLICY, expect=201)
    made = await _do(slo, "propose", "ana", {"reason": "it was never agreed"}, expect=201)
    for side in SIDES:
        await _agree(slo, made["open"]["proposal"], side)
    assert (await slo.call("GET", PATH))["revision"] == 1


@memory_is_enough
async def test_what_could_not_be_stored_or_nobody_could_sign_is_not_proposed(slo: Slo) -> None:
    await slo.define()
    refused = await _do(slo, "propose", "ana", {"reason": "now"}, expect=409)
    assert (refused["code"], "POST /v1/error-budget-policies" in refused["detail"]) == ("no-signers", True)
    wrong = {"document": document(target=1.0), "reason": "perfection"}
    assert (await _do(slo, "propose", "ana", wrong, expect=422))["code"] == "invalid-openslo"
    other = {"document": document("other"), "reason": "another"}
    assert (await _do(slo, "propose", "ana", other, expect=422))["code"] == "name-differs"
    assert (await slo.call("GET", f"{PATH}/agreement", expect=404))["code"] == "not-found"
