from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from services.lifecycle.projections.deployments import Deployed, deployed
from services.lifecycle.projections.rollouts import rollouts_of
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, ROBOT, signed_in
from tests.fixtures.services import Elsewhere, Running, eventually

DEPLOYMENTS, ROLLOUTS = "/v1/deployments", "/v1/rollouts"
AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
RUN: dict[str, Any] = {
    "id": "run-1",
    "service": "shop",
    "version": "1.1",
    "commit": "9fceb02",
    "committed_at": "2026-11-21T07:00:00Z",
    "at": "2026-11-21T09:00:00Z",
}
PLAN: dict[str, Any] = {
    "id": "r-1",
    "service": "shop",
    "version": "1.1",
    "strategy": "canary",
    "steps": [{"percent": 5.0, "cohort": "employees", "watch": "PT1H"}, {"percent": 100.0}],
    "rollback_when": "burn rate above 14.4",
}


def cdevent(kind: str = "service.deployed", **changes: Any) -> dict[str, Any]:
    """What CI/CD sends, in the shape of the CDEvents 0.4 conformance examples."""
    context = {
        "version": "0.4.0",
        "id": "271069a8-fc18-44f1-b38f-9d70a1695819",
        "chainId": "4c8cb7dd-3448-41de-8768-eec704e2829b",
        "source": "/event/source/123",
        "type": f"dev.cdevents.{kind}.0.2.0",
        "timestamp": "2026-11-21T09:00:00.315384Z",
    }
    content = {"environment": {"id": "production"}, "artifactId": "pkg:oci/shop@sha256%3A0b31?tag=1.1"}
    subject = {"id": "service/shop", "source": "/event/source/123", "type": "service", "content": content}
    custom = changes.pop("customData", None)
    event: dict[str, Any] = {"context": context | changes, "subject": subject}
    return event if custom is None else event | {"customData": custom}


def structured(data: object, **changes: Any) -> dict[str, Any]:
    """An event inside a CloudEvent."""
    return {"specversion": "1.0", "id": "ce-1", "source": "/ci", "type": "any", "data": data} | changes


async def _shop(lifecycle: Running, **fields: Any) -> None:
    await lifecycle.call("POST", "/v1/services", {"name": "shop", **fields}, expect=201)


async def _deployed(lifecycle: Running, token: str) -> list[Deployed]:
    await lifecycle.call("GET", DEPLOYMENTS, Consistency_Token=token)
    return await lifecycle.resources.views.read(deployed, ["shop"], AT - timedelta(days=1), AT + timedelta(days=1))


async def test_a_deployment_is_recorded_once_however_often_it_is_sent(lifecycle: Running, clock: FrozenClock) -> None:
    await _shop(lifecycle)

    first = await lifecycle.client.post(DEPLOYMENTS, json=RUN)
    clock.advance(timedelta(minutes=5))
    again = await lifecycle.client.post(DEPLOYMENTS, json=RUN)
    other = await lifecycle.client.post(DEPLOYMENTS, json={**RUN, "version": "1.2"})

    assert (first.status_code, first.headers["Location"]) == (201, f"{DEPLOYMENTS}/run-1")
    assert (again.json(), again.headers["ETag"]) == (first.json(), '"1"')
    assert (other.status_code, other.json()["code"]) == (409, "recorded-otherwise")
    listed = await lifecycle.call("GET", DEPLOYMENTS, Consistency_Token=first.headers["Consistency-Token"])
    assert listed["items"] == [first.json()]
    assert await lifecycle.call("GET", f"{DEPLOYMENTS}/run-1") == first.json()


async def test_what_is_sent_again_without_a_time_is_the_same(lifecycle: Running, clock: FrozenClock) -> None:
    await _shop(lifecycle)
    body = {"id": "run-1", "service": "shop"}

    first = await lifecycle.call("POST", DEPLOYMENTS, body, expect=201)
    clock.advance(timedelta(minutes=5))

    assert await lifecycle.call("POST", DEPLOYMENTS, body, expect=201) == first


