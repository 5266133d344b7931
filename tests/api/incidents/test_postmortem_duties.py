from datetime import timedelta
from typing import Any

import pytest

from libs.events.envelope import Context, Metadata
from libs.events.ids import new_id
from libs.events.testing import FrozenClock
from services.incidents.config import IncidentsSettings, load_learning
from services.incidents.contract import DUTY as DUTY_OF
from services.incidents.contract import INCIDENT
from services.incidents.looking_back import catch_up, require
from services.incidents.timetable import owing
from tests.fixtures.services import Elsewhere, Running, eventually, memory_is_enough

OUTAGE = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev2"}
DUTY = "/v1/postmortem-duties/INC-1"


async def duty(incidents: Running, **wanted: object) -> dict[str, Any]:
    async def found() -> Any:
        answer = await incidents.client.get(DUTY)
        seen = answer.json()
        return seen if answer.status_code == 200 and all(seen[name] == it for name, it in wanted.items()) else None

    return await eventually(found)


async def told(incidents: Running, kind: str) -> int:
    return sum(
        each.type == f"io.concordat.incidents.{kind}.v1" for each in await incidents.resources.store.read(0, 1000)
    )


async def test_a_severe_incident_owes_a_postmortem_by_business_days(incidents: Running, clock: FrozenClock) -> None:
    incident = await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    await incidents.call("POST", "/v1/incidents/INC-1:resolve")

    owed = await duty(incidents)
    assert (owed["why"], owed["state"], owed["id"]) == (["severity"], "owed", incident["id"])
    assert (owed["draft_due"], owed["publish_due"]) == ("2026-11-27", "2026-12-11")  # from Saturday, 21 November

    clock.advance(timedelta(days=5, hours=14))  # Friday, its last day

    async def reminded() -> bool:
        return await told(incidents, "postmortem.reminded") == 1

    await eventually(reminded)
    clock.advance(timedelta(days=1))

    async def overdue() -> bool:
        return await told(incidents, "postmortem.overdue") == 1

    await eventually(overdue)
    assert (await duty(incidents))["overdue"]

    async def listed() -> Any:
        return (await incidents.call("GET", "/v1/postmortem-duties?overdue=true&service=checkout-api"))["items"]

    [item] = await eventually(listed)
    assert item == await incidents.call("GET", DUTY)

    await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1"}, expect=201)
    drafted = await incidents.call("GET", DUTY)
    assert (drafted["state"], drafted["due"], drafted["overdue"]) == ("drafted", "2026-12-11", False)


@memory_is_enough
async def test_who_asks_for_one_says_why_and_it_is_met_when_published(incidents: Running) -> None:
    await incidents.call("POST", "/v1/incidents", OUTAGE | {"severity": "sev4"}, expect=201)
    draft = await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1"}, expect=201)
    assert (await incidents.call("GET", DUTY, expect=404))["code"] == "not-found"

    ask = {"incident": "INC-1", "why": "data_loss", "reason": "carts of two hours are gone"}
    owed = await incidents.call("POST", "/v1/postmortem-duties", ask, expect=201)
    assert (owed["state"], owed["why"], owed["reason"]) == ("drafted", ["data_loss"], ask["reason"])
    both = await incidents.call("POST", "/v1/postmortem-duties", ask | {"why": "on_request"}, expect=201)
    assert both["why"] == ["data_loss", "on_request"]
    await incidents.call("PATCH", f"/v1/postmortems/{draft['id']}", {"no_action_reason": "gone"}, If_Match='"2"')
    await incidents.call("POST", f"/v1/postmortems/{draft['id']}:publish", {"reason": "urgent"})

    assert (await incidents.call("GET", DUTY))["state"] == "met"
    assert (await incidents.call("POST", f"{DUTY}:excuse", {"reason": "x"}, expect=409))["code"] == "illegal-transition"
    problem = await incidents.call("POST", "/v1/postmortem-duties", ask | {"incident": "INC-9"}, expect=422)
    assert [place["pointer"] for place in problem["errors"]] == ["/incident"]


