"""Review templates: YAML in and out, version by version, and what is wrong with one named with its place."""

from typing import Any

import pytest
import yaml

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import IN_MEMORY
from tests.fixtures.reviews import held, teams, template
from tests.fixtures.services import Running

TEMPLATES = "/v1/review-templates"
SHIPPED = f"{TEMPLATES}/production-readiness"


async def send(service: Running, text: str, *, to: str = TEMPLATES, method: str = "POST", expect: int = 201) -> Any:
    """A template as YAML."""
    headers = {"Content-Type": "application/yaml"}
    answer = await service.client.request(method, to, content=text, headers=headers)
    assert answer.status_code == expect, answer.text
    return answer.json()


def edited(**changes: Any) -> dict[str, Any]:
    """The template with its first item changed."""
    whole = template()
    first, *others = whole["items"]
    return {**whole, "items": [{**first, **changes}, *others]}


async def test_a_template_that_is_exported_and_imported_again_is_the_same(lifecycle: Running) -> None:
    published = await lifecycle.call("POST", TEMPLATES, template(), expect=201)
    assert (published["version"], published["versions"], published["shipped"]) == (1, [1], False)

    text = (await lifecycle.client.get(f"{TEMPLATES}/short/document")).text
    again = await send(lifecycle, text, to=f"{TEMPLATES}/short", method="PUT", expect=200)
    elsewhere = await send(lifecycle, text.replace("template: short", "template: other"))

    assert again == published
    assert (elsewhere["items"], elsewhere["axes"], elsewhere["version"]) == (published["items"], published["axes"], 1)
    accept = {"Accept": "application/json"}
    plain = (await lifecycle.client.get(f"{TEMPLATES}/short/document", headers=accept)).json()
    assert plain == {**template(), "version": 1}
    assert yaml.safe_load(text)["items"][1]["after"] == ["dashboard"]


async def test_the_shipped_template_is_there_and_can_be_continued(lifecycle: Running) -> None:
    shipped = await lifecycle.call("GET", SHIPPED)
    assert (shipped["version"], shipped["shipped"], shipped["published_at"]) == (1, True, None)
    assert len(shipped["items"]) == 54
    text = (await lifecycle.client.get(f"{SHIPPED}/document")).text

    unchanged = await send(lifecycle, text, to=SHIPPED, method="PUT", expect=200)
    ours = await send(lifecycle, text.replace("Production readiness", "Ours"), to=SHIPPED, method="PUT", expect=200)

    assert unchanged["version"] == 1
    assert (ours["version"], ours["versions"], ours["shipped"]) == (2, [1, 2], False)
    assert (await lifecycle.call("GET", f"{SHIPPED}?version=1"))["shipped"]
    tag = (await lifecycle.client.get(SHIPPED)).headers["ETag"]
    headers = {"Content-Type": "application/yaml", "If-Match": tag}
    again = text.replace("Production readiness", "Ours, again").replace("version: 1", "version: 2")
    assert (await lifecycle.client.put(SHIPPED, content=again, headers=headers)).status_code == 200
    assert (await lifecycle.client.put(SHIPPED, content=text, headers=headers)).status_code == 412


async def test_whoever_misses_a_newer_version_is_told(lifecycle: Running) -> None:
    await lifecycle.call("POST", TEMPLATES, template(), expect=201)
    await lifecycle.call("PUT", f"{TEMPLATES}/short", edited(text="There are two.") | {"version": 1})

    problem = await lifecycle.call(
        "PUT", f"{TEMPLATES}/short", edited(text="There are three.") | {"version": 1}, expect=409
    )

    assert (problem["code"], problem["newest"]) == ("template-outdated", 2)
    taken = await lifecycle.call("POST", TEMPLATES, edited(text="Another."), expect=409)
    assert taken["code"] == "name-taken"
    await lifecycle.call("PUT", f"{TEMPLATES}/nothing", template("nothing"), expect=404)