@pytest.mark.parametrize(
    ("fields", "production"),
    [
        ({}, True),
        ({"environment": "Live"}, True),
        ({"environment": "staging"}, False),
        ({"environment": "eu-1", "production": True}, True),
        ({"production": False}, False),
    ],
)
@IN_MEMORY
async def test_only_production_counts(lifecycle: Running, fields: dict[str, Any], production: bool) -> None:  # noqa: FBT001
    await _shop(lifecycle)

    answer = await lifecycle.client.post(DEPLOYMENTS, json={**RUN, **fields})

    assert answer.json()["production"] == production
    counted = await _deployed(lifecycle, answer.headers["Consistency-Token"])
    assert [one.deployment for one in counted] == (["run-1"] if production else [])


async def test_a_deployment_fails_and_recovers_or_is_taken_back(lifecycle: Running, clock: FrozenClock) -> None:
    await _shop(lifecycle)
    await lifecycle.call("POST", DEPLOYMENTS, RUN, expect=201)
    await lifecycle.call("POST", DEPLOYMENTS, {**RUN, "id": "run-2"}, expect=201)
    then = clock.now()
    clock.advance(timedelta(hours=1))

    failed = await lifecycle.call("POST", f"{DEPLOYMENTS}/run-1:fail", {"incident": "INC-1", "at": then.isoformat()})
    recovered = await lifecycle.call("POST", f"{DEPLOYMENTS}/run-1:recover", {"how": "fixed"})
    back = await lifecycle.client.post(f"{DEPLOYMENTS}/run-2:rollback", json={"automatic": True, "to_version": "1.0"})

    assert (failed["state"], recovered["state"], back.json()["state"]) == ("failed", "recovered", "rolled_back")
    first, second = await _deployed(lifecycle, back.headers["Consistency-Token"])
    assert (first.failed_at, first.recovered_at, first.rolled_back_at) == (then, clock.now(), None)
    assert (second.failed_at, second.recovered_at, second.rolled_back_at) == (clock.now(),) * 3
    past = await lifecycle.call("GET", f"{DEPLOYMENTS}/run-1?as_of={then:%Y-%m-%dT%H:%M:%SZ}")
    assert past["state"] == "serving"


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"service": "nowhere"}, 422, "unknown-reference", "/service"),
        ({"at": "2026-11-21T11:00:00Z"}, 422, "in-the-future", "/at"),
        ({"committed_at": "2026-11-21T09:30:00Z"}, 422, "dates-out-of-order", "/committed_at"),
        ({"rollout": "nothing"}, 422, "unknown-reference", "/rollout"),
        ({"id": "a/b"}, 422, "invalid", "/id"),
        ({"sevice": "shop"}, 422, "invalid", "/sevice"),
        ({"result": "fine"}, 422, "invalid", "/result"),
    ],
)
async def test_a_deployment_that_cannot_be_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    await _shop(lifecycle)

    problem = await lifecycle.call("POST", DEPLOYMENTS, {**RUN, **fields}, expect=status)

    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


@IN_MEMORY
@pytest.mark.parametrize("body", [b"[1]", b"null", b'"x"', b"{", b""])
async def test_what_is_no_object_is_refused(lifecycle: Running, body: bytes) -> None:
    answer = await lifecycle.client.post(DEPLOYMENTS, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}
    assert answer.json()["code"] in {"malformed-json", "invalid"}


@IN_MEMORY
async def test_own_json_may_come_as_a_cloudevent(lifecycle: Running) -> None:
    await _shop(lifecycle)
    bare = {"service": "shop", "version": "1.1"}
    time = "2026-11-21T09:00:00Z"

    binary = await lifecycle.call(
        "POST", DEPLOYMENTS, bare, expect=201, **{"ce-specversion": "1.0", "ce-id": "ce-0", "ce-time": time}
    )
    whole = await lifecycle.call("POST", DEPLOYMENTS, structured(bare, time=time), expect=201)

    assert (binary["id"], binary["at"], whole["id"], whole["at"]) == ("ce-0", time, "ce-1", time)


