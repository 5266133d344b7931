"""The product's main story, told through the gateway; the same for every way of running Concordat.

A service goes from design to limited availability, gets an SLO, spends its budget in a bad hour, is refused general
availability, recovers, learns, and passes.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from services.slo.measurements.access_log import read_access_log

ROOT = Path(__file__).parents[2]
SHARED_LOG = ROOT.parent / "shared" / "data" / "access.log"
EXCERPT = ROOT / "docs" / "examples" / "access.log"
SERVICE = "checkout-api"
SLO = "checkout-availability"
LOG_READ_AT = "2015-05-20T21:06:00Z"
MINUTE = timedelta(minutes=1)
_PATIENCE_S = 30.0

SLO_DOCUMENT = {
    "apiVersion": "openslo/v1",
    "kind": "SLO",
    "metadata": {"name": SLO, "displayName": "Checkout answers"},
    "spec": {
        "description": "Answers with a status below 500",
        "service": SERVICE,
        "indicator": {
            "metadata": {"name": "checkout-answers"},
            "spec": {
                "ratioMetric": {
                    "counter": True,
                    "good": {"metricSource": {"type": "concordat", "spec": {"query": "push"}}},
                    "total": {"metricSource": {"type": "concordat", "spec": {"query": "push"}}},
                }
            },
        },
        "timeWindow": [{"duration": "28d", "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"displayName": "Good", "target": 0.99}],
    },
}


class Told(Exception):  # noqa: N818  not an error of the product
    """The story went another way."""


@dataclass
class Teller:
    """Tells the story to one gateway and remembers what it must find again.

    Args:
        http: A client of the gateway with an API key.
        now: The time of the story's present, a full minute.
    """

    http: httpx.AsyncClient
    now: datetime
    incident: str = ""
    before_move: datetime | None = None
    remembered: dict[str, Any] = field(default_factory=dict[str, Any])

    async def call(self, method: str, path: str, body: object = None, *, expect: int = 200) -> Any:
        """The answer's JSON; `Told` if its status is another than *expect*."""
        answer = await self.http.request(method, path, json=body, headers={"Prefer": "wait=10"})
        if answer.status_code != expect:
            message = f"{method} {path}: {answer.status_code} instead of {expect}: {answer.text}"
            raise Told(message)
        return answer.json() if answer.content else None

    async def eventually(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """The answer of *path* as soon as it *holds*; facts cross between services, so some take a moment."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            answer = await self.call("GET", path)
            if holds(answer):
                return answer
            if time.monotonic() > deadline:
                message = f"GET {path} never held within {_PATIENCE_S} s: {answer}"
                raise Told(message)

    async def move(self, to: str, reason: str, *, expect: int = 200) -> Any:
        """Ask for the next phase."""
        return await self.call(
            "POST", f"/v1/services/{SERVICE}:transition", {"to": to, "reason": reason}, expect=expect
        )

    async def attest(self, *kinds: str) -> None:
        """Record dated evidence."""
        for kind in kinds:
            at = datetime.now(UTC).isoformat()
            body = {"kind": kind, "at": at, "url": f"https://wiki.example.com/{kind}", "by": "ana"}
            await self.call("POST", f"/v1/services/{SERVICE}/evidence", body, expect=201)

    async def attest_what_is_missing(self, phase: str) -> None:
        """Record evidence of each check of a gate that nobody has attested; measured ones do not look at it."""
        gate = await self.call("GET", f"/v1/services/{SERVICE}/gates/{phase}")
        blocking = [check for check in gate["checks"] if check["blocking"] and check["result"] in {"fail", "unknown"}]
        await self.attest(*(check["id"] for check in blocking))

    async def measure(self, start: datetime, minutes: int, good: int, total: int) -> None:
        """Send *minutes* buckets from *start*, in a few requests."""
        buckets = [{"start": (start + i * MINUTE).isoformat(), "good": good, "total": total} for i in range(minutes)]
        for first in range(0, minutes, 10_000):
            body = {"buckets": buckets[first : first + 10_000]}
            await self.call("POST", f"/v1/slos/{SLO}/measurements", body, expect=202)

    async def tell(self) -> None:
        """All of it, once."""
        await self.found()
        await self.reach_limited_availability()
        await self.import_access_log()
        await self.spend_the_budget()
        await self.be_refused()
        await self.repair_and_learn()
        await self.pass_the_gate()

    async def found(self) -> None:
        """Two teams and a service."""
        await self.call(
            "POST", "/v1/teams", {"name": "checkout", "kind": "dev", "display_name": "Checkout"}, expect=201
        )
        await self.call("POST", "/v1/teams", {"name": "sre", "kind": "sre", "display_name": "SRE"}, expect=201)
        service = {"name": SERVICE, "owner_team": "checkout", "tier": 1}
        await self.call("POST", "/v1/services", service, expect=201)

    async def reach_limited_availability(self) -> None:
        """Phases 1 to 3; each gate says which evidence it lacks, and takes it."""
        for phase in ("active_development", "limited_availability"):
            gate = await self.call("GET", f"/v1/services/{SERVICE}/gates/{phase}")
            missing = [check for check in gate["checks"] if check["blocking"] and check["result"] != "pass"]
            if gate["passed"] or not missing or not all(check["how_to_fix"] for check in missing):
                message = f"the gate to {phase} should ask for evidence and say how to give it: {gate}"
                raise Told(message)
            await self.move(phase, "too early", expect=422)
            await self.attest(*(check["id"] for check in missing))
            await self.move(phase, "reviewed")

    async def import_access_log(self) -> None:
        """An SLO, and the counts of a real access log at the time it was written."""
        await self.call("POST", "/v1/slos", SLO_DOCUMENT, expect=201)
        log = read_access_log(access_log())
        buckets = [{"start": b.start.isoformat(), "good": b.good, "total": b.total} for b in log.buckets]
        await self.call("POST", f"/v1/slos/{SLO}/measurements", {"buckets": buckets}, expect=202)
        good, total = (sum(getattr(bucket, count) for bucket in log.buckets) for count in ("good", "total"))
        status = await self.eventually(f"/v1/slos/{SLO}/status?at={LOG_READ_AT}", lambda s: s["total"] == total)
        expected = len(log.buckets) / (28 * 24 * 60)
        if status["good"] != good or abs(status["coverage"] - expected) > 1e-9:
            message = f"counted {good} of {total} in {len(log.buckets)} minutes, but the status says {status}"
            raise Told(message)

    async def spend_the_budget(self) -> None:
        """A bad hour just now; the alert fires and an incident is open."""
        await self.measure(self.now - timedelta(hours=1), 60, good=500, total=1000)
        listed = await self.eventually(f"/v1/incidents?service={SERVICE}", lambda page: len(page["items"]) == 1)
        self.incident = listed["items"][0]["id"]
        await self.eventually(f"/v1/incidents/{self.incident}/timeline", lambda page: len(page["items"]) >= 1)

    async def be_refused(self) -> None:
        """The gate to general availability names what failed, on which evidence, and how to mend it."""
        path = f"/v1/services/{SERVICE}/gates/general_availability"
        gate = await self.eventually(
            path, lambda gate: failed(gate) >= {"slo_met_with_coverage", "no_open_sev1_2_incident"}
        )
        if not all(check["how_to_fix"] and check["evidence"] for check in gate["checks"] if check["result"] == "fail"):
            message = f"a failed check must show its evidence and how to fix it: {gate}"
            raise Told(message)
        refusal = await self.move("general_availability", "the launch is tomorrow", expect=422)
        if refusal["code"] != "gate-not-passed":
            message = f"refused for another reason: {refusal}"
            raise Told(message)

    async def repair_and_learn(self) -> None:
        """Acknowledge, mitigate, resolve; a postmortem with an action; good measurements for the other days."""
        for verb in ("acknowledge", "mitigate"):
            await self.call("POST", f"/v1/incidents/{self.incident}:{verb}", {"reason": "on it"})
        await self.measure(self.now - timedelta(days=28), 28 * 24 * 60 - 60, good=1000, total=1000)
        forced = {"force": True, "reason": "rolled back, the alert needs an hour to see it"}
        await self.call("POST", f"/v1/incidents/{self.incident}:resolve", forced)
        draft = await self.call("POST", "/v1/postmortems", {"incident": self.incident}, expect=201)
        action = {
            "postmortem": draft["id"],
            "title": "Roll back by itself when the canary fails",
            "owner": "ana",
            "type": "prevent",
            "priority": "P1",
            "due": (self.now + timedelta(days=30)).date().isoformat(),
        }
        await self.call("POST", "/v1/actions", action, expect=201)
        await self.call("POST", f"/v1/postmortems/{draft['id']}:publish", {"reason": "reviewed by both sides"})

    async def pass_the_gate(self) -> None:
        """The budget is back, people attest what only they can see, the gate passes; the past can still be read."""
        await self.attest_what_is_missing("general_availability")
        await self.eventually(f"/v1/services/{SERVICE}/gates/general_availability", lambda gate: gate["passed"])
        self.before_move = datetime.now(UTC)
        await self.move("general_availability", "28 days within the objective")
        await self.eventually(f"/v1/services/{SERVICE}", lambda view: view["phase"] == "general_availability")

    async def settled(self) -> dict[str, Any]:
        """The answers once they stay the same: everything that was heard has been folded."""
        # The good days came after the tickets and contradict them, which is looked for with every tick.
        await self.eventually(
            f"/v1/slos/{SLO}/alerts",
            lambda page: all(alert["correction"] for alert in page["items"] if alert["severity"] == "ticket"),
        )
        before: dict[str, Any] = {}
        deadline = time.monotonic() + _PATIENCE_S
        while (now := await self.answers()) != before:
            if time.monotonic() > deadline:
                message = f"the answers never settle within {_PATIENCE_S} s"
                raise Told(message)
            before = now
            await asyncio.sleep(1)  # longer than any fact takes to cross
        return before

    async def answers(self) -> dict[str, Any]:
        """What must be the same after every restart and rebuild."""
        at = self.now.isoformat().replace("+00:00", "Z")
        paths = [
            f"/v1/services/{SERVICE}",
            f"/v1/services/{SERVICE}/phases",
            f"/v1/services/{SERVICE}/gates/general_availability/evaluations",
            f"/v1/slos/{SLO}/status?at={at}",
            f"/v1/slos/{SLO}/alerts",
            f"/v1/slos/{SLO}/status?at={LOG_READ_AT}",
            f"/v1/incidents?service={SERVICE}",
            f"/v1/incidents/{self.incident}/timeline",
            "/v1/postmortems",
            "/v1/actions",
            f"/v1/services/{SERVICE}/timeline?page_size=1000",
            "/v1/teams",
        ]
        return {path: await self.call("GET", path) for path in paths}


def failed(gate: Any) -> set[str]:
    """The ids of the checks that failed."""
    return {check["id"] for check in gate["checks"] if check["result"] == "fail"}


def access_log() -> Path:
    """The real access log where it is at hand, else an excerpt that the project made itself."""
    return SHARED_LOG if SHARED_LOG.exists() else EXCERPT
