"""Meetings, quarterly updates and service reviews: drafted from data, completed by people."""

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from libs.events.testing import FrozenClock
from tests.fixtures.engagements import DAY, active, once, shift_closes
from tests.fixtures.lifecycle_api import IN_MEMORY, ROBOT, assess, signed_in
from tests.fixtures.services import Elsewhere, Running, eventually

TOLD = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev2"}


def lines(pack: list[Any]) -> dict[str, dict[str, str]]:
    """Label and value of each line, by section."""
    return {section["title"]: {line["label"]: line["value"] for line in section["lines"]} for section in pack}


async def test_a_quarterly_update_is_drafted_from_data_told_by_both_sides_and_decided(
    lifecycle: Running, incidents: Elsewhere, slo: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    await engaged.rule()
    clock.advance(timedelta(hours=1))  # less than a day: nothing is looked at meanwhile
    await incidents.says("incident.declared", "incident/i1", **TOLD, at=clock.now())
    clock.advance(timedelta(hours=3))
    await incidents.says("incident.resolved", "incident/i1", **TOLD, at=clock.now())
    await shift_closes(incidents, 3)
    await assess(slo, clock.now())
    await engaged.do("/wins", {"title": "the launch was quiet"}, expect=201)
    risk = {"service": "checkout-api", "title": "The provider is down"}
    await lifecycle.call("POST", "/v1/risks", risk, expect=201)

    async def drafted() -> Any:
        made = await engaged.do("/quarterly-updates", {}, expect=201)
        known = lines(made["pack"])
        heard = "INC-1" in known["Incidents"] and known["Ground rules"]["pages"] != "unknown"
        shown = "checkout-availability" in known["SLOs and budgets"] and len(known["Plan, insights and wins"]) == 1
        shown = shown and len(known["Risks"]) == 2
        resolved = known["Incidents"].get("mean time to resolve")
        return made if heard and shown and resolved else None

    made = await eventually(drafted)
    known, path = lines(made["pack"]), f"/quarterly-updates/{made['id']}"
    assert known["SLOs and budgets"] == {"checkout-availability": "99.500% of 99.000%"}
    assert known["Incidents"] == {"checkout-api": "1", "INC-1": "sev2", "mean time to resolve": "3.0 h"}
    assert known["Load"]["pages per shift of sre"] == "3.0"
    assert known["Load"]["shifts of dev"] == "unknown"
    assert known["Releases"] == {"releases": "unknown"}
    assert known["Capacity"] == {"checkout-api": "unknown"}
    assert known["Risks"] == {"checkout-api": "1", "The provider is down": "proposed"}
    assert known["Waivers"] == {}
    assert known["Ground rules"] == {"pages": "3", "breaches": "0"}
    assert known["Plan, insights and wins"] == {"win: the launch was quiet": "proposed"}
    assert all(line["url"].startswith("/v1/") for section in made["pack"] for line in section["lines"])

    problem = await engaged.do(f"{path}:hold", {"reason": "x"}, expect=422)
    assert [place["pointer"] for place in problem["errors"]] == ["/statements/dev", "/statements/sre", "/decision"]
    await engaged.do(f"{path}:tell", {"side": "sre", "text": "loud"}, expect=403)
    await engaged.do(f"{path}:tell", {"side": "sre", "text": "One alert is *loud*."}, by=engaged.bo)
    told = await engaged.do(f"{path}:tell", {"side": "dev", "text": "We sell abroad."})
    assert (told["missing"], told["next"][0]["how"]) == ([], f"POST {engaged.path}{path}:hold")
    robot = signed_in(lifecycle, ROBOT)
    await engaged.do(f"{path}:hold", {"decision": "continue", "reason": "x"}, by=robot, expect=403)
    held = await engaged.do(f"{path}:hold", {"decision": "change_model", "reason": "it is calm"})
    assert (held["state"], held["next"][0]["how"]) == ("held", f"POST {engaged.path}:change-model")

    series = {each["series"]: each for each in (await engaged.get())["series"]}
    assert series["quarterly-update"]["held"] == 1
    assert series["quarterly-update"]["due"][:10] == "2027-02-21"
    assert (await engaged.do(f"{path}:tell", {"side": "dev", "text": "late"}, expect=409))["code"] == "illegal-verb"


class Tags(HTMLParser):
    """The elements and links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]


@IN_MEMORY
async def test_a_pack_is_a_document_in_which_nothing_that_people_wrote_is_carried_out(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    made = await engaged.do("/quarterly-updates", {}, expect=201)
    path = f"/quarterly-updates/{made['id']}"
    evil = "<script>alert(1)</script> [here](javascript:alert(1)) **fine**"
    await engaged.do(f"{path}:tell", {"side": "dev", "text": evil})

    text = await lifecycle.client.get(f"{engaged.path}{path}/document")
    page = await lifecycle.client.get(f"{engaged.path}{path}/document?format=html")

    assert text.headers["Content-Type"].startswith("text/markdown")
    assert "- checkout-api: [0](/v1/incidents?service=checkout-api)" in text.text
    tags = Tags(page.text)
    assert not tags.names & {"script", "iframe", "img"}
    assert "strong" in tags.names
    assert all(link.startswith("/v1/") for link in tags.links)
    assert "sandbox" in page.headers["Content-Security-Policy"]


@IN_MEMORY
async def test_a_service_review_asks_how_far_the_roadmaps_reach(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    path = f"/service-reviews/{(await engaged.do('/service-reviews', {}, expect=201))['id']}"
    roadmap = {"side": "dev", "text": "two launches"}

    await engaged.do(f"{path}:tell", roadmap, expect=422)
    problem = await engaged.do(f"{path}:tell", roadmap | {"horizon_months": 6}, expect=422)
    assert problem["errors"][0]["detail"] == "a roadmap of a service review reaches 12 to 18 months"
    await engaged.do(f"{path}:tell", roadmap | {"horizon_months": 18})
    await engaged.do(f"{path}:tell", {**roadmap, "side": "sre", "horizon_months": 12}, by=engaged.bo)

    assert (await engaged.do(f"{path}:hold", {"decision": "continue", "reason": "good"}))["decision"] == "continue"


async def test_meetings_have_a_cadence_an_agenda_from_data_and_notes(lifecycle: Running, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    series = {"title": "Weekly sync", "every_days": 7, "reason": "so agreed"}
    await lifecycle.call("PUT", f"{engaged.path}/meeting-series/sync", series)
    late = {"title": "read the runbooks", "topic": "joint_workshop", "owner": "di", "due": "2026-11-22"}
    await engaged.do("/trainings", late, expect=201)

    clock.advance(8 * DAY)
    shown = await once(engaged, "", lambda shown: any(each["missed"] for each in shown["series"]))
    assert [step["what"] for step in shown["next"] if step["overdue"]] == ["hold the weekly sync"]

    async def drafted() -> Any:
        made = await engaged.do("/meetings", {"series": "sync"}, expect=201)
        return made if "Overdue" in lines(made["pack"]) else None

    made = await eventually(drafted)
    assert lines(made["pack"])["Overdue"] == {"read the runbooks": "was due on 2026-11-22"}
    path = f"/meetings/{made['id']}"
    await engaged.do(f"{path}:hold", {"reason": "x"}, expect=422)
    noted = await lifecycle.call("PATCH", f"{engaged.path}{path}", {"notes": "done by Friday"}, If_Match='"1"')
    assert noted["notes"] == "done by Friday"
    await engaged.do(f"{path}:hold", {"reason": "we met"})
    (sync,) = [each for each in (await engaged.get())["series"] if each["series"] == "sync"]
    assert (sync["held"], sync["due"][:10]) == (1, "2026-12-06")

    ended = await lifecycle.call("DELETE", f"{engaged.path}/meeting-series/sync")
    assert len(ended["series"]) == 2
    await lifecycle.call("DELETE", f"{engaged.path}/meeting-series/quarterly-update", expect=422)
    await engaged.do("/meetings", {"series": "sync"}, expect=422)
    assert await once(engaged, "/meetings", lambda page: page["items"])