@pytest.mark.parametrize("kind", ["service.deployed", "service.upgraded"])
@pytest.mark.parametrize("mode", ["binary", "structured"])
async def test_cdevents_are_taken_as_they_are(lifecycle: Running, kind: str, mode: str) -> None:
    await _shop(lifecycle)
    event = cdevent(kind, customData={"commit": "9fceb02", "committed_at": "2026-11-21T07:00:00Z"})
    headers = {"Content-Type": "application/cdevents+json; charset=utf-8", "ce-specversion": "1.0", "ce-id": "x"}
    sent = {"json": event, "headers": headers} if mode == "binary" else {"json": structured(event)}

    first = await lifecycle.client.post(DEPLOYMENTS, **sent)
    again = await lifecycle.client.post(DEPLOYMENTS, **sent)

    assert (first.status_code, again.json()) == (201, first.json())
    assert (
        first.json().items()
        >= {
            "id": "271069a8-fc18-44f1-b38f-9d70a1695819",
            "service": "shop",
            "production": True,
            "version": "sha256:0b31",
            "commit": "9fceb02",
            "at": "2026-11-21T09:00:00.315384Z",
        }.items()
    )


async def test_a_rolledback_cdevent_takes_back_what_ran_before_it_and_only_once(lifecycle: Running) -> None:
    await _shop(lifecycle)
    for number, version in enumerate(("1.0", "1.1", "1.2")):
        body = {"id": f"run-{number}", "service": "shop", "version": version, "at": f"2026-11-21T0{number}:00:00Z"}
        await lifecycle.call("POST", DEPLOYMENTS, body, expect=201)
    event = cdevent("service.rolledback")
    event["subject"]["content"]["artifactId"] = "pkg:oci/shop@1.1"

    first = await lifecycle.call("POST", DEPLOYMENTS, event)
    again = await lifecycle.call("POST", DEPLOYMENTS, event)

    assert (first["id"], first["state"], first["rolled_back"]["to_version"]) == ("run-2", "rolled_back", "1.1")
    assert again == first
    assert (await lifecycle.call("GET", f"{DEPLOYMENTS}/run-0"))["state"] == "serving"


@IN_MEMORY
async def test_a_service_that_senders_know_by_another_name_says_so_by_a_label(lifecycle: Running) -> None:
    await _shop(lifecycle, labels={"cdevents.dev/subject": "mySubject123"})
    event = cdevent()
    event["subject"]["id"] = "mySubject123"

    assert (await lifecycle.call("POST", DEPLOYMENTS, event, expect=201))["service"] == "shop"


@IN_MEMORY
@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        (cdevent(version="0.3.0"), "/context/version"),
        (cdevent(type="org.example.deployed"), "/context/type"),
        (cdevent(timestamp="yesterday"), "/context/timestamp"),
        (structured(cdevent(version="0.3.0")), "/data/context/version"),
        ({"context": {}, "subject": {}}, "/context"),
        ({**cdevent(), "subject": {"id": "service/unknown"}}, "/subject/id"),
        (cdevent("service.rolledback"), "/subject"),
        (cdevent(customData={"unplanned": "perhaps"}), "/unplanned"),
    ],
)
async def test_a_cdevent_that_cannot_be_read_is_refused_with_its_place(
    lifecycle: Running, event: dict[str, Any], pointer: str
) -> None:
    await _shop(lifecycle)

    problem = await lifecycle.call("POST", DEPLOYMENTS, event, expect=422)

    assert problem["errors"][0]["pointer"] == pointer


@IN_MEMORY
@pytest.mark.parametrize("kind", ["service.published", "environment.created", "build.finished"])
async def test_other_cdevents_are_received_and_change_nothing(lifecycle: Running, kind: str) -> None:
    received = await lifecycle.call("POST", DEPLOYMENTS, cdevent(kind), Idempotency_Key="k-1")

    assert received["result"] == "ignored"


