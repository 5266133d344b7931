"""A schedule as a calendar feed: what an iCalendar library reads is what the resolver says."""

import asyncio
from typing import Any

import pytest
from icalendar import Calendar

from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from services.incidents.api import calendars, rosters
from tests.fixtures.on_call import HOUR, scheduled, staffed
from tests.fixtures.services import Running, memory_is_enough

FEED = "/v1/schedules/checkout/calendar.ics"


async def read(incidents: Running, path: str = FEED) -> tuple[bytes, list[Any]]:
    """The feed, and its entries as a library reads them."""
    answer = await incidents.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/calendar")
    return answer.content, list(Calendar.from_ical(answer.content).walk("VEVENT"))


@memory_is_enough
async def test_the_feed_opens_in_a_library_and_equals_the_schedule(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(
        incidents, display_name="Checkout: Kasse, Körbe und alles, was dazu gehört, an allen Tagen der Woche"
    )
    await incidents.call("POST", "/v1/schedules/checkout:take", {"person": "dora"}, expect=201)

    content, events = await read(incidents)

    since, until = "2026-10-24T10:00:01Z", "2027-02-19T10:00:01Z"
    shifts = (await incidents.call("GET", f"/v1/schedules/checkout/shifts?from={since}&until={until}"))["shifts"]
    told = [
        (f"{e.start:%Y-%m-%dT%H:%M:%SZ}", f"{e.end:%Y-%m-%dT%H:%M:%SZ}", str(e["summary"]).split()[0]) for e in events
    ]
    assert told == [(each["start"], each["end"], each["person"]) for each in shifts]
    assert len({str(each["uid"]) for each in events}) == len(events)
    lines = content.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert any(line.startswith(b" ") for line in lines)  # folded
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert await read(incidents) == (content, events)


@memory_is_enough
async def test_an_entry_stays_the_same_when_somebody_else_takes_it_and_says_that_it_is_newer(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    _, before = await read(incidents)
    clock.advance(HOUR)
    whole = {"person": "dora", "replaces": "bo", "start": "2026-11-22T00:00:00Z", "end": "2026-11-23T00:00:00Z"}
    await incidents.call("POST", "/v1/schedules/checkout/overrides", whole, expect=201)

    _, after = await read(incidents)

    assert [str(each["uid"]) for each in after] == [str(each["uid"]) for each in before]
    assert after[1]["summary"].startswith("dora")
    newer = [number for number, each in enumerate(after) if each["sequence"] != before[number]["sequence"]]
    assert newer == [0, 1, 2]  # those that it touches
    assert after[1]["sequence"] - before[1]["sequence"] == 3600
    _, hers = await read(incidents, f"{FEED}?person=dora")
    assert [str(each["uid"]) for each in hers] == [str(after[1]["uid"])]


@memory_is_enough
async def test_a_private_address_needs_no_key_and_leads_nowhere_once_it_is_renewed(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    first = (await incidents.call("POST", "/v1/schedules/checkout:renew-calendar", expect=201))["path"]
    incidents.client.auth = None

    content, _ = await read(incidents, first)

    assert (await incidents.client.get(first)).headers["etag"]
    log = await incidents.resources.store.load("schedule/checkout")
    token = first.rpartition("/")[2].removesuffix(".ics").encode()
    assert not any(token in each.data for each in log)
    assert (await incidents.client.get(FEED)).status_code == 401
    assert (await incidents.client.get("/v1/calendars/guessed.ics")).status_code == 404
    assert content


@memory_is_enough
async def test_of_two_addresses_that_are_made_at_once_one_leads_nowhere(
    incidents: Running, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    both, arrived = asyncio.Event(), iter((False, True))

    async def seen_by_both(resources: Resources, schedule: str) -> Any:
        seen = await rosters.scheduled(resources, schedule)
        if next(arrived, False):
            both.set()
        await both.wait()
        return seen

    monkeypatch.setattr(calendars, "scheduled", seen_by_both)

    async def renewed() -> str:
        return str((await incidents.call("POST", "/v1/schedules/checkout:renew-calendar", expect=201))["path"])

    paths = await asyncio.gather(renewed(), renewed())

    answers = [(await incidents.client.get(path)).status_code for path in paths]
    assert sorted(answers) == [200, 404]


@memory_is_enough
async def test_the_address_before_leads_nowhere(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    first, second = [
        (await incidents.call("POST", "/v1/schedules/checkout:renew-calendar", expect=201))["path"] for _ in range(2)
    ]
    clock.advance(HOUR)
    assert (await incidents.client.get(first)).status_code == 404
    assert (await incidents.client.get(second)).status_code == 200


@memory_is_enough
async def test_what_was_cancelled_is_gone_and_whose_shift_it_was_is_back(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    _, before = await read(incidents)
    cover = {"person": "dora", "start": "2026-11-23T06:00:00Z", "end": "2026-11-23T09:00:00Z"}
    made = await incidents.call("POST", "/v1/schedules/checkout/overrides", cover, expect=201)
    _, covered = await read(incidents)
    assert len([each for each in covered if each["summary"].startswith("dora")]) == 1

    clock.advance(HOUR)
    await incidents.call("POST", f"/v1/schedules/checkout/overrides/{made['id']}:cancel")

    _, after = await read(incidents)
    assert [(str(each["uid"]), str(each["summary"])) for each in after] == [
        (str(each["uid"]), str(each["summary"])) for each in before
    ]
    assert after[0]["sequence"] == covered[0]["sequence"]
    assert after[2]["sequence"] > covered[2]["sequence"]  # the one that was cut
    assert after[2]["dtstamp"].dt - covered[2]["dtstamp"].dt >= HOUR
    assert all("status" not in each for each in after)
