import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from libs.events.clock import Clock
from libs.web.internal_auth import Principal
from services.incidents.projections.surroundings import SURROUNDINGS
from tests.fixtures.services import ANA, Elsewhere, Running, Signed, eventually, memory_is_enough

OUTAGE = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev2"}
pytestmark = memory_is_enough


class As:
    """The service as somebody else calls it."""

    def __init__(self, incidents: Running, clock: Clock) -> None:
        self._incidents, self._clock = incidents, clock

    def __call__(self, name: str, kind: Any = "person") -> Running:
        principal: Principal = Principal(name, kind, ANA.scopes, ANA.auth_method)
        transport = self._incidents.client._transport
        client = httpx.AsyncClient(
            transport=transport, base_url="http://incidents", auth=Signed(principal, "incidents", self._clock)
        )
        return replace(self._incidents, client=client)


@pytest.fixture
def as_(incidents: Running, clock: Clock) -> As:
    return As(incidents, clock)


@pytest.fixture
async def path(incidents: Running) -> str:
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    draft = await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1"}, expect=201)
    path = f"/v1/postmortems/{draft['id']}"
    await incidents.call("PATCH", path, {"no_action_reason": "the component is gone"}, If_Match='"2"')
    return path


async def test_sre_and_product_approve_before_it_is_published(incidents: Running, path: str, as_: As) -> None:
    reviewers = [{"person": "bo", "side": "sre"}, {"person": "cy", "side": "product"}]
    asked = await incidents.call("POST", f"{path}:submit", {"reviewers": reviewers})
    assert (asked["state"], asked["missing_approvals"]) == ("in_review", ["sre", "product"])

    assert (await as_("ana").call("POST", f"{path}:approve", {"side": "sre"}, expect=409))["code"] == "no-reviewer"
    assert (await as_("ci", "machine").call("POST", f"{path}:approve", {"side": "sre"}, expect=409))["code"]
    assert (await as_("dee").call("POST", f"{path}:approve", expect=422))["code"] == "side-missing"
    one = await as_("bo").call("POST", f"{path}:approve", {"reason": "clear"})
    assert (one["state"], one["missing_approvals"]) == ("in_review", ["product"])
    problem = await incidents.call("POST", f"{path}:publish", expect=409)
    assert (problem["code"], problem["missing_approvals"]) == ("review-missing", ["product"])

    both = await as_("cy").call("POST", f"{path}:approve")
    assert (both["state"], both["allowed"]) == ("approved", ["publish", "request-changes", "reopen"])
    published = await incidents.call("POST", f"{path}:publish")
    assert (published["state"], published["reviewed"]) == ("published", True)
    assert [each["person"] for each in published["reviewers"] if each["approved_at"]] == ["bo", "cy"]

    assert (await incidents.call("POST", f"{path}:reopen", expect=422))["code"] == "reason-missing"
    again = await incidents.call("POST", f"{path}:reopen", {"reason": "the vendor found more"})
    assert (again["state"], again["missing_approvals"]) == ("draft", ["sre", "product"])


