"""The two case studies of the SRE Workbook's chapter 18, from request to end, through the gateway.

Nothing but requests of people with their own keys: what the services tell each other crosses between them, and only the
calendar is turned by hand.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.events.testing import FrozenClock
from services.cli.serve import embedded
from services.gateway.auth.admin_key import ensure_admin_key
from tests.e2e.story import SLO_DOCUMENT
from tests.fixtures.services import eventually

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SETTLED = {"evidence": "https://wiki.example/done"}


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    http: httpx.AsyncClient
    key: str

    async def call(self, method: str, path: str, body: object = None, *, expect: int = 200) -> Any:
        """The JSON of the answer, whose status must be *expect*."""
        headers = {"X-API-Key": self.key, "Prefer": "wait=10"}
        answer = await self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        if method != "GET" and (token := answer.headers.get("Consistency-Token")):
            self.http.headers["Consistency-Token"] = token  # whoever asks next has seen what was written last
        return answer.json() if answer.content else None

    async def post(self, path: str, body: object = None, *, expect: int = 200) -> Any:
        """As above; a verb needs a reason at least."""
        return await self.call("POST", path, {"reason": "so agreed"} if body is None else body, expect=expect)

    async def once(self, path: str, found: Callable[[Any], bool]) -> Any:
        """The answer at *path* as soon as it shows what was *found*: what others tell comes a moment later."""

        async def asked() -> Any:
            answer = await self.call("GET", path)
            return answer if found(answer) else None

        return await eventually(asked)


@dataclass(frozen=True)
class Company:
    """An installation, its calendar, and its people: Ana leads development, Bo SRE; Eve is of the team legacy."""

    ana: Person
    bo: Person
    eve: Person
    clock: FrozenClock

    async def engage(self, model: str, *services: str) -> str:
        """An active engagement over new services; gives its path."""
        teams: tuple[dict[str, Any], ...] = (
            {"name": "dev", "kind": "dev", "members": ["ana", "cy"], "leads": ["ana"]},
            {"name": "sre", "kind": "sre", "members": ["bo", "di"], "leads": ["bo"]},
            {"name": "legacy", "kind": "dev", "members": ["eve"]},
        )
        for team in teams:
            await self.ana.post("/v1/teams", team, expect=201)
        for name in services:
            service = {"name": name, "owner_team": "dev", "tier": 2, "phase": "general_availability"}
            await self.ana.post("/v1/services", service, expect=201)
        asked = {"sre_team": "sre", "dev_team": "dev", "services": services, "model": model, "reason": "it matters"}
        path = f"/v1/engagements/{(await self.ana.post('/v1/engagements', asked, expect=201))['id']}"
        await self.bo.post(f"{path}:triage", {"decision": "accepted", "reason": "we can help here"})
        await self.bo.post(f"{path}:activate")
        return path

    async def agree(self, path: str, part: str, *entries: dict[str, Any]) -> None:
        """An edition that both leads acknowledge."""
        await self.ana.call("PUT", f"{path}/{part}", {"entries": entries, "reason": "set-up"})
        for person, side in ((self.ana, "dev"), (self.bo, "sre")):
            await person.post(f"{path}/{part}:acknowledge", {"version": 1, "side": side})

    async def deploy(self, service: str, number: int, took: timedelta) -> None:
        """A version whose newest commit is as old as it *took*."""
        now = self.clock.now()
        body = {"id": f"{service}-{number}", "service": service, "environment": "production", "version": f"1.{number}"}
        body |= {"commit": f"{number:040x}", "committed_at": (now - took).isoformat(), "at": now.isoformat()}
        await self.ana.post("/v1/deployments", body, expect=201)

    async def outage(self, service: str) -> None:
        """An incident that is over at once."""
        told = {"title": f"{service} fails", "service": service, "severity": "sev2"}
        incident = (await self.bo.post("/v1/incidents", told, expect=201))["id"]
        await self.bo.post(f"/v1/incidents/{incident}:resolve", {"reason": "the cause is gone"})

    async def measure(self, service: str, slo: str) -> None:
        """Ten good minutes until now, and what they mean; all hear of it before the calendar is turned."""
        now = self.clock.now()
        start = now.replace(second=0, microsecond=0) - timedelta(minutes=10)
        minutes = [start + timedelta(minutes=minute) for minute in range(10)]
        buckets = [{"start": each.isoformat(), "good": 1000, "total": 1000} for each in minutes]
        await self.ana.post(f"/v1/slos/{slo}/measurements", {"buckets": buckets}, expect=202)

        def assessed(view: Any) -> bool:
            told = [each["assessed_at"] for each in view["slos"] if each["name"] == slo]
            return bool(told) and told[0] is not None and datetime.fromisoformat(told[0]) >= now

        await self.ana.once(f"/v1/services/{service}", assessed)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncGenerator[Company]:
    clock = FrozenClock()
    async with AsyncExitStack() as stack:
        installation = await stack.enter_async_context(
            embedded(clock, data_dir=tmp_path, database_url="memory:", service_wait_s=10)
        )
        transport = httpx.ASGITransport(installation.gateway)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://gateway"))
        file = await ensure_admin_key(installation.parts["gateway"].resources, tmp_path)
        admin = Person(http, file.read_text(encoding="utf-8").strip())
        until = clock.now() + 365 * DAY
        ana, bo, eve = [await _person(admin, name, until) for name in ("ana", "bo", "eve")]
        yield Company(ana, bo, eve, clock)


async def _person(admin: Person, name: str, until: datetime) -> Person:
    body = {"owner": name, "owner_kind": "person", "scopes": ["*"], "expires_at": until.isoformat()}
    return replace(admin, key=(await admin.post("/v1/api-keys", body, expect=201))["key"])


@pytest.mark.timeout(180)
async def test_ares_developers_are_empowered_and_then_run_it_by_themselves(company: Company) -> None:
    ana, bo, clock = company.ana, company.bo, company.clock
    path = await company.engage("embedded", "ares")
    document = SLO_DOCUMENT | {"metadata": {"name": "ares-answers"}}
    document["spec"] = SLO_DOCUMENT["spec"] | {"service": "ares"}  # type: ignore[operator]
    await ana.post("/v1/slos", document, expect=201)
    fast = {"id": "fast", "kind": "velocity", "title": "faster", "metric": "lead_time", "target": 24, "unit": "h"}
    safe = {"id": "safe", "kind": "reliability", "title": "not worse", "slo": "ares-answers"}
    await company.agree(path, "goals", fast, safe)
    skills = {"title": "operating ares", "topic": "reliability_for_developers", "owner": "di", "due": "2026-12-15"}
    training = (await bo.post(f"{path}/trainings", skills, expect=201))["id"]
    pipeline = {"title": "self-service pipeline", "side": "sre", "owner": "di", "due": "2026-12-20", "serves": "fast"}
    milestone = (await bo.post(f"{path}/plan", pipeline, expect=201))["id"]
    for number in range(3):  # every release waits for SRE
        clock.advance(DAY)
        await company.outage("ares")
        await company.deploy("ares", number, 72 * HOUR)
    await company.measure("ares", "ares-answers")
    await bo.post(f"{path}/trainings/{training}:hold", {"people": ["ana", "cy"], "outcome": "they run drills alone"})
    await bo.post(f"{path}/plan/{milestone}:complete", {"outcome": "a day from commit to production"})

    await bo.post(f"{path}:start-handback", {"receiver": "dev", "reason": "they run it well"})
    clock.advance(15 * DAY)
    for item in (await bo.call("GET", f"{path}/handback"))["items"]:
        await ana.post(f"{path}/handback/{item['id']}:settle", SETTLED)
    await bo.post(f"{path}:hand-back", {"re_entry": ["the objective is missed"], "reason": "settled"})
    await ana.once("/v1/services/ares", lambda shown: shown["engagement"] is None)
    clock.advance(DAY)
    await company.outage("ares")
    await company.deploy("ares", 10, 8 * HOUR)
    await company.measure("ares", "ares-answers")

    def heard(shown: Any) -> bool:
        after = {each["metric"]: each["after"] for each in shown["figures"]}
        return (after["incidents"], after["lead_time"], after["slo_days_met"]) == (1, 8, 1)

    await ana.once(f"{path}/handback", heard)
    clock.advance(90 * DAY)
    compared = await ana.once(f"{path}/handback", lambda shown: shown["final"])
    figures = {each["metric"]: (each["before"], each["after"]) for each in compared["figures"]}
    assert (figures["incidents"], figures["lead_time"], figures["slo_days_met"]) == ((3, 1), (72, 8), (1, 1))

    ending = {"ending": "dev_self_sufficient", "reason": "faster to production, and not less reliable"}
    ended = await bo.post(f"{path}:disengage", ending)
    assert (ended["ending"], ended["receiver"]) == ("dev_self_sufficient", "dev")


@pytest.mark.timeout(180)
async def test_the_data_analysis_pipeline_ends_with_one_owner_of_the_old_system(company: Company) -> None:
    ana, bo, eve, clock = company.ana, company.bo, company.eve, company.clock
    path = await company.engage("full", "pipeline", "pipeline-next")
    await bo.call(
        "PUT", f"{path}/meeting-series/sync", {"title": "Weekly sync", "every_days": 7, "reason": "so agreed"}
    )
    for number, took in enumerate((24 * HOUR, 60 * HOUR, 190 * HOUR)):  # small changes slow down
        await company.deploy("pipeline", number, took)
        clock.advance(7 * DAY)
    signs = (
        {"title": "investment moves to the replacement", "side": "dev", "topic": "architectural_change"},
        {"title": "small changes take longer each month", "side": "sre", "topic": "bottleneck"},
        {"title": "usage still grows", "side": "sre", "topic": "user_impact"},
    )
    for sign in signs:
        await bo.post(f"{path}/insights", sign | {"services": ["pipeline"]}, expect=201)
    clock.advance(DAY)

    health = await bo.once(f"{path}/health", lambda shown: any(each["series"]["missed"] for each in shown["cadence"]))
    assert [each["series"]["series"] for each in health["cadence"] if each["overdue"]] == ["sync"]  # nobody comes
    for each in (await bo.once(f"{path}/insights", lambda page: len(page["items"]) == 3))["items"]:
        await ana.post(f"{path}/insights/{each['id']}:conclude", {"outcome": "one team owns the old system"})

    # the old system gets one owner, and SRE works on for the new one
    await bo.post(f"{path}/services/pipeline-next:remove")
    await bo.post(f"{path}:start-handback", {"receiver": "legacy", "reason": "one team owns it"})
    clock.advance(15 * DAY)
    await ana.post(f"{path}/handback/receiver-accepts:settle", SETTLED, expect=403)
    for item in (await bo.call("GET", f"{path}/handback"))["items"]:
        await eve.post(f"{path}/handback/{item['id']}:settle", SETTLED)
    ended = await bo.post(f"{path}:disengage", {"ending": "reorganised", "reason": "SRE works on the new one"})
    assert (ended["state"], ended["receiver"]) == ("disengaged", "legacy")
    await ana.once("/v1/services/pipeline", lambda shown: shown["engagement"] is None)
    again = {"sre_team": "sre", "dev_team": "dev", "services": ["pipeline-next"], "model": "embedded", "reason": "new"}
    fresh = f"/v1/engagements/{(await ana.post('/v1/engagements', again, expect=201))['id']}"
    await bo.post(f"{fresh}:triage", {"decision": "accepted", "reason": "from the design on"})

    refused = await bo.post(f"{fresh}:activate", expect=422)
    assert refused["code"] == "delta-review-missing"
    clock.advance(DAY)
    review = {"kind": "delta_readiness_review", "at": clock.now().isoformat(), "url": "https://wiki.example/review"}
    await bo.post("/v1/services/pipeline-next/evidence", review, expect=201)
    await bo.post(f"{fresh}:activate")
    shown = await ana.once("/v1/services/pipeline-next", lambda view: view["engagement"] is not None)
    assert shown["sre_team"] == "sre"