@memory_is_enough
async def test_what_was_over_long_before_somebody_said_so_is_not_overdue_at_once(incidents: Running) -> None:
    past = {"impact_started": "2026-10-01T10:00:00Z", "mitigated": "2026-10-01T11:00:00Z"}
    await incidents.call("POST", "/v1/incidents", OUTAGE | past | {"resolved": "2026-10-01T11:00:00Z"}, expect=201)

    owed = await duty(incidents)

    assert (owed["draft_due"], owed["overdue"]) == ("2026-11-27", False)


@memory_is_enough
async def test_what_is_drafted_while_it_is_asked_for_counts(incidents: Running, clock: FrozenClock) -> None:
    incident = await incidents.call("POST", "/v1/incidents", OUTAGE | {"severity": "sev4"}, expect=201)
    resources, key = incidents.resources, incident["id"]
    policy = load_learning(IncidentsSettings(internal_key="x" * 32).learning_policy)
    context = Context(clock.now(), Metadata(actor="ana"), lambda _: new_id())
    state = (await resources.handler.load(INCIDENT, key)).state

    ask = await require(resources, policy, key, state, "on_request", context, by="ana")
    await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1"}, expect=201)
    assert ask is not None
    await resources.handler.handle(DUTY_OF, key, ask, context)
    assert (await incidents.call("GET", DUTY))["state"] == "owed"
    for _ in range(2):  # also when it is heard again
        await catch_up(resources, key, context, owing(policy))

    assert (await incidents.call("GET", DUTY))["state"] == "drafted"
    assert len(await resources.store.load(f"postmortem-duty/{key}")) == 2


@memory_is_enough
async def test_one_that_is_excused_is_owed_no_more(incidents: Running) -> None:
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    await incidents.call("POST", "/v1/incidents/INC-1:resolve")
    await duty(incidents)

    assert (await incidents.call("POST", f"{DUTY}:excuse", expect=422))["code"] == "reason-missing"
    excused = await incidents.call("POST", f"{DUTY}:excuse", {"reason": "a drill"})
    assert (excused["state"], excused["reason"], excused["overdue"]) == ("excused", "a drill", False)


@memory_is_enough
@pytest.mark.parametrize(("share", "counts"), [(0.34, True), (0.2, False)])
async def test_an_incident_that_spent_much_of_a_budget_owes_one(
    incidents: Running,
    slo: Elsewhere,
    share: float,
    counts: bool,  # noqa: FBT001
) -> None:
    incident = await incidents.call("POST", "/v1/incidents", OUTAGE | {"severity": "sev3"}, expect=201)
    spent = {"service": "checkout-api", "slo": "availability", "incident": incident["id"], "share": share}
    await slo.says("policy.postmortem-required", "policy/checkout-api", **spent)
    await slo.says("policy.postmortem-required", "policy/checkout-api", **(spent | {"slo": "latency", "share": 0.5}))
    many = [{"slo": "availability", "share": share}] if counts else []
    many.append({"slo": "latency", "share": 0.5})

    async def heard() -> Any:
        events = await incidents.resources.store.load(f"postmortem-duty/{incident['id']}")
        return len(events) == len(many)

    await eventually(heard)
    owed = await duty(incidents)
    draft = await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1"}, expect=201)

    assert owed["why"] == ["error_budget"]
    assert draft["budgets"] == many
    assert "It spent 50% of the error budget of latency." in draft["impact"]


@memory_is_enough
async def test_what_is_said_of_an_incident_later_counts_too_and_a_test_needs_none(incidents: Running) -> None:
    for number in (1, 2):
        await incidents.call("POST", "/v1/incidents", OUTAGE | {"severity": "sev4"}, expect=201)
        await incidents.call("POST", f"/v1/incidents/INC-{number}:resolve")
    tested = await incidents.call("GET", "/v1/incidents/INC-2")
    await incidents.call("PATCH", "/v1/incidents/INC-2", {"test": True, "tags": ["data-loss"]}, If_Match="*")
    await incidents.call("PATCH", "/v1/incidents/INC-1", {"tags": ["data-loss"]}, If_Match="*")

    owed = await duty(incidents)
    assert (owed["why"], owed["draft_due"]) == (["data_loss"], "2026-11-27")
    assert (await incidents.call("GET", f"/v1/postmortem-duties/{tested['id']}", expect=404))["code"] == "not-found"