async def test_a_reviewer_sends_it_back(incidents: Running, path: str, as_: As) -> None:
    await incidents.call("POST", f"{path}:submit")
    back = await as_("cy").call("POST", f"{path}:request-changes", {"reason": "how many orders?"})

    assert back["state"] == "draft"
    versions = (await incidents.call("GET", f"{path}/versions"))["items"]
    assert (versions[-1]["by"], versions[-1]["reason"]) == ("cy", "how many orders?")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (
            {"timeline": [{"at": "2026-11-21T10:00:00Z", "text": "b"}, {"at": "2026-11-21T09:00:00Z", "text": "a"}]},
            "/timeline/1/at",
        ),
        ({"timeline": [{"at": "2999-01-01T00:00:00Z", "text": "later"}]}, "/timeline/0/at"),
        ({"timeline": [{"at": "yesterday", "text": "x"}]}, "/timeline/0/at"),
        ({"causes": [{"kind": "someone", "antipattern": "x"}]}, "/causes/0/kind"),
        ({"participants": [{"person": "Bo Smith", "role": "x"}]}, "/participants/0/person"),
        ({"risks": ["<script>"]}, "/risks/0"),
        ({"risks": ["of-nobody"]}, "/risks/0"),
        ({"summary": "x" * 10_001}, "/summary"),
        ({"title": None}, "/title"),
        ({"authors": []}, "/authors"),
        ({"authors": None}, "/authors"),
    ],
)
async def test_what_it_cannot_say_is_refused_with_its_place(
    incidents: Running, path: str, change: dict[str, Any], pointer: str
) -> None:
    problem = await incidents.call("PATCH", path, change, If_Match='"3"', expect=422)

    assert [place["pointer"] for place in problem["errors"]] == [pointer]


async def test_every_version_can_be_read_and_compared(incidents: Running, path: str) -> None:
    facts = {
        "root_causes": "A queue without a limit.",
        "causes": [{"kind": "root", "antipattern": "unbounded-queue", "note": "orders"}],
        "timeline": [{"at": "2026-11-21T09:40:00Z", "text": "release 4.2", "starred": True}],
    }
    both = {"authors": ["ana", "bo", "ana"], "reason": "from the logs"}
    now = await incidents.call("PATCH", path, facts | both, If_Match='"3"')
    assert now["authors"] == ["ana", "bo"]
    assert now["causes"] == facts["causes"]

    versions = (await incidents.call("GET", f"{path}/versions"))["items"]
    assert [version["version"] for version in versions] == [1, 2, 3, 4]
    changed = ["authors", "root_causes", "causes", "timeline"]
    assert (versions[-1]["changed"], versions[-1]["reason"]) == (changed, "from the logs")
    assert (await incidents.call("GET", f"{path}?version=3"))["root_causes"] == ""
    assert (await incidents.call("GET", f"{path}?as_of=2026-11-21T09:00:00Z", expect=404))["code"] == "not-found"
    assert (await incidents.call("GET", f"{path}?version=9", expect=404))["code"] == "unknown-version"

    compared = await incidents.call("GET", f"{path}/diff?from=3")
    assert (compared["before"], compared["after"]) == (3, 4)
    assert "+A queue without a limit." in compared["diff"].splitlines()
    assert "+| root | unbounded-queue | orders |" in compared["diff"].splitlines()
    assert (await incidents.call("GET", f"{path}/diff?from=4&to=4"))["diff"] == ""


async def test_it_is_exported_as_markdown_and_as_a_page_that_carries_nothing_out(incidents: Running, path: str) -> None:
    attack = "<script>alert(1)</script> [a](javascript:alert(2)) <img src=x onerror=alert(3)> **8 %** failed"
    await incidents.call("PATCH", path, {"impact": attack, "title": "<b>Queue"}, If_Match='"3"')

    text = await incidents.client.get(f"{path}/export")
    assert text.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert text.text.startswith("# <b>Queue\n")
    assert attack in text.text

    page = await incidents.client.get(f"{path}/export?format=html")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<strong>8 %</strong>" in page.text
    assert "&lt;b&gt;Queue" in page.text
    assert not re.search(r"<script|<img|href=.?javascript|<b>", page.text, re.IGNORECASE)