@IN_MEMORY
async def test_deployments_are_listed_by_what_they_are(lifecycle: Running) -> None:
    await _shop(lifecycle)
    for number, environment in enumerate(("staging", "production", "production")):
        body = {
            "id": f"run-{number}",
            "service": "shop",
            "environment": environment,
            "at": f"2026-11-21T0{number}:00:00Z",
        }
        last = await lifecycle.client.post(DEPLOYMENTS, json=body)
    token = {"Consistency-Token": last.headers["Consistency-Token"]}

    async def ids(query: str) -> list[str]:
        page = await lifecycle.call("GET", f"{DEPLOYMENTS}?{query}", **token)
        return [one["id"] for one in page["items"]]

    assert await ids("service=shop") == ["run-2", "run-1", "run-0"]
    assert await ids("production=false") == ["run-0"]
    assert await ids("since=2026-11-21T01:00:00Z&until=2026-11-21T02:00:00Z") == ["run-1"]
    assert await ids("order_by=at asc&environment=production") == ["run-1", "run-2"]


async def test_a_roll_out_says_what_may_be_done_next_and_gates_read_it(lifecycle: Running, clock: FrozenClock) -> None:
    await _shop(lifecycle)
    planned = await lifecycle.call("POST", ROLLOUTS, PLAN, expect=201)
    own = await lifecycle.call("POST", f"{ROLLOUTS}/r-1:review", {}, expect=403)
    machine = await signed_in(lifecycle, ROBOT).call("POST", f"{ROLLOUTS}/r-1:review", {}, expect=403)
    early = await lifecycle.call("POST", f"{ROLLOUTS}/r-1:start", expect=409)
    await signed_in(lifecycle, BO).call("POST", f"{ROLLOUTS}/r-1:review", {"notes": "small enough"})
    started = await lifecycle.call("POST", f"{ROLLOUTS}/r-1:start")
    await lifecycle.call("POST", f"{ROLLOUTS}/r-1:advance", {"step": 1})
    done = await lifecycle.client.post(f"{ROLLOUTS}/r-1:finish")

    assert (planned["state"], planned["allowed"]) == ("planned", ["review", "cancel"])
    assert own["code"] == machine["code"] == "second-person-required"
    assert (early["code"], early["allowed"]) == ("illegal-rollout", ["review", "cancel"])
    assert (started["percent"], done.json()["state"], done.json()["percent"]) == (5.0, "done", 100.0)
    listed = await lifecycle.call("GET", f"{ROLLOUTS}?state=done", Consistency_Token=done.headers["Consistency-Token"])
    assert listed["items"] == [done.json()]
    (found,) = await lifecycle.resources.views.read(rollouts_of, "shop", clock.now() - timedelta(days=30))
    assert (found.cohort_capped, found.rolls_back_by_itself, found.state) == (True, True, "done")


async def test_a_roll_out_that_is_taken_back_takes_its_deployment_along(lifecycle: Running) -> None:
    await _shop(lifecycle)
    await lifecycle.call("POST", DEPLOYMENTS, RUN, expect=201)
    await lifecycle.call("POST", ROLLOUTS, {**PLAN, "deployment": "run-1"}, expect=201)
    await signed_in(lifecycle, BO).call("POST", f"{ROLLOUTS}/r-1:review", {})
    await lifecycle.call("POST", f"{ROLLOUTS}/r-1:start")

    back = await lifecycle.call("POST", f"{ROLLOUTS}/r-1:rollback", {"automatic": True, "reason": "burn rate"})

    assert (back["state"], back["rolled_back_automatically"], back["percent"]) == ("rolled_back", True, 0.0)
    deployment = await lifecycle.call("GET", f"{DEPLOYMENTS}/run-1")
    assert (deployment["state"], deployment["rolled_back"]["automatic"]) == ("rolled_back", True)


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"steps": [{"percent": 50.0}]}, "rollout-steps", "/steps/0/percent"),
        ({"steps": [{"percent": 101.0}]}, "invalid", "/steps/0/percent"),
        ({"service": "nowhere"}, "unknown-reference", "/service"),
        ({"deployment": "nothing"}, "unknown-reference", "/deployment"),
        ({"strategy": "hope"}, "invalid", "/strategy"),
    ],
)
async def test_a_plan_that_leads_nowhere_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], code: str, pointer: str
) -> None:
    await _shop(lifecycle)

    problem = await lifecycle.call("POST", ROLLOUTS, {**PLAN, **fields}, expect=422)

    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


