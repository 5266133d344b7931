"""People: described by label in the log, reached by rows that can be erased."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from libs.events.store import Timer
from libs.events.timers import timer_context
from services.incidents.config import IncidentsSettings, load_on_call
from services.incidents.contract import PERSON
from services.incidents.on_call.changes import ERASING
from services.incidents.on_call.due import on_call_timers
from services.incidents.projections.contacts import CONTACTS, read_contact, write_contact
from services.incidents.projections.people import contact_of, person_of
from tests.fixtures.services import Running, eventually, memory_is_enough

ANA: dict[str, Any] = {
    "name": "ana",
    "display_name": "Ana",
    "team": "checkout",
    "side": "dev",
    "zone": "Europe/Berlin",
    "contact": {"email": "ana@example.com"},
}


async def test_a_person_is_registered_changed_by_a_merge_patch_and_found(incidents: Running) -> None:
    await incidents.call("POST", "/v1/people", ANA, expect=201)
    patch = {"contact": {"phone": "+4930123456"}, "site": "berlin"}

    changed = await incidents.call("PATCH", "/v1/people/ana", patch, if_match='"1"')

    assert changed["contact"] == {"email": "ana@example.com", "phone": "+4930123456", "slack": "", "webhook": ""}
    assert changed == await incidents.call("GET", "/v1/people/ana")

    async def seen() -> bool:
        person = await incidents.resources.views.read(person_of, "ana")
        return person is not None and person.site == "berlin"

    await eventually(seen)
    contact = await incidents.resources.views.read(contact_of, "ana")
    assert contact is not None
    assert (contact.email, contact.phone) == ("ana@example.com", "+4930123456")
    assert (await incidents.call("GET", "/v1/people?team=checkout"))["items"] == [changed]


async def test_who_is_erased_leaves_the_label_and_nothing_else(incidents: Running) -> None:
    await incidents.call("POST", "/v1/people", ANA, expect=201)

    erased = await incidents.call("DELETE", "/v1/people/ana")

    assert (erased["name"], erased["display_name"], erased["active"]) == ("ana", "ana", False)
    assert not erased["contact"]["email"]
    assert erased == await incidents.call("DELETE", "/v1/people/ana")
    rows = await incidents.resources.views.read(lambda connection: connection.execute(select(CONTACTS)).all())
    assert rows == []
    log = await incidents.resources.store.load(PERSON.stream("ana"))
    assert not any(b"example.com" in each.data or b"Ana" in each.data for each in log)
    refused = await incidents.call("PATCH", "/v1/people/ana", {"site": "x"}, expect=409, if_match="*")
    assert refused["code"] == "illegal-transition"


@memory_is_enough
async def test_what_a_process_that_died_did_not_erase_is_erased_when_its_timer_fires(incidents: Running) -> None:
    views, clock = incidents.resources.views, incidents.resources.clock
    await views.write(write_contact, "left-over", "ana", {"display_name": "Ana"})
    timer = Timer("person-erase/ana", clock.now(), ERASING, b'{"person": "ana"}')

    policy = load_on_call(IncidentsSettings().on_call_policy)
    await on_call_timers(incidents.resources, policy)[ERASING](timer, timer_context(timer, clock.now()))

    assert await views.read(read_contact, "left-over") is None


@memory_is_enough
async def test_a_label_is_never_given_to_somebody_else(incidents: Running) -> None:
    await incidents.call("POST", "/v1/people", ANA, expect=201)
    await incidents.call("POST", "/v1/people", ANA, expect=201)  # sent again it changes nothing

    refused = await incidents.call("POST", "/v1/people", ANA | {"team": "search"}, expect=409)

    assert refused["code"] == "name-taken"
    assert refused["errors"][0]["pointer"] == "/name"
    assert len(await incidents.resources.store.load(PERSON.stream("ana"))) == 1


@memory_is_enough
async def test_nobodys_change_is_overwritten(incidents: Running) -> None:
    await incidents.call("POST", "/v1/people", ANA, expect=201)
    await incidents.call("PATCH", "/v1/people/ana", {"zone": "UTC"}, if_match='"1"')

    await incidents.call("PATCH", "/v1/people/ana", {"zone": "Asia/Tokyo"}, expect=412, if_match='"1"')
    await incidents.call("PATCH", "/v1/people/ana", {"zone": "Asia/Tokyo"}, expect=428)

    assert (await incidents.call("GET", "/v1/people/ana"))["zone"] == "UTC"


@memory_is_enough
async def test_an_unknown_time_zone_is_refused_with_its_place(incidents: Running) -> None:
    refused = await incidents.call("POST", "/v1/people", ANA | {"zone": "Europe/Atlantis"}, expect=422)

    assert refused["code"] == "unknown-zone"
    assert refused["errors"][0]["pointer"] == "/zone"
    await incidents.call("GET", "/v1/people/ana", expect=404)


@memory_is_enough
@pytest.mark.parametrize("address", ["http://169.254.169.254/latest", "https://10.0.0.1/hook", "https://[::1]/hook"])
async def test_an_address_that_nothing_will_be_sent_to_is_refused_with_its_place(
    incidents: Running, address: str
) -> None:
    await incidents.call("POST", "/v1/people", ANA, expect=201)
    contact = {"contact": {"webhook": address}}

    refused = [
        await incidents.call("POST", "/v1/people", ANA | {"name": "bo"} | contact, expect=422),
        await incidents.call("PATCH", "/v1/people/ana", contact, if_match='"1"', expect=422),
    ]

    assert [each["code"] for each in refused] == ["address-not-allowed"] * 2
    assert [each["errors"][0]["pointer"] for each in refused] == ["/contact/webhook"] * 2
    assert (await incidents.call("GET", "/v1/people/ana"))["contact"]["webhook"] == ""


@memory_is_enough
async def test_of_changes_at_once_each_is_made(incidents: Running) -> None:
    await incidents.call("POST", "/v1/people", ANA, expect=201)
    contact = {"phone": "+4930123456", "slack": "https://slack.test/x", "webhook": "https://hooks.test/x"}

    async def change(kind: str) -> None:
        await incidents.call("PATCH", "/v1/people/ana", {"contact": {kind: contact[kind]}}, if_match="*")

    await asyncio.gather(*map(change, contact))

    changed = (await incidents.call("GET", "/v1/people/ana"))["contact"]
    assert {kind: changed[kind] for kind in contact} == contact