async def test_a_template_is_published_version_by_version(incidents: Running) -> None:
    yaml = await incidents.client.get("/v1/postmortem-templates/default/document")
    assert yaml.headers["Content-Type"].startswith("application/yaml")
    again = await incidents.client.put("/v1/postmortem-templates/default", content=yaml.content)
    assert (again.status_code, again.json()["versions"], again.json()["shipped"]) == (200, [1], True)

    mine: dict[str, Any] = {"template": "payments", "title": "Payments", "required": ["root_causes"]}
    mine["texts"] = {"glossary": "PSP: who moves the money"}
    first = await incidents.call("PUT", "/v1/postmortem-templates/payments", mine)
    assert (first["version"], first["required"]) == (1, ["title", "root_causes"])
    await incidents.call("PUT", "/v1/postmortem-templates/payments", mine | {"title": "Of payments", "version": 1})
    stale = await incidents.call("PUT", "/v1/postmortem-templates/payments", mine | {"version": 1}, expect=409)
    assert (stale["code"], stale["newest"]) == ("template-outdated", 2)
    names = [each["name"] for each in (await incidents.call("GET", "/v1/postmortem-templates"))["items"]]
    assert names == ["default", "payments"]
    assert (await incidents.call("GET", "/v1/postmortem-templates/payments?version=1"))["title"] == "Payments"
    assert (await incidents.call("GET", "/v1/postmortem-templates/payments?version=7", expect=404))["code"]

    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    body = {"incident": "INC-1", "template": "payments"}
    draft = await incidents.call("POST", "/v1/postmortems", body, expect=201)
    assert (draft["template"], draft["glossary"]) == ("payments@2", "PSP: who moves the money")
    problem = await incidents.call("POST", f"/v1/postmortems/{draft['id']}:publish", {"reason": "x"}, expect=409)
    assert [place["pointer"] for place in problem["errors"]] == ["/root_causes", "/no_action_reason"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ('{"template": "other", "title": "x"}', "/template"),
        ('{"template": "mine", "title": "x", "texts": {"blame": "x"}}', "/texts/blame"),
        ('{"template": "mine", "title": "x", "required": ["blame"]}', "/required/blame"),
        ('{"template": "mine", "title": "x", "sections": 1}', "/sections"),
        ("{", ""),
    ],
)
async def test_a_wrong_template_is_refused_with_its_place(incidents: Running, document: str, pointer: str) -> None:
    answer = await incidents.client.put("/v1/postmortem-templates/mine", content=document)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-template")
    assert [place["pointer"] for place in answer.json()["errors"]] == [pointer]


async def test_a_template_nobody_wrote_is_refused_with_its_place(incidents: Running) -> None:
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    problem = await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1", "template": "mine"}, expect=422)

    assert [place["pointer"] for place in problem["errors"]] == ["/template"]


async def test_it_is_advised_and_published_all_the_same(incidents: Running, path: str) -> None:
    cause = "Orders waited. Ana should have limited the queue. The checkout-api failed to say so."
    change = {"root_causes": cause, "impact": "Many users saw errors."}
    amended = await incidents.call("PATCH", path, change, If_Match='"3"')
    task = {
        "postmortem": amended["id"],
        "title": "Improve the queue",
        "owner": "bo",
        "type": "prevent",
        "priority": "P1",
    }
    await incidents.call("POST", "/v1/actions", task, expect=201)
    dropped = await incidents.call("POST", "/v1/actions", task | {"title": "Be more careful"}, expect=201)
    await incidents.call("POST", f"/v1/actions/{dropped['id']}:drop", {"reason": "nobody could"})

    advice = await incidents.call("GET", f"{path}/lint")

    found = {each["rule"]: each for each in advice["items"]}
    assert {"named-person", "hindsight", "impact-without-numbers", "vague-action", "action-without-link"} <= set(found)
    assert "failed-to" not in found  # a service did
    assert [each["match"] for each in advice["items"] if each["rule"] == "vague-action"] == ["Improve"]
    assert found["hindsight"]["sentence"] == "Ana should have limited the queue."
    assert (found["hindsight"]["section"], found["hindsight"]["line"], found["hindsight"]["column"]) == (
        "root_causes",
        1,
        20,
    )
    assert (await incidents.call("POST", f"{path}:publish", {"reason": "urgent"}))["state"] == "published"


