import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from libs.events.applied import all_applied
from libs.events.bus import Bus
from libs.events.ledger import Batch
from libs.events.projector import Projector
from libs.events.testing import FrozenClock
from services.incidents.paging import finding
from tests.api.incidents.test_integrations import add, enqueue
from tests.fixtures.paging import (
    Receiver,
    Taken,
    arrived,
    calling,
    declared,
    escalation,
    notifications,
    owned,
    people,
    person,
    timeline,
    written,
)
from tests.fixtures.services import Database, Elsewhere, Running, eventually, memory_is_enough


async def test_one_after_the_other_is_called_until_somebody_takes_it_on(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await written(paging, repeat=1)
    incident = await declared(paging)

    await arrived(receiver, 1)
    assert [each.path for each in receiver.taken] == ["/ana"]
    begun = await escalation(paging, "INC-1", next_step=2)
    assert (begun["state"], begun["due"], begun["rounds"]) == ("climbing", "2026-11-21T10:05:00Z", 2)

    clock.advance(timedelta(minutes=5))
    await arrived(receiver, 2)
    assert [each.path for each in receiver.taken] == ["/ana", "/bo"]

    await paging.call("POST", f"/v1/incidents/{incident['id']}:acknowledge")
    await escalation(paging, "INC-1", state="held", held_by="ana")
    clock.advance(timedelta(hours=3))
    sent = await notifications(paging, 2, incident="INC-1")
    assert [(each["person"], each["state"], each["status"]) for each in sent] == [
        ("ana", "delivered", 200),
        ("bo", "delivered", 200),
    ]
    assert [each["outcome"] for each in sent[0]["attempts"]] == ["delivered"]
    assert len(receiver.taken) == 2


@memory_is_enough
async def test_an_address_that_was_set_while_the_old_one_answered_that_it_is_gone_stays_on(
    paging: Running, receiver: Receiver
) -> None:
    async def moved(taken: Taken) -> web.Response:
        reached = {"contact": {"webhook": f"{receiver.url}/new"}}
        await paging.call("PATCH", "/v1/people/ana", reached, If_Match="*")
        return web.Response(status=410)

    receiver.answer = moved
    await written(paging)
    await declared(paging)
    sent = await notifications(paging, 1, incident="INC-1", person="ana", state="failed")
    assert sent[0]["status"] == 410

    channels = (await paging.call("GET", "/v1/people/ana/channels"))["items"]
    assert [each["off"] for each in channels if each["kind"] == "webhook"] == [""]


@memory_is_enough
async def test_the_timeline_tells_who_was_called_and_what_they_were_sent(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    gone = [{"targets": [{"kind": "person", "name": "ana"}], "delay": "PT5M"}]
    await written(paging, steps=[*gone, {"targets": [{"kind": "person", "name": "bo"}], "delay": "PT5M"}])

    async def answer(taken: Taken) -> web.Response:
        return web.Response(status=410 if taken.path == "/ana" else 200)

    receiver.answer = answer
    await declared(paging)
    await notifications(paging, 2, incident="INC-1")
    link = json.loads(receiver.by("bo")[0].body)["data"]["acknowledge_url"].removeprefix("http://127.0.0.1:8080")
    clock.advance(timedelta(minutes=1))
    await paging.client.post(link, auth=None)
    await escalation(paging, "INC-1", state="held", held_by="bo")

    calls = await timeline(paging, calls=True)
    assert [(each["kind"], each["text"]) for each in calls] == [
        ("call", "no SRE team works for it: the developers are called"),
        ("call", "ana is called (step 1 of checkout)"),
        ("call", "what was sent did not arrive: bo is called (step 2 of checkout)"),
        ("message", "the call to ana by webhook failed: answered 410, it is gone: the channel is switched off"),
        ("message", "the call to bo by webhook arrived"),
    ]
    assert (await timeline(paging))[-1]["text"] == "acknowledged: by the link in a webhook message"


async def test_when_all_were_called_in_vain_the_owners_hear_of_it(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await written(paging, steps=[{"targets": [{"kind": "person", "name": "ana"}], "delay": "PT5M"}])
    await declared(paging)
    await arrived(receiver, 1)
    await escalation(paging, "INC-1", state="climbing")

    clock.advance(timedelta(minutes=5))

    await escalation(paging, "INC-1", state="spent")
    sent = await notifications(paging, 3, incident="INC-1")
    assert [(each["kind"], each["person"]) for each in sent] == [
        ("page", "ana"),
        ("exhausted", "ana"),
        ("exhausted", "bo"),
    ]
    assert "EVERYBODY WAS CALLED" in receiver.by("bo")[0].body.decode()


@memory_is_enough
async def test_a_webhook_is_signed_as_standard_webhooks_are(paging: Running, receiver: Receiver) -> None:
    await written(paging)
    await declared(paging)
    (taken, *_) = await arrived(receiver, 1)
    secret = (await paging.call("GET", "/v1/people/ana/channels"))["webhook_secret"]

    with time_machine.travel(datetime(2026, 11, 21, 10, tzinfo=UTC), tick=False):
        said = Webhook(secret).verify(taken.body, taken.headers)

    assert (said["type"], said["data"]["person"], said["data"]["number"]) == ("incident.page", "ana", "INC-1")


@memory_is_enough
async def test_who_knows_the_old_or_the_new_secret_accepts_what_is_sent_until_the_old_one_is_over(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    old = {name: (await paging.call("GET", f"/v1/people/{name}/channels"))["webhook_secret"] for name in ("ana", "bo")}
    asked = {"overlap": "PT5M", "reason": "it was in a log"}
    new = {name: await paging.call("POST", f"/v1/people/{name}/channels/webhook:rotate-secret", asked) for name in old}
    assert new["ana"] == {"webhook_secret": new["ana"]["webhook_secret"], "former_secret_until": "2026-11-21T10:05:00Z"}
    assert await paging.call("POST", "/v1/people/ana/channels/webhook:rotate-secret") == new["ana"]
    shown = await paging.call("GET", "/v1/people/ana/channels")
    assert new["ana"] == {name: shown[name] for name in new["ana"]}

    await written(paging)
    await declared(paging)
    await arrived(receiver, 1)
    clock.advance(timedelta(minutes=5))
    first, second = await arrived(receiver, 2)

    def accepts(secret: str, taken: Taken) -> bool:
        try:
            with time_machine.travel(int(taken.headers["webhook-timestamp"]), tick=False):
                Webhook(secret).verify(taken.body, taken.headers)
        except WebhookVerificationError:
            return False
        return True

    assert (accepts(old["ana"], first), accepts(new["ana"]["webhook_secret"], first)) == (True, True)
    assert (accepts(old["bo"], second), accepts(new["bo"]["webhook_secret"], second)) == (False, True)
    shown = await paging.call("GET", "/v1/people/ana/channels")
    assert shown["former_secret_until"] is None


@memory_is_enough
async def test_what_was_on_its_way_while_its_secret_was_rotated_is_signed_anew(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    new: list[str] = []

    async def rotated(taken: Taken) -> web.Response:
        if not new:
            said = await paging.call("POST", "/v1/people/ana/channels/webhook:rotate-secret")
            new.append(said["webhook_secret"])
            return web.Response(status=401)
        return web.Response(status=200)

    receiver.answer = rotated
    await written(paging)
    await declared(paging)

    async def refused() -> bool:
        items = (await paging.call("GET", "/v1/notifications?incident=INC-1"))["items"]
        return bool(items) and items[0]["status"] == 401

    await eventually(refused)
    clock.advance(timedelta(seconds=30))
    await notifications(paging, 1, incident="INC-1", person="ana", state="delivered")
    taken = receiver.by("ana")[-1]
    with time_machine.travel(int(taken.headers["webhook-timestamp"]), tick=False):
        Webhook(new[0]).verify(taken.body, taken.headers)


async def test_the_secret_of_a_team_is_rotated_where_it_has_a_webhook(paging: Running) -> None:
    missing = "/v1/teams/checkout/channels/webhook:rotate-secret"
    assert (await paging.call("POST", missing, expect=404))["code"] == "not-found"
    await paging.call("POST", "/v1/people/nobody/channels/webhook:rotate-secret", expect=404)
    await paging.call("PUT", "/v1/teams/checkout/channels/webhook", {"address": "http://localhost:9/team"})
    before = (await paging.call("GET", "/v1/teams/checkout/channels"))["webhook_secret"]

    after = await paging.call("POST", missing, {"overlap": "PT0S"})

    assert after["former_secret_until"] is None
    assert after["webhook_secret"] != before
    assert (await paging.call("GET", "/v1/teams/checkout/channels"))["webhook_secret"] == after["webhook_secret"]


@memory_is_enough
async def test_one_click_acknowledges_once_and_looking_does_not(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await written(paging)
    await declared(paging)
    (taken, *_) = await arrived(receiver, 1)
    link = json.loads(taken.body)["data"]["acknowledge_url"].removeprefix("http://127.0.0.1:8080")

    shown = await paging.client.get(link, auth=None)
    assert (shown.status_code, "<button" in shown.text) == (200, True)
    assert shown.headers["content-type"].startswith("text/html")
    assert (await paging.call("GET", "/v1/incidents/INC-1"))["state"] == "triage"

    done = await paging.client.post(link, auth=None)
    assert (done.status_code, "Acknowledged by ana" in done.text) == (200, True)
    incident = await paging.call("GET", "/v1/incidents/INC-1")
    assert (incident["state"], incident["acknowledged_by"]) == ("active", "ana")

    again = await paging.client.post(link, auth=None)
    assert (again.status_code, again.json()["code"]) == (410, "link-gone")
    forged = await paging.client.post(link[:-3] + "AAA", auth=None)
    assert (forged.status_code, forged.json()["code"]) == (410, "link-gone")
    clock.advance(timedelta(days=1))
    assert (await paging.client.get(link, auth=None)).status_code == 410


@memory_is_enough
async def test_nobody_on_call_is_said_loudly_and_the_incident_stays(paging: Running, receiver: Receiver) -> None:
    incident = await declared(paging)

    state = await escalation(paging, "INC-1", unassigned=True)

    assert "checkout has no escalation policy" in state["why"]
    assert (await paging.call("GET", f"/v1/incidents/{incident['id']}"))["state"] == "triage"
    sent = await notifications(paging, 2, incident="INC-1")
    assert [(each["kind"], each["person"]) for each in sent] == [("unassigned", "ana"), ("unassigned", "bo")]
    assert "NOBODY COULD BE CALLED" in receiver.taken[0].body.decode()


@memory_is_enough
@pytest.mark.parametrize("before", [(), ("di",)], ids=["alone", "beside another"])
async def test_who_joined_a_moment_before_is_called(
    paging: Running, receiver: Receiver, lifecycle: Elsewhere, before: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(paging, lifecycle, *before, team="desk", base=receiver.url)
    await written(paging, name="desk", team="desk", steps=[{"targets": [{"kind": "team", "name": "desk"}]}])
    await paging.call("PUT", "/v1/services/cart-api/escalation", {"dev": "desk"})
    shown, apply = asyncio.Event(), Projector.apply

    async def behind(self: Projector, batches: Sequence[Batch]) -> None:
        await shown.wait()
        await apply(self, batches)

    async def caught_up(*asked: Any, **more: Any) -> None:
        shown.set()
        await all_applied(*asked, **more)

    monkeypatch.setattr(Projector, "apply", behind)
    monkeypatch.setattr(finding, "all_applied", caught_up)

    cy = person("cy", "desk") | {"contact": {"webhook": f"{receiver.url}/cy"}}
    await paging.call("POST", "/v1/people", cy, expect=201)
    await declared(paging)

    try:
        await arrived(receiver, 1 + len(before))
    finally:
        shown.set()
    assert {each.path for each in receiver.taken} == {f"/{name}" for name in ("cy", *before)}


@memory_is_enough
async def test_outside_of_business_hours_a_step_is_passed_over_or_waits_until_they_begin(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    ana, bo = ({"targets": [{"kind": "person", "name": name}], "delay": "PT5M"} for name in ("ana", "bo"))
    office = ana | {"when": "business_hours"}
    hours = {"zone": "Europe/Madrid", "holidays": ["2026-11-23"]}  # it is Saturday, and Monday is one
    made = await written(paging, steps=[office, bo], hours=hours)
    assert made["hours"]["holidays"] == ["2026-11-23"]
    await declared(paging)
    await arrived(receiver, 1)
    assert [each.path for each in receiver.taken] == ["/bo"]
    assert "step 1 of checkout calls nobody: it is not taken now: outside of business hours" in str(
        await timeline(paging, calls=True)
    )
    await paging.call("POST", "/v1/incidents/INC-1:resolve")

    waiting = {"steps": [office | {"wait": True}, bo]}
    await paging.call("PATCH", "/v1/escalation-policies/checkout", waiting, if_match='"1"')
    tried = await paging.call("POST", "/v1/escalation-policies:dry-run", {"service": "cart-api"})
    assert [(each["at"], each["person"]) for each in tried["calls"]] == [
        ("2026-11-21T10:00:00Z", ""),
        ("2026-11-24T08:00:00Z", "ana"),
        ("2026-11-24T08:05:00Z", "bo"),
    ]
    await declared(paging)
    state = await escalation(paging, "INC-2", due="2026-11-24T08:00:00Z")
    assert (state["state"], state["called"]) == ("climbing", [])
    clock.advance(timedelta(hours=70))
    await arrived(receiver, 2)
    assert [each.path for each in receiver.taken] == ["/bo", "/ana"]


@memory_is_enough
async def test_a_step_that_waits_calls_who_is_on_call_next(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    rotation = {"name": "carts", "type": "daily", "start": "2026-11-20T00:00", "participants": ["ana"]}
    await paging.call("POST", "/v1/rotations", rotation, expect=201)
    sundays = {"days": ["sunday"], "start": "00:00", "end": "00:00"}  # it is Saturday
    layers = [{"name": "primary", "rotation": "carts", "restrictions": [sundays]}]
    await paging.call("POST", "/v1/schedules", {"name": "carts", "layers": layers}, expect=201)
    await written(paging, steps=[{"targets": [{"kind": "schedule", "name": "carts"}], "wait": True}])

    async def resolved() -> bool:
        sunday = {"service": "cart-api", "at": "2026-11-22T01:00:00Z"}
        tried = await paging.call("POST", "/v1/escalation-policies:dry-run", sunday)
        return tried["calls"][0]["person"] == "ana"

    await eventually(resolved)
    await declared(paging)
    await escalation(paging, "INC-1", state="climbing", due="2026-11-21T10:01:00Z")

    clock.advance(timedelta(hours=14))

    await arrived(receiver, 1)
    assert [each.path for each in receiver.taken] == ["/ana"]


@memory_is_enough
async def test_the_fallback_hears_of_what_nobody_can_be_called_for(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver, lifecycle: Elsewhere
) -> None:
    async with calling(database, bus, clock, receiver, lifecycle, paging_fallback="desk") as paging:
        await people(paging, lifecycle, "dee", team="desk", base=receiver.url)
        await written(paging, name="desk", team="desk", steps=[{"targets": [{"kind": "person", "name": "dee"}]}])
        tried = await paging.call("POST", "/v1/escalation-policies:dry-run", {"service": "cart-api"})
        await declared(paging)

        sent = await notifications(paging, 3, incident="INC-1")
        calls = await timeline(paging, calls=True)

    assert [(each["kind"], each["person"], each["state"]) for each in sent] == [
        ("unassigned", "dee", "delivered"),
        ("unassigned", "ana", "delivered"),
        ("unassigned", "bo", "delivered"),
    ]
    assert tried["told"] == ["person/dee", "person/ana", "person/bo"]
    assert "nobody could be called: " in calls[1]["text"]


@memory_is_enough
async def test_what_cannot_be_delivered_goes_on_to_the_next_step_at_once(paging: Running, receiver: Receiver) -> None:
    async def answer(taken: Taken) -> web.Response:
        return web.Response(status=410 if taken.path == "/ana" else 200)

    receiver.answer = answer
    await written(paging)
    await declared(paging)

    await arrived(receiver, 2)
    sent = await notifications(paging, 2, incident="INC-1")

    assert [(each["person"], each["state"], each["status"]) for each in sent] == [
        ("ana", "failed", 410),
        ("bo", "delivered", 200),
    ]

    async def off() -> Any:
        return (await paging.call("GET", "/v1/people/ana/channels"))["items"][0]["off"]

    assert "410" in await eventually(off)
    tried = await paging.call("POST", "/v1/escalation-policies:dry-run", {"service": "cart-api"})
    assert "ana has no channel that is switched on" in tried["calls"][0]["why"]
    await paging.call("POST", "/v1/people/ana/channels/webhook:switch-on")

    async def on() -> bool:
        return not await off()

    await eventually(on)


@memory_is_enough
async def test_an_acknowledgement_that_is_forgotten_calls_again_from_the_first_step(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await written(paging, acknowledgement_timeout="PT30M")
    await declared(paging)
    await arrived(receiver, 1)
    await paging.call("POST", "/v1/incidents/INC-1:acknowledge")
    await escalation(paging, "INC-1", state="held")

    clock.advance(timedelta(minutes=20))
    await paging.call("POST", "/v1/incidents/INC-1:identify")
    await escalation(paging, "INC-1", due="2026-11-21T10:50:00Z")
    clock.advance(timedelta(minutes=30))

    await arrived(receiver, 2)
    assert [each.path for each in receiver.taken] == ["/ana", "/ana"]


@memory_is_enough
async def test_who_is_called_again_acknowledges_again(paging: Running, receiver: Receiver, clock: FrozenClock) -> None:
    await written(paging, acknowledgement_timeout="PT30M")
    await declared(paging)
    await arrived(receiver, 1)
    await paging.call("POST", "/v1/incidents/INC-1:acknowledge")
    await escalation(paging, "INC-1", state="held")
    clock.advance(timedelta(minutes=30))
    await arrived(receiver, 2)
    link = json.loads(receiver.taken[1].body)["data"]["acknowledge_url"].removeprefix("http://127.0.0.1:8080")

    await paging.client.post(link, auth=None)

    assert (await escalation(paging, "INC-1", state="held"))["due"] == "2026-11-21T11:00:00Z"
    clock.advance(timedelta(minutes=29))
    await paging.call("POST", "/v1/incidents/INC-1/updates", {"text": "We look."}, expect=201)
    await escalation(paging, "INC-1", state="held", due="2026-11-21T11:29:00Z")


@memory_is_enough
async def test_who_clicks_later_reads_who_took_it_on(paging: Running, receiver: Receiver) -> None:
    both = [{"targets": [{"kind": "person", "name": name} for name in ("ana", "bo")]}]
    await written(paging, steps=both)
    await declared(paging)
    await arrived(receiver, 2)
    first, second = (
        json.loads(receiver.by(name)[0].body)["data"]["acknowledge_url"].removeprefix("http://127.0.0.1:8080")
        for name in ("bo", "ana")
    )
    await paging.client.post(first, auth=None)

    shown = await paging.client.post(second, auth=None)

    assert "Acknowledged by ana. bo took it on before." in shown.text
    await escalation(paging, "INC-1", state="held", held_by="bo")


@memory_is_enough
async def test_one_whose_channel_hangs_holds_up_nobody_else(
    database: Database,
    bus: Bus,
    clock: FrozenClock,
    receiver: Receiver,
    lifecycle: Elsewhere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.incidents.paging.sender._AT_ONCE", {"high": 1, "low": 1})
    over = asyncio.Event()

    async def answer(taken: Taken) -> web.Response:
        if taken.path == "/ana":
            await over.wait()
        return web.Response()

    receiver.answer = answer
    async with calling(database, bus, clock, receiver, lifecycle, outbound_timeout_s=60) as paging:
        both = [{"targets": [{"kind": "person", "name": name} for name in ("ana", "bo")]}]
        await written(paging, steps=both)
        await declared(paging)
        (sent,) = await notifications(paging, 1, person="bo")
        assert sent["state"] == "delivered"
        over.set()


@memory_is_enough
async def test_a_channel_that_asks_for_patience_gets_it_and_the_next_step_is_taken(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    async def answer(taken: Taken) -> web.Response:
        tries = len(receiver.by("ana"))
        return web.Response(status=429 if taken.path == "/ana" and tries == 1 else 200, headers={"Retry-After": "120"})

    receiver.answer = answer
    await written(paging)
    await declared(paging)
    await notifications(paging, 1, person="bo")

    (waits,) = (await paging.call("GET", "/v1/notifications?person=ana"))["items"]
    assert (waits["state"], waits["next_attempt_at"]) == ("pending", "2026-11-21T10:02:00Z")
    clock.advance(timedelta(minutes=2))
    assert (await notifications(paging, 1, person="ana"))[0]["state"] == "delivered"


@memory_is_enough
async def test_who_was_called_rates_the_call(paging: Running, receiver: Receiver) -> None:
    await written(paging)
    await declared(paging)
    await arrived(receiver, 1)
    (call,) = (await escalation(paging, "INC-1"))["called"]

    rated = {"page": call["page"], "rating": "noise", "reason": "it cleared by itself"}
    answer = await paging.call("POST", "/v1/incidents/INC-1:rate-page", rated)

    assert answer == {"page": call["page"], "rating": "noise"}
    assert (await escalation(paging, "INC-1"))["called"][0]["rating"] == "noise"
    unknown = await paging.call("POST", "/v1/incidents/INC-1:rate-page", rated | {"page": "x"}, expect=404)
    assert unknown["code"] == "not-found"


@memory_is_enough
async def test_the_owner_of_what_is_being_built_is_told_quietly(
    paging: Running, lifecycle: Elsewhere, receiver: Receiver, clock: FrozenClock
) -> None:
    await written(paging)
    await owned(paging, lifecycle, "new-api", phase="active_development")
    await declared(paging, "new-api", "sev1")

    sent = await notifications(paging, 1, incident="INC-1")
    clock.advance(timedelta(hours=1))

    assert [(each["kind"], each["person"], each["urgency"]) for each in sent] == [("notice", "ana", "low")]
    state = await escalation(paging, "INC-1")
    assert (state["quiet"], state["state"]) == (True, "spent")
    assert len(receiver.taken) == 1


@memory_is_enough
async def test_what_is_told_quietly_waits_for_nobody(paging: Running, lifecycle: Elsewhere, receiver: Receiver) -> None:
    later = {"targets": [{"kind": "person", "name": "ana"}], "when": "business_hours", "wait": True}  # it is Saturday
    await written(paging, steps=[later])
    await owned(paging, lifecycle, "new-api", phase="active_development")
    await declared(paging, "new-api", "sev3")

    await arrived(receiver, 2)
    state = await escalation(paging, "INC-1", state="spent")
    assert (state["unassigned"], sorted(each.path for each in receiver.taken)) == (True, ["/ana", "/bo"])


@memory_is_enough
async def test_the_owner_of_what_is_being_built_is_told_quietly_without_a_policy_too(
    paging: Running, lifecycle: Elsewhere, receiver: Receiver
) -> None:
    await owned(paging, lifecycle, "new-api", phase="architecture_and_design")
    await declared(paging, "new-api", "sev1")

    sent = await notifications(paging, 2, incident="INC-1")
    await arrived(receiver, 2)

    assert {(each["kind"], each["urgency"]) for each in sent} == {("notice", "low")}
    assert "nobody is called" in json.loads(receiver.taken[0].body)["data"]["text"]
    assert (await escalation(paging, "INC-1"))["state"] == "spent"


@memory_is_enough
async def test_a_team_has_channels_that_hear_what_nobody_is_called_for(paging: Running, receiver: Receiver) -> None:
    path = "/v1/teams/checkout/channels/slack"
    wrong = await paging.call("PUT", path, {"address": "checkout@example.com"}, expect=422)
    assert wrong["errors"][0]["pointer"] == "/address"
    answer = await paging.client.put(path, json={"address": f"{receiver.url}/team"})
    token = {"Consistency-Token": answer.headers["Consistency-Token"]}
    listed = await paging.call("GET", "/v1/teams/checkout/channels", **token)
    assert listed["items"] == [{"kind": "slack", "off": ""}]

    await declared(paging)
    await arrived(receiver, 3)

    text = json.loads(receiver.by("team")[0].body)["text"]
    assert text.startswith("*INC-1 sev3 cart-api: Carts fail*")
    await paging.call("DELETE", path)
    assert (await paging.call("DELETE", path, expect=404))["code"] == "not-found"


async def test_who_is_on_call_is_called_in_their_shift_and_who_shadows_them_sees_it(
    paging: Running, receiver: Receiver
) -> None:
    rotation = {"name": "carts", "type": "daily", "start": "2026-11-20T00:00"}
    await paging.call("POST", "/v1/rotations", rotation | {"participants": ["ana"]}, expect=201)
    await paging.call("POST", "/v1/rotations", rotation | {"name": "new", "participants": ["bo"]}, expect=201)
    layers = [{"name": "primary", "rotation": "carts"}, {"name": "learns", "rotation": "new", "shadow": True}]
    await paging.call("POST", "/v1/schedules", {"name": "carts", "layers": layers}, expect=201)
    await written(paging, steps=[{"targets": [{"kind": "schedule", "name": "carts"}]}])

    async def resolved() -> bool:
        tried = await paging.call("POST", "/v1/escalation-policies:dry-run", {"service": "cart-api"})
        rotations = await paging.call("GET", "/v1/rotations")
        return not tried["unassigned"] and len(rotations["items"]) == 2

    await eventually(resolved)
    await declared(paging)

    sent = await notifications(paging, 2, incident="INC-1")
    assert [(each["kind"], each["person"]) for each in sent] == [("page", "ana"), ("notice", "bo")]
    (call,) = (await escalation(paging, "INC-1"))["called"]
    assert (call["schedule"], call["shift"].startswith("carts.primary.ana")) == ("carts", True)


@memory_is_enough
async def test_further_alerts_and_who_is_asked_to_help_are_told(paging: Running, receiver: Receiver) -> None:
    await written(paging)
    await declared(paging)
    await arrived(receiver, 1)
    await escalation(paging, "INC-1", state="climbing")

    await paging.call("POST", "/v1/incidents/INC-1/responders", {"person": "bo", "reason": "you know carts"})

    sent = await notifications(paging, 2, incident="INC-1")
    assert [(each["kind"], each["person"]) for each in sent] == [("page", "ana"), ("asked", "bo")]
    assert "ana asks you to help. you know carts" in receiver.by("bo")[0].body.decode()


@memory_is_enough
async def test_who_took_it_on_hears_of_further_alerts_also_when_it_is_mitigated(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await written(paging)
    key = await add(paging, service="cart-api")
    await enqueue(paging, key, dedup_key="first")
    await arrived(receiver, 1)
    await paging.call("POST", "/v1/incidents/INC-1:acknowledge")
    await escalation(paging, "INC-1", state="held")
    await enqueue(paging, key, dedup_key="second")
    await arrived(receiver, 2)
    await paging.call("POST", "/v1/incidents/INC-1:mitigate")
    await escalation(paging, "INC-1", state="ended")
    clock.advance(timedelta(minutes=5))

    await enqueue(paging, key, dedup_key="third")

    sent = await notifications(paging, 3, incident="INC-1")
    assert [(each["kind"], each["person"]) for each in sent] == [
        ("page", "ana"),
        ("more-alerts", "ana"),
        ("more-alerts", "ana"),
    ]


@memory_is_enough
async def test_a_further_alert_of_what_nobody_has_calls_anew(
    paging: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await written(paging, steps=[{"targets": [{"kind": "person", "name": "ana"}], "delay": "PT5M"}])
    key = await add(paging, service="cart-api")
    await enqueue(paging, key, dedup_key="first")
    await arrived(receiver, 1)
    clock.advance(timedelta(minutes=5))
    await escalation(paging, "INC-1", state="spent")
    clock.advance(timedelta(minutes=5))

    await enqueue(paging, key, dedup_key="second")

    state = await escalation(paging, "INC-1", state="climbing")
    assert [each["person"] for each in state["called"]] == ["ana", "ana"]
    assert "a further alert fires, and nobody has it: ana is called" in str(await timeline(paging, calls=True))


@memory_is_enough
async def test_the_owners_hear_of_further_alerts_when_a_machine_took_it_on(paging: Running, receiver: Receiver) -> None:
    await written(paging)
    key = await add(paging, service="cart-api")
    await enqueue(paging, key, dedup_key="first")
    await arrived(receiver, 1)
    await enqueue(paging, key, "acknowledge", dedup_key="first")
    await escalation(paging, "INC-1", state="held", held_by="pd")

    await enqueue(paging, key, dedup_key="second")

    sent = await notifications(paging, 3, incident="INC-1")
    told = {each["person"] for each in sent if each["kind"] == "more-alerts"}
    assert told == {"ana", "bo"}


@memory_is_enough
async def test_what_woke_people_for_nothing_is_counted_by_rule_and_told_with_the_week(
    paging: Running, lifecycle: Elsewhere, receiver: Receiver, clock: FrozenClock
) -> None:
    await written(paging)
    await declared(paging)
    await arrived(receiver, 1)
    (call,) = (await escalation(paging, "INC-1"))["called"]
    await paging.call("POST", "/v1/incidents/INC-1:rate-page", {"page": call["page"], "rating": "noise"})

    async def counted() -> Any:
        report = await paging.call("GET", "/v1/noise-report?service=cart-api")
        return [each for each in report["items"] if each["noise"]]

    (rule,) = await eventually(counted)
    assert rule == {"service": "cart-api", "rule": "declared by people", "pages": 1, "actionable": 0, "noise": 1}

    clock.advance(timedelta(days=1))
    digest = {"team": "checkout", "subject": "Checkout, 2026-W48", "text": "# Nothing waits", "at": clock.now()}
    await lifecycle.says("digest.compiled", "digest/checkout.2026-W48", **digest)

    async def told() -> list[dict[str, Any]]:
        answer = await paging.client.get("/v1/notifications", params={"state": "delivered"})
        return [each for each in answer.json()["items"] if each["kind"] == "digest"]

    await eventually(told)
    (text,) = {json.loads(each.body)["data"]["text"] for each in receiver.taken if b"W48" in each.body}
    assert "# Nothing waits" in text
    assert "1 of 1 calls were noise" in text


@memory_is_enough
async def test_alerts_of_low_urgency_are_told_together_the_next_morning(
    paging: Running, slo: Elsewhere, receiver: Receiver, clock: FrozenClock
) -> None:
    for name in ("ana", "bo"):  # ten o'clock is five there
        await paging.call("PATCH", f"/v1/people/{name}", {"zone": "America/New_York"}, if_match='"1"')

    async def moved() -> bool:
        people = (await paging.call("GET", "/v1/people"))["items"]
        return {each["zone"] for each in people} == {"America/New_York"}

    await eventually(moved)
    for number in range(3):
        burn = {"short_window": "6h", "long_window": "3d", "burn_rate_long": 1.5, "severity": "ticket"}
        said = {"alert": f"a{number}", "slo": f"carts-{number}", "service": "cart-api", "at": clock.now()} | burn
        await slo.says("alert.fired", f"budget/carts-{number}", **said)

    async def stored() -> bool:
        return sum(each.stream.startswith("alert/") for each in await paging.resources.store.read(0, 1000)) == 3

    await eventually(stored)
    assert receiver.taken == []
    clock.advance(timedelta(hours=3))

    sent = await notifications(paging, 2)
    assert [(each["kind"], each["person"], each["urgency"]) for each in sent] == [
        ("digest", "ana", "low"),
        ("digest", "bo", "low"),
    ]
    assert "3 alerts of low urgency" in sent[0]["subject"]
