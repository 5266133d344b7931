"""Who is called follows the severity, also one that is found out later."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from tests.fixtures.paging import (
    Receiver,
    Taken,
    arrived,
    declared,
    escalation,
    notifications,
    owned,
    people,
    timeline,
    written,
)
from tests.fixtures.services import ANA, Elsewhere, Running, Signed, eventually, memory_is_enough

pytestmark = memory_is_enough


@pytest.fixture
async def shared(paging: Running, lifecycle: Elsewhere, receiver: Receiver) -> Running:
    """The developers call Ana, then Bo; SRE, who work for the service too, call Sam."""
    await people(paging, lifecycle, "sam", team="platform", base=receiver.url)
    await written(paging)
    sam = [{"targets": [{"kind": "person", "name": "sam"}], "delay": "PT5M"}]
    await written(paging, name="platform", team="platform", steps=sam, acknowledgement_timeout="PT30M")
    await lifecycle.says("service.engaged", "service/cart-api", service="cart-api", sre_team="platform")
    await owned(paging, lifecycle, "old-api", phase="abandoned")
    await lifecycle.says("service.engaged", "service/old-api", service="old-api", sre_team="platform")

    async def engaged(service: str) -> bool:
        asked = {"service": service, "severity": "sev1"}
        tried = await paging.call("POST", "/v1/escalation-policies:dry-run", asked)
        return "sam" in {each["person"] for each in tried["calls"]}

    for service in ("cart-api", "old-api"):
        await eventually(partial(engaged, service))
    return paging


async def raised(incidents: Running, severity: str) -> None:
    version = (await incidents.client.get("/v1/incidents/INC-1")).headers["ETag"]
    body = {"severity": severity, "reason": "all carts fail"}
    await incidents.call("PATCH", "/v1/incidents/INC-1", body, if_match=version)


def called(state: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["person"], each["side"], each["policy"]) for each in state["called"]]


async def test_what_is_severe_calls_both_sides_at_once(shared: Running, receiver: Receiver) -> None:
    tried = await shared.call("POST", "/v1/escalation-policies:dry-run", {"service": "cart-api", "severity": "sev2"})
    assert [(each["person"], each["side"]) for each in tried["calls"]][:3] == [
        ("sam", "sre"),
        ("ana", "dev"),
        ("ana", "dev"),
    ]
    await declared(shared, "cart-api", "sev2")

    await arrived(receiver, 2)
    assert called(await escalation(shared, "INC-1", state="climbing")) == [
        ("sam", "sre", "platform"),
        ("ana", "dev", "checkout"),
    ]


async def test_what_becomes_severe_calls_the_developers_although_sre_took_it_on(
    shared: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await declared(shared, "cart-api", "sev3")
    await arrived(receiver, 1)
    await shared.call("POST", "/v1/incidents/INC-1:acknowledge")
    await escalation(shared, "INC-1", state="held")

    await raised(shared, "sev2")

    sent = await notifications(shared, 2, incident="INC-1")
    assert [(each["person"], each["kind"], each["state"]) for each in sent] == [
        ("sam", "page", "delivered"),
        ("ana", "page", "delivered"),
    ]
    assert sent[1]["subject"] == "INC-1 sev2 cart-api: Carts fail"
    state = await escalation(shared, "INC-1", state="held")
    assert called(state) == [("sam", "sre", "platform"), ("ana", "dev", "checkout")]
    assert "sev2 calls the developers at once too" in state["why"]

    for severity in ("sev4", "sev1"):
        await raised(shared, severity)

    async def planned() -> bool:
        return "sev1 calls" in (await shared.call("GET", "/v1/incidents/INC-1/escalation"))["why"]

    await eventually(planned)
    clock.advance(timedelta(minutes=30))
    again = await escalation(shared, "INC-1", state="climbing")
    assert [each["person"] for each in again["called"]] == ["sam", "ana", "sam", "ana"], "forgotten, not raised again"


async def test_who_takes_it_on_at_once_does_not_keep_the_developers_from_being_called(
    shared: Running, receiver: Receiver
) -> None:
    await declared(shared, "cart-api", "sev1")
    await shared.call("POST", "/v1/incidents/INC-1:acknowledge")

    await escalation(shared, "INC-1", state="held")
    sent = await notifications(shared, 1, incident="INC-1", person="ana")
    assert [(each["kind"], each["state"]) for each in sent] == [("page", "delivered")]


async def test_of_a_further_side_one_after_the_other_is_called_until_somebody_is_reached(
    shared: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    async def answer(taken: Taken) -> web.Response:
        return web.Response(status=410 if taken.path == "/ana" else 200)

    receiver.answer = answer
    await declared(shared, "cart-api", "sev1")
    pat = Signed(Principal("pat", "person", ANA.scopes, ANA.auth_method), "incidents", clock)
    await shared.client.post("/v1/incidents/INC-1:acknowledge", auth=pat)

    sent = await notifications(shared, 1, incident="INC-1", person="bo")
    assert [(each["kind"], each["state"]) for each in sent] == [("page", "delivered")]
    state = await escalation(shared, "INC-1", state="held")
    assert [(person, side) for person, side, _ in called(state)][-2:] == [("ana", "dev"), ("bo", "dev")]
    assert "bo is called too (step 2 of checkout)" in {each["text"] for each in await timeline(shared, calls=True)}


async def test_what_becomes_critical_calls_sre_for_an_abandoned_service_after_the_developers(
    shared: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await declared(shared, "old-api", "sev2")
    await escalation(shared, "INC-1", next_step=2)
    clock.advance(timedelta(minutes=5))
    await escalation(shared, "INC-1", next_step=None)

    await raised(shared, "sev1")

    state = await escalation(shared, "INC-1", next_step=3)
    assert [each["person"] for each in state["called"]] == ["ana", "bo"]
    clock.advance(timedelta(minutes=10))
    sent = await notifications(shared, 3, incident="INC-1")
    assert [each["person"] for each in sent] == ["ana", "bo", "sam"]


async def test_what_nobody_took_on_calls_everybody_anew_when_it_becomes_severe(
    shared: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await declared(shared, "old-api", "sev3")
    await escalation(shared, "INC-1", next_step=2)
    clock.advance(timedelta(minutes=5))
    await escalation(shared, "INC-1", next_step=None)
    clock.advance(timedelta(minutes=10))
    await escalation(shared, "INC-1", state="spent")

    await raised(shared, "sev1")

    state = await escalation(shared, "INC-1", state="climbing")
    assert [each["person"] for each in state["called"]] == ["ana", "bo", "ana"]


async def test_what_is_reopened_and_forgotten_calls_again(
    shared: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await declared(shared, "cart-api", "sev3")
    await arrived(receiver, 1)
    for verb in ("acknowledge", "mitigate"):
        await shared.call("POST", f"/v1/incidents/INC-1:{verb}")
    await escalation(shared, "INC-1", state="ended")

    await shared.call("POST", "/v1/incidents/INC-1:reopen", {"reason": "it is back"})
    await escalation(shared, "INC-1", state="held")
    clock.advance(timedelta(minutes=30))

    state = await escalation(shared, "INC-1", state="climbing")
    assert [each["person"] for each in state["called"]] == ["sam", "sam"]
