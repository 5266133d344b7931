from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.services import Running, eventually, memory_is_enough

OUTAGE = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev3"}
STORM = {"kind": "root", "antipattern": "retry-storm", "note": "clients retried without a limit"}
TASK = {"title": "Add jitter to retries", "owner": "ana", "type": "prevent", "priority": "P1"}


async def paper(incidents: Running, number: str, change: dict[str, Any], **outage: str) -> dict[str, Any]:
    """A published postmortem of a new incident."""
    await incidents.call("POST", "/v1/incidents", OUTAGE | outage, expect=201)
    draft = await incidents.call("POST", "/v1/postmortems", {"incident": number}, expect=201)
    path = f"/v1/postmortems/{draft['id']}"
    await incidents.call("PATCH", path, {"no_action_reason": "done"} | change, If_Match='"2"')
    return await incidents.call("POST", f"{path}:publish", {"reason": "read by all"})


async def found(incidents: Running, path: str, count: int) -> list[dict[str, Any]]:
    async def enough() -> Any:
        items = (await incidents.call("GET", f"/v1/postmortems/{path}"))["items"]
        return (items,) if len(items) == count else None

    (items,) = await eventually(enough)
    return items


async def test_what_was_learned_is_found_by_its_words_and_by_likeness(incidents: Running) -> None:
    storm = await paper(incidents, "INC-1", {"root_causes": "Overload: queues were full.", "causes": [STORM]})
    disk = await paper(
        incidents, "INC-2", {"root_causes": "A disk was full."}, title="Search is slow", service="search-api"
    )
    await incidents.call("POST", "/v1/actions", TASK | {"postmortem": storm["id"]}, expect=201)

    [item] = await found(incidents, "search?q=QUEUE%20full", 1)
    assert (item["id"], item["number"], item["because"]) == (storm["id"], "INC-1", ["says queue, full"])
    assert len(await found(incidents, "search?q=full", 2)) == 2
    assert [each["id"] for each in await found(incidents, "search?q=full&service=search-api", 1)] == [disk["id"]]
    assert [each["id"] for each in await found(incidents, "search?q=retry-storm&state=published", 1)] == [storm["id"]]
    assert await found(incidents, "search?q=full&state=draft", 0) == []
    [promised] = await found(incidents, "search?q=jitter%20full", 1)
    assert (promised["id"], promised["because"]) == (storm["id"], ["says full", "an action item says jitter"])
    assert [each["title"] for each in (await incidents.call("GET", "/v1/actions?q=jitters"))["items"]] == [
        TASK["title"]
    ]
    assert (await incidents.call("GET", "/v1/actions?q=queue"))["items"] == []
    assert await found(incidents, "search?q=%27%20%7C%20the%20%25_", 0) == []

    await incidents.call("POST", "/v1/incidents", OUTAGE | {"title": "Checkout is slow"}, expect=201)
    await incidents.call("POST", "/v1/incidents/INC-3:classify", {"outage_class": "retry-storm"})

    async def alike() -> Any:
        items = (await incidents.call("GET", "/v1/postmortems/seen-before?incident=INC-3"))["items"]
        return items if len(items) == 2 and items[0]["open_actions"] else None

    first, second = await eventually(alike)
    assert (first["id"], second["id"]) == (storm["id"], disk["id"])
    assert first["because"][1:] == ["the same cause, retry-storm", "the same service, checkout-api"]
    assert len(first["open_actions"]) == 1
    problem = await incidents.call("GET", "/v1/postmortems/seen-before?incident=INC-99", expect=422)
    assert problem["errors"][0]["pointer"] == "/incident"


async def test_causes_that_come_again_are_counted_once_for_each_postmortem(
    incidents: Running, clock: FrozenClock
) -> None:
    both = {"causes": [STORM | {"kind": "contributing"}, STORM, STORM | {"antipattern": "missing-timeout"}]}
    await paper(incidents, "INC-1", both)
    clock.advance(timedelta(days=1))
    second = await paper(incidents, "INC-2", {"causes": [STORM | {"kind": "contributing"}]}, service="search-api")

    [cause] = await found(incidents, "recurring-causes", 1)
    assert (cause["antipattern"], cause["times"], cause["as_root"]) == ("retry-storm", 2, 1)
    assert cause["services"] == ["checkout-api", "search-api"]
    assert cause["occurrences"][0]["id"] == second["id"]
    assert len(await found(incidents, "recurring-causes?at_least=1", 2)) == 2
    assert await found(incidents, "recurring-causes?until=2026-01-01T00:00:00Z", 0) == []

    await incidents.call("POST", f"/v1/postmortems/{second['id']}:reopen", {"reason": "more is known"})
    assert await found(incidents, "recurring-causes", 0) == []


@memory_is_enough
@pytest.mark.parametrize("query", ["search", "search?q=", "search?q=a&state=x", "recurring-causes?at_least=0"])
async def test_a_wrong_question_is_refused(incidents: Running, query: str) -> None:
    await incidents.call("GET", f"/v1/postmortems/{query}", expect=422)