async def test_people_who_are_registered_approve_for_their_own_side(incidents: Running, path: str, as_: As) -> None:
    for name, side in (("bo", "sre"), ("cy", "dev"), ("dee", "sre")):
        body = {"name": name, "display_name": name, "team": "t", "side": side, "zone": "UTC", "contact": {}}
        await incidents.call("POST", "/v1/people", body, expect=201)
    wrong = {"reviewers": [{"person": "cy", "side": "sre"}]}
    problem = await incidents.call("POST", f"{path}:submit", wrong, expect=409)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("no-reviewer", "/reviewers/0/side")
    await incidents.call("DELETE", "/v1/people/dee")
    left = await incidents.call("POST", f"{path}:submit", {"reviewers": [{"person": "dee", "side": "sre"}]}, expect=422)
    assert (left["code"], left["errors"][0]["pointer"]) == ("owner-left", "/reviewers/0/person")

    await incidents.call("POST", f"{path}:submit")
    assert (await as_("cy").call("POST", f"{path}:approve", {"side": "sre"}, expect=409))["code"] == "no-reviewer"
    await as_("bo").call("POST", f"{path}:approve")
    assert (await as_("cy").call("POST", f"{path}:approve"))["state"] == "approved"


async def test_published_its_incident_is_of_the_class_of_the_root_cause(incidents: Running, path: str) -> None:
    causes = [
        {"kind": "contributing", "antipattern": "missing-timeout"},
        {"kind": "root", "antipattern": "retry-storm"},
    ]
    await incidents.call("PATCH", path, {"causes": causes}, If_Match='"3"')
    await incidents.call("POST", f"{path}:publish", {"reason": "urgent"})
    await incidents.call("POST", f"{path}:publish")  # sent twice it changes nothing

    assert (await incidents.call("GET", "/v1/incidents/INC-1"))["outage_class"] == "retry-storm"


async def test_a_risk_is_named_that_the_register_has(incidents: Running, path: str, lifecycle: Elsewhere) -> None:
    proposed = {"risk": "r-1", "service": "checkout-api", "title": "The provider is down", "at": lifecycle.clock.now()}
    await lifecycle.says("risk.proposed", "risk-register/checkout-api", **proposed)

    async def heard() -> bool:
        rows = await incidents.resources.views.dump(SURROUNDINGS)
        return any(row[:2] == ("risk", "r-1") for row in rows)

    await eventually(heard)
    amended = await incidents.call("PATCH", path, {"risks": ["r-1"]}, If_Match='"3"')
    problem = await incidents.call("PATCH", path, {"risks": ["r-1", "r-2"]}, If_Match='"4"', expect=422)

    assert amended["risks"] == ["r-1"]
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("unknown-reference", "/risks/1")


async def test_a_sender_of_alerts_took_part_in_nothing(incidents: Running, slo: Elsewhere) -> None:
    at = slo.clock.now()
    fired = {"alert": "burn-1", "slo": "checkout-availability", "service": "checkout-api", "severity": "page", "at": at}
    rates = {"factor": 14.4, "burn_rate_short": 25.0, "burn_rate_long": 20.0, "input_version": 7}
    windows = {"short_window": "5m", "long_window": "1h"}
    await slo.says("alert.fired", "budget/checkout-availability", **fired, **rates, **windows)

    async def opened() -> Any:
        return (await incidents.call("GET", "/v1/incidents"))["items"]

    [incident] = await eventually(opened)
    draft = await incidents.call("POST", "/v1/postmortems", {"incident": incident["number"]}, expect=201)

    assert (incident["declared_by"] != "", draft["participants"]) == (True, [])


async def test_who_had_a_role_took_part_in_it(incidents: Running) -> None:
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    await incidents.call("POST", "/v1/incidents/INC-1/roles", {"role": "incident_commander"})

    draft = await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1"}, expect=201)

    assert draft["participants"] == [{"person": "ana", "role": "incident commander"}]