def rollout_event(predicate: str, **custom: Any) -> dict[str, Any]:
    """A custom CDEvent of a tool about the roll-out r-1."""
    context = {"version": "0.4.1", "id": f"e-{predicate}", "source": "/argo", "timestamp": "2026-11-21T09:00:00Z"}
    kind = {"type": f"dev.cdeventsx.argo-rollout.{predicate}.0.1.0"}
    return {"context": context | kind, "subject": {"id": "rollout/r-1", "content": {}}, "customData": custom}


@IN_MEMORY
async def test_a_tool_tells_of_a_rollout_by_its_own_events(lifecycle: Running) -> None:
    await _shop(lifecycle)
    plan = {name: value for name, value in PLAN.items() if name != "id"}

    planned = await lifecycle.call("POST", ROLLOUTS, structured(rollout_event("planned", **plan)), expect=201)
    early = await lifecycle.call("POST", ROLLOUTS, rollout_event("started"), expect=409)
    await signed_in(lifecycle, BO).call("POST", f"{ROLLOUTS}/r-1:review", {"notes": "small enough"})
    for _ in range(2):  # sent again it changes nothing
        started = await lifecycle.call("POST", ROLLOUTS, rollout_event("started"))
    nowhere = await lifecycle.call("POST", ROLLOUTS, rollout_event("advanced"), expect=422)
    advanced = await lifecycle.call("POST", ROLLOUTS, rollout_event("advanced", step=1, job="argo-7"))
    finished = await lifecycle.call("POST", ROLLOUTS, rollout_event("finished"))
    back = await lifecycle.call("POST", ROLLOUTS, rollout_event("rolledback", automatic=True, reason="burn rate"))
    other = await lifecycle.call("POST", ROLLOUTS, cdevent("service.deployed"))

    assert (planned["id"], planned["state"], started["state"], advanced["step"]) == ("r-1", "planned", "running", 1)
    assert (early["code"], nowhere["errors"][0]["pointer"]) == ("illegal-rollout", "/step")
    assert (finished["state"], back["state"], back["rolled_back_automatically"]) == ("done", "rolled_back", True)
    assert other["result"] == "ignored"


@IN_MEMORY
async def test_change_events_are_deployments_once_and_of_an_unknown_service_a_fact(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await _shop(lifecycle)
    said = {"change": "c1", "integration": "pd", "summary": "1.2 is out", "at": clock.now(), "details": {}}
    refused = await incidents.says("change.reported", "change/c0", **said | {"change": "c0", "service": "nowhere"})
    told = await incidents.says("change.reported", "change/c1", **said, service="shop")
    for again in (refused, told):
        await incidents.repeats(again)
    await incidents.says("change.reported", "change/c2", **said | {"change": "c2"}, service="shop")

    async def recorded() -> Any:
        found = (await lifecycle.call("GET", f"{DEPLOYMENTS}?service=shop"))["items"]
        return len(found) > 1 and found

    assert [(each["id"], each["source"], each["by"], each["summary"]) for each in await eventually(recorded)] == [
        ("c2", "change-event", "pd", "1.2 is out"),
        ("c1", "change-event", "pd", "1.2 is out"),
    ]
    [fact] = await lifecycle.resources.store.load("deployment/c0")
    assert fact.type == "io.concordat.lifecycle.deployment.refused.v1"
    assert b"knows no service" in fact.data
