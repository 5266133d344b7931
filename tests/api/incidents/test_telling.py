"""What is no call reaches people through the same channels, once, and what can wait together."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from libs.events.bus import Bus
from libs.events.envelope import Context, Recorded
from libs.events.ids import new_id
from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from services.incidents.config import IncidentsSettings
from services.incidents.contract import CONTRACT
from services.incidents.domain.action.events import ActionReminded
from services.incidents.paging.telling import NAME, Telling
from services.incidents.projections.notifications import due
from services.incidents.projections.surroundings import dependents_of
from tests.fixtures.paging import Receiver, declared, notifications, owned, people, person, receiving
from tests.fixtures.services import ANA, Database, Elsewhere, Running, Signed, eventually, memory_is_enough, running

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TASK: dict[str, Any] = {
    "source": {"kind": "finding", "id": "019aa5f0-1c00-7b20-8a3b-5d6e7f809abc"},
    "service": "cart-api",
    "owner": "kei",
    "type": "prevent",
    "priority": "P0",
}


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def incidents(
    database: Database, bus: Bus, clock: FrozenClock, lifecycle: Elsewhere, receiver: Receiver
) -> AsyncGenerator[Running]:
    """Incidents, a team of Ana, who asks for everything, and Bo, with webhooks, and a service of theirs."""
    async with running("incidents", database, bus=bus, clock=clock, outbound_private=True) as incidents:
        await people(incidents, lifecycle, "ana", "bo", base=receiver.url)
        await owned(incidents, lifecycle, "cart-api")
        yield incidents


async def held(incidents: Running, *subjects: str) -> dict[str, Any]:
    """The one notification that waits with this subject, or one of them."""

    async def found() -> list[dict[str, Any]]:
        items = (await incidents.call("GET", "/v1/notifications?state=pending"))["items"]
        return [each for each in items if each["subject"] in subjects]

    (one,) = await eventually(found)
    return one


async def on_call(incidents: Running, clock: FrozenClock, *schedules: str) -> None:
    """Bo and Ana take turns by the day, in each of the schedules."""
    rotation = {"name": "carts", "type": "daily", "start": "2026-11-21T00:00", "participants": ["bo", "ana"]}
    await incidents.call("POST", "/v1/rotations", rotation, expect=201)
    clock.advance(timedelta(seconds=1))
    layers = [{"name": "primary", "rotation": "carts"}]
    for name in schedules:
        body = {"name": name, "services": ["cart-api"], "layers": layers}
        await incidents.call("POST", "/v1/schedules", body, expect=201)


@memory_is_enough
async def test_shifts_that_change_at_once_are_one_message_to_who_did_not_change_them(
    incidents: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    await incidents.call("PATCH", "/v1/people/bo", {"zone": "Europe/Madrid"}, If_Match="*")
    await on_call(incidents, clock, "checkout", "search")

    # both happen in one moment, so that either may be heard first
    waits = await held(incidents, *(f"{name}: your shifts change (and 1 more)" for name in ("checkout", "search")))
    assert (waits["person"], waits["kind"], waits["urgency"]) == ("bo", "shifts", "low")
    assert waits["next_attempt_at"] == "2026-11-21T10:06:00Z"
    assert receiver.taken == []
    clock.advance(6 * MINUTE)

    (sent,) = await notifications(incidents, 1)
    assert (sent["state"], len(sent["attempts"])) == ("delivered", 1)
    (taken,) = receiver.by("bo")
    said = json.loads(taken.body)
    assert said["type"] == "incident.shifts"
    assert [f"In {name}, by ana." in said["data"]["text"] for name in ("checkout", "search")] == [True, True]
    by_utc, by_bos_clocks = "Sat 21 Nov 10:00 to Sun 22 Nov 00:00 UTC", "Sat 21 Nov 11:00 to Sun 22 Nov 01:00"
    assert f"You are on call: {by_utc} ({by_bos_clocks} Europe/Madrid)\n" in said["data"]["text"]
    assert "GET http://127.0.0.1:8080/v1/schedules/search/shifts" in said["data"]["text"]


async def test_reminders_come_together_in_the_morning_of_who_owes_it_and_hearing_twice_tells_once(
    incidents: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    kei = person("kei", "checkout") | {"zone": "Asia/Tokyo", "contact": {"webhook": f"{receiver.url}/kei"}}
    await incidents.call("POST", "/v1/people", kei, expect=201)
    titles = [f"Cap the retries of client {number:02}" for number in range(20)]
    for title in titles:
        await incidents.call("POST", "/v1/actions", TASK | {"title": title}, expect=201)
    clock.advance(4 * DAY)  # three days before they are due

    async def reminded() -> list[dict[str, Any]]:
        items = (await incidents.call("GET", "/v1/notifications?state=pending"))["items"]
        return [each for each in items if each["subject"].endswith("(and 19 more)")]

    (waits,) = await eventually(reminded)
    assert (waits["person"], waits["next_attempt_at"]) == ("kei", "2026-11-25T23:00:00Z")  # eight in Tokyo
    facts = await heard(incidents, ActionReminded)
    for now in (clock.now(), clock.now() - DAY):  # nor when the clock is set back
        assert (await incidents.resources.views.read(due, now, 10))[0] == []
    others = [msgspec.structs.replace(each, event_id=new_id()) for each in facts]
    await hear(incidents, facts + others, clock)
    clock.advance(13 * HOUR)

    (sent,) = await notifications(incidents, 1)
    assert (sent["kind"], sent["urgency"], sent["service"]) == ("reminder", "low", "cart-api")
    await hear(incidents, facts + others, clock)
    assert len((await incidents.call("GET", "/v1/notifications"))["items"]) == 1
    (taken,) = receiver.by("kei")
    text = json.loads(taken.body)["data"]["text"]
    assert text.count("is due on 2026-11-28") == 2 * len(titles)
    assert all(title in text for title in titles)

    anew = [msgspec.structs.replace(each, event_id=new_id()) for each in facts]
    clock.advance(2 * DAY)
    await hear(incidents, anew, clock)  # of long ago, as when a log is read from its beginning
    assert len((await incidents.call("GET", "/v1/notifications"))["items"]) == 1


@memory_is_enough
async def test_what_is_done_by_the_morning_is_reminded_of_no_more(
    incidents: Running, receiver: Receiver, clock: FrozenClock
) -> None:
    made: dict[str, str] = {}
    for title, owner in (("Cap the retries", "ana"), ("Limit the queue", "ana"), ("Alert on it", "bo")):
        action = await incidents.call("POST", "/v1/actions", TASK | {"title": title, "owner": owner}, expect=201)
        made[title] = action["id"]
    clock.advance(4 * DAY)  # three days before they are due

    async def reminded() -> list[dict[str, Any]] | None:
        items = (await incidents.call("GET", "/v1/notifications?state=pending"))["items"]
        both = {each["person"] for each in items if each["person"] == "bo" or each["subject"].endswith("(and 1 more)")}
        return items if both == {"ana", "bo"} else None

    await eventually(reminded)
    for title in ("Cap the retries", "Alert on it"):
        await incidents.call("POST", f"/v1/actions/{made[title]}:complete")
    clock.advance(DAY)

    sent = {each["person"]: each for each in await notifications(incidents, 2)}
    assert (sent["ana"]["state"], sent["bo"]["state"]) == ("delivered", "withdrawn")
    assert sent["bo"]["detail"] == "it is done, or owed otherwise by now"
    (taken,) = receiver.taken
    said = json.loads(taken.body)["data"]
    assert (said["subject"], "Cap" in said["text"]) == ("Due on 2026-11-28: Limit the queue", False)


async def heard(incidents: Running, kind: type[Any]) -> list[Recorded]:
    """The facts of that kind in the log."""
    name = CONTRACT.name_of(kind)
    return [each for each in await incidents.resources.store.read(0, 10_000) if each.type == name]


async def hear(incidents: Running, facts: list[Recorded], clock: FrozenClock) -> None:
    """Act on what was acted on before, as a process does that died before it said so."""
    (reaction,) = Telling(incidents.resources, IncidentsSettings()).reactor.reactions

    async def act(fact: Recorded) -> None:
        event = reaction.events.decode(fact)
        await reaction.act[type(event)](event, fact, Context.of_reaction(fact, NAME, clock.now()))

    await asyncio.gather(*map(act, facts))  # side by side, as a reactor does


@memory_is_enough
async def test_who_must_act_is_told_of_a_hand_over_a_review_and_a_role(
    incidents: Running, receiver: Receiver, clock: FrozenClock, lifecycle: Elsewhere
) -> None:
    await people(incidents, lifecycle, "cy", base=receiver.url)
    await on_call(incidents, clock, "checkout")
    await held(incidents, "checkout: your shifts change")
    number = (await declared(incidents))["number"]

    bo = Signed(Principal("bo", "person", ANA.scopes, ANA.auth_method), "incidents", clock)
    note = {"note": "Watch the queue."}
    answer = await incidents.client.post("/v1/schedules/checkout/handoffs", json=note, auth=bo)
    assert answer.status_code == 201, answer.text
    waits = await held(incidents, "checkout: bo hands over to you")
    assert (waits["person"], waits["kind"], waits["urgency"]) == ("ana", "asked", "low")

    paper = await incidents.call("POST", "/v1/postmortems", {"incident": number}, expect=201)
    reviewers = {"reviewers": [{"person": "cy", "side": "product"}]}
    await incidents.call("POST", f"/v1/postmortems/{paper['id']}:submit", reviewers)
    named = await held(incidents, f"{number}: review the postmortem")
    assert (named["person"], named["number"]) == ("cy", number)

    path = f"/v1/incidents/{number}/roles"
    await incidents.call("POST", path, {"role": "operations"})
    await incidents.call("POST", f"{path}/operations:hand-over", {"to": "bo", "reason": "lunch"})

    async def asked() -> list[Any]:
        return [each for each in receiver.by("bo") if b"take the role operations. lunch" in each.body]

    assert len(await eventually(asked)) == 1  # of high urgency, so that it does not wait


@memory_is_enough
async def test_an_update_goes_to_the_teams_of_what_is_affected_and_says_which(
    incidents: Running, receiver: Receiver, clock: FrozenClock, lifecycle: Elsewhere
) -> None:
    for team in ("checkout", "search", "payment", "idle"):
        await lifecycle.says("team.registered", f"team/{team}", team=team)
    await owned(incidents, lifecycle, "search-api", owner_team="search")
    await owned(incidents, lifecycle, "payment-api", owner_team="payment")
    on = {"on": "search-api", "criticality": "hard", "failure_behaviour": "fails"}
    await lifecycle.says("dependency.declared", "service/payment-api", service="payment-api", **on)
    for team in ("search", "payment", "idle"):
        path, address = f"/v1/teams/{team}/channels/slack", {"address": f"{receiver.url}/{team}"}

        async def known(path: str = path, address: dict[str, str] = address) -> bool:
            return (await incidents.client.put(path, json=address)).status_code == 200

        await eventually(known)

    async def depends() -> list[str]:
        return await incidents.resources.views.read(dependents_of, ["search-api"])

    assert await eventually(depends) == ["payment-api"]
    number = (await declared(incidents))["number"]
    affected = {"affected_services": [{"service": "search-api"}]}
    await incidents.call("PATCH", f"/v1/incidents/{number}", affected, If_Match='"1"')

    path = f"/v1/incidents/{number}/updates"
    posted = await incidents.call("POST", path, {"text": "The release before is back."}, expect=201)
    assert posted["told"] == []

    async def told() -> list[dict[str, Any]] | None:
        (item,) = (await incidents.call("GET", path))["items"]
        return item["told"] if item["told"] and all(each["state"] == "delivered" for each in item["told"]) else None

    assert await eventually(told) == [
        {"team": "search", "channel": "slack", "state": "delivered"},
        {"team": "payment", "channel": "slack", "state": "delivered"},
    ]
    (taken,) = receiver.by("search")
    assert "The release before is back." in json.loads(taken.body)["text"]
    assert receiver.by("idle") == []