async def test_templates_are_listed_and_read_as_they_were_known_then(lifecycle: Running, clock: FrozenClock) -> None:
    then = clock.now().isoformat().replace("+00:00", "Z")
    before = (clock.now().replace(year=2025)).isoformat().replace("+00:00", "Z")
    await lifecycle.call("POST", TEMPLATES, template(), expect=201)
    clock.advance(clock.now() - clock.now().replace(day=20))
    answer = await lifecycle.client.put(f"{TEMPLATES}/short", json=edited(text="There are two."))
    token = {"Consistency_Token": answer.headers["Consistency-Token"]}

    async def versions(query: str) -> dict[str, int]:
        listed = await lifecycle.call("GET", f"{TEMPLATES}{query}", **token)
        return {each["name"]: each["version"] for each in listed["items"]}

    assert await versions("") == {"production-readiness": 1, "short": 2}
    assert await versions(f"?as_of={then}") == {"production-readiness": 1, "short": 1}
    assert await versions(f"?as_of={before}") == {"production-readiness": 1}
    await lifecycle.call("GET", f"{TEMPLATES}/short?as_of={before}", expect=404)
    await lifecycle.call("GET", f"{TEMPLATES}/short?version=3", expect=404)


@IN_MEMORY
async def test_a_review_keeps_the_checklist_that_it_began_with(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    await lifecycle.call("PUT", f"{TEMPLATES}/short", edited(text="There are two."))

    items = (await lifecycle.call("GET", f"{review.path}/answers"))["items"]

    assert items[0]["item"]["text"] == "There is one."


@IN_MEMORY
@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ({**template(), "owner": "ana"}, ["/owner"]),
        (edited(severty="blocking"), ["/items/0/severty"]),
        (edited(minimum_tier="4"), ["/items/0/minimum_tier"]),
        (edited(minimum_tier=5), ["/items/0/minimum_tier"]),
        (edited(phases=[]), ["/items/0/phases"]),
        (edited(phases=["launch"], severity="bad"), ["/items/0/severity", "/items/0/phases/0"]),
        (edited(evidence="auto"), ["/items/0/evidence"]),
        (edited(evidence="auto:no_such_check"), ["/items/0/evidence"]),
        (edited(axis="chnage"), ["/items/0/axis"]),
        (edited(id="drilled"), ["/items/1/id"]),
        (edited(after=["nothing"]), ["/items/0/after/0"]),
        (edited(after=["drilled"]), ["/items/0/after"]),
        (edited(after=["dashboard"]), ["/items/0/after"]),
        (edited(satisfied_by=[{"framework": "go-service", "since": "two"}]), ["/items/0/satisfied_by/0/since"]),
        ({**template(), "items": []}, ["/items"]),
        ({**template(), "axes": [{"id": "change", "title": "Change"}] * 2}, ["/axes/1/id", "/items/0/axis"]),
        ([template(), template()], [""]),
    ],
)
async def test_what_makes_no_template_is_refused_with_its_places(
    lifecycle: Running, document: Any, pointers: list[str]
) -> None:
    problem = await lifecycle.call("POST", TEMPLATES, document, expect=422)

    places = [each["pointer"] for each in problem["errors"]]
    assert (problem["code"], places[: len(pointers)]) == ("invalid-template", pointers)


@IN_MEMORY
async def test_a_cycle_is_shown_in_its_order(lifecycle: Running) -> None:
    problem = await lifecycle.call("POST", TEMPLATES, edited(after=["drilled"]), expect=422)

    assert problem["errors"][0]["detail"] == ("a cycle: dashboard after drilled after dashboard; take one of them out")


@IN_MEMORY
@pytest.mark.parametrize(
    ("text", "line"),
    [("template: a\ntemplate: b\n", 2), ("template: !!python/object:os.system x\n", 1), ("template: [\n", 2)],
)
async def test_what_yaml_hides_is_refused_with_its_line(lifecycle: Running, text: str, line: int) -> None:
    problem = await send(lifecycle, text, expect=422)

    assert (problem["code"], problem["line"]) == ("unreadable-document", line)


@IN_MEMORY
async def test_a_document_goes_to_its_own_path(lifecycle: Running) -> None:
    problem = await lifecycle.call("PUT", f"{TEMPLATES}/other", template(), expect=422)

    assert problem["errors"][0]["pointer"] == "/template"
