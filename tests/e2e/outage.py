"""An outage as people live through it: called, at work, looking back."""

import asyncio
import signal
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.e2e.crew import Crew, content, within_patience
from tests.fixtures.paging import Taken
from tests.fixtures.servers import DevServers

SERVICE, SCHEDULE, WORKER = "checkout-api", "checkout-primary", "incidents-worker"
GATE = f"/v1/services/{SERVICE}/gates/general_availability"
PEOPLE = {"ana": ("checkout", "dev"), "bo": ("checkout", "dev"), "cy": ("sre", "sre")}
ALERTS_WHILE_AWAY = 20
_STEPS = [
    {"targets": [{"kind": "schedule", "name": SCHEDULE}], "delay": "PT30S"},
    {"targets": [{"kind": "person", "name": "bo"}], "delay": "PT1H"},
]
_ACTIONS = {"ana": "Limit the order queue to 500", "bo": "Alert on the age of orders", "cy": "Drill the roll-back"}


@dataclass(kw_only=True)
class Outage(Crew):
    """One outage of checkout: Ana is on call, then Bo; Cy is of SRE.

    Args:
        servers: Concordat, a process for each role.
        first: The incident's number.
        second: That of another one, which turns out to be the same.
        kills: How often the worker was killed.
        bo_is_there: Whether Bo's webhook takes anything yet.
        answered: Whether it took a page.
        unanswered: How often it did not, or nobody heard that it did.
    """

    servers: DevServers
    first: str = ""
    second: str = ""
    postmortem: str = ""
    kills: int = 0
    bo_is_there: bool = False
    answered: bool = False
    unanswered: int = 0

    def kill_the_worker(self) -> None:
        """Take the process that calls people away; it is started again."""
        self.servers.signal(WORKER, signal.SIGKILL)
        self.kills += 1

    async def prepare(self) -> None:
        """Teams with people, who is on call, whom to call, and two senders of alerts."""
        self.keys["bo"] = self.servers.api_key
        for name in PEOPLE:
            body = {"owner": name, "owner_kind": "person", "scopes": ["*"]}
            self.keys[name] = (await self.call("POST", "/v1/api-keys", body, expect=201))["key"]
        for team, kind in (("checkout", "dev"), ("sre", "sre")):
            members = [name for name, (of, _) in PEOPLE.items() if of == team]
            body = {"name": team, "kind": kind, "members": members, "leads": members[:1]}
            await self.call("POST", "/v1/teams", body, expect=201)
        service = {"name": SERVICE, "owner_team": "checkout", "tier": 1, "phase": "limited_availability"}
        await self.call("POST", "/v1/services", service, expect=201)
        for name, (team, side) in PEOPLE.items():
            person = {"name": name, "display_name": name.title(), "team": team, "side": side, "site": "mad"}
            contact = {"webhook": f"{self.receiver.url}/{name}"}
            await self.once_known("/v1/people", person | {"contact": contact})
        began = datetime.now(UTC) - timedelta(minutes=5)
        rotation = {"name": "checkout", "type": "daily", "start": began.strftime("%Y-%m-%dT%H:%M")}
        await self.once_known("/v1/rotations", rotation | {"participants": ["ana", "bo"]})
        layers = [{"name": "primary", "rotation": "checkout"}]
        await self.once_known("/v1/schedules", {"name": SCHEDULE, "services": [SERVICE], "layers": layers})
        await self.once_known("/v1/escalation-policies", {"name": "checkout", "team": "checkout", "steps": _STEPS})
        for name, kind, rule in (("pd", "pagerduty", {"group_by": ["component"]}), ("am", "alertmanager", {})):
            made = await self.once_known("/v1/integrations", {"name": name, "kind": kind, "service": SERVICE, **rule})
            self.senders[name] = made["routing_key"] or made["key"]
        await self.would_call("ana", "bo")

    async def would_call(self, *people: str) -> None:
        """A dry run says who would be called, once all that it reads is known."""

        async def rehearsed() -> bool:
            body = {"service": SERVICE, "severity": "sev2"}
            plan = await self.call("POST", "/v1/escalation-policies:dry-run", body)
            return [each["person"] for each in plan["calls"]] == list(people)

        await within_patience("the dry run", rehearsed)

    async def the_worker_dies_between_the_alert_and_the_page(self) -> None:
        """It stands still while the alert is stored, and is killed before it could call anybody.

        An append is one statement, so that a process that stands still keeps no other from storing.
        """
        self.receiver.answer = self.answer
        self.servers.signal(WORKER, signal.SIGSTOP)
        await self.enqueue("orders-0")
        assert self.receiver.taken == []
        self.kill_the_worker()
        page = await self.page("ana", 1)
        self.first = page["number"]
        await self.eventually(GATE, lambda said: self.first in str(check_of(said, "no_open_sev1_2_incident")))

    async def alerts_arrive_while_kafka_is_gone(self) -> None:
        """They are accepted and grouped, and who is on call is called and takes it on, by the database alone.

        The worker is killed once more: it comes back without Kafka, too.
        """
        await self.noted("ana", 1)
        self.servers.signal("kafka", signal.SIGKILL)
        self.kill_the_worker()
        await asyncio.gather(*(self.enqueue(f"orders-{number}") for number in range(1, ALERTS_WHILE_AWAY + 1)))
        await self.notify([f"web-{number}" for number in range(5)], "firing")
        page = await self.page("ana", 2)
        self.second = page["number"]
        await self.take_on(page)
        for incident, alerts in ((self.first, ALERTS_WHILE_AWAY + 1), (self.second, 5)):
            await self.eventually(
                f"/v1/incidents/{incident}", lambda said, wanted=alerts: len(said["alerts"]) == wanted
            )

    async def nobody_answers(self) -> None:
        """So the next step is called; the worker dies before it hears the answer, and asks again under the same id."""
        await self.noted("ana", 2)
        self.bo_is_there = True
        page = await self.page("bo", 1)
        assert page["number"] == self.first

        async def again() -> bool:
            return len(self.pages("bo")) > self.unanswered > 0 and self.answered

        await within_patience("the page whose answer was lost, again", again)
        assert len({each.id for each in self.pages("bo")}) == 1
        await self.take_on(page)

    async def answer(self, taken: Taken) -> web.StreamResponse:
        """What Bo's webhook says: at first that it is not there, then nothing, since who asked is killed."""
        if taken.path != "/bo" or content(taken)["type"] != "incident.page" or self.answered:
            return web.Response()
        self.unanswered += 1
        if not self.bo_is_there:
            return web.Response(status=503)
        self.answered = True
        self.kill_the_worker()
        return web.Response()  # which nobody hears

    async def work(self) -> None:
        """Roles, what people write down and tell others; the second incident turns out to be the same."""
        path = f"/v1/incidents/{self.first}"
        await self.call("POST", f"{path}/roles", {"role": "incident_commander"})
        await self.call("POST", f"{path}/roles/incident_commander:hand-over", {"to": "cy", "reason": "I look at it"})
        asked = await within_patience("Cy is asked", self._asked_cy)
        assert "incident_commander" in content(asked)["data"]["text"]
        await self.call("POST", f"{path}/roles/incident_commander:acknowledge", by="cy")
        await self.call("POST", f"{path}/roles", {"role": "operations"})
        await self.call("POST", f"{path}/roles", {"role": "communications", "person": "ana"}, by="cy")
        await self.call("POST", f"{path}:investigate", {"reason": "orders wait"})
        await self.call("PUT", f"{path}/updates/cadence", {"every": "PT30M"}, by="ana")
        told = {"text": "Orders wait for minutes; none is lost.", "audience": "customers"}
        await self.call("POST", f"{path}/updates", told, by="ana", expect=201)
        await self.call("POST", f"{path}:identify", {"reason": "a queue without a limit"})
        note = {"text": "Roll back to the release before.", "kind": "decision", "starred": True}
        await self.call("POST", f"{path}/timeline", note, by="cy", expect=201)
        merge = {"into": self.first, "reason": "the same queue"}
        merged = await self.call("POST", f"/v1/incidents/{self.second}:merge", merge, by="cy")
        assert merged["state"] == "merged"
        told = str((await self.call("GET", f"{path}/timeline"))["items"])
        assert all(words in told for words in (self.second, "Roll back to the release before.", "Orders wait"))
        whole = await self.call("GET", path)
        assert (len(whole["alerts"]), whole["roles"]["incident_commander"]) == (len(self.accepted), "cy")
        await self.call("POST", f"{path}:mitigate", {"reason": "the release before is back"})

    async def _asked_cy(self) -> Any:
        return next((each for each in self.receiver.by("cy") if content(each)["type"] == "incident.asked"), None)

    async def hand_over(self) -> None:
        """Ana goes and says what is open, Bo has read it and takes the shift."""
        path = f"/v1/schedules/{SCHEDULE}"
        note = {"note": f"{self.first} is mitigated; watch the queue."}

        async def noted() -> Any:
            left = await self.call("POST", f"{path}/handoffs", note, by="ana", expect=201)
            return left if self.first in left["incidents"] else None

        left = await within_patience("the hand-off", noted)
        read = await self.call("POST", f"{path}/handoffs/{left['shift']}:acknowledge")
        assert (read["acknowledged_by"], read["next"]) == ("bo", "")
        await self.call("POST", f"{path}:take", {"reason": "as agreed"}, expect=201)
        on_call = await self.call("GET", f"{path}/on-call")
        assert [each["person"] for each in on_call["on_call"]] == ["bo"]

    async def end(self) -> None:
        """Not while alerts fire; then it is over, and lifecycle's gate knows."""
        path = f"/v1/incidents/{self.first}"
        refused = await self.call("POST", f"{path}:resolve", {"reason": "looks well"}, expect=409)
        assert refused["code"] == "alerts-firing"
        await asyncio.gather(*(self.enqueue(key, "resolve") for key in self.accepted if key.startswith("orders")))
        await self.notify([key for key in self.accepted if key.startswith("web")], "resolved")
        await self.eventually(path, lambda said: not said["alerts_firing"])
        assert (await self.call("POST", f"{path}:resolve", {"reason": "an hour of quiet"}))["state"] == "resolved"
        await self.eventually(
            GATE, lambda said: check_of(said, "no_open_sev1_2_incident")["result"] == "pass", by="ana"
        )
        waits = await self.eventually("/v1/inbox", lambda said: self.first in str(said["items"]), by="ana")
        assert "postmortem" in str(waits["counts"])

    async def learn(self) -> None:
        """A postmortem that blames nobody, read by both sides before it is published."""
        draft = await self.call("POST", "/v1/postmortems", {"incident": self.first}, expect=201)
        self.postmortem = path = f"/v1/postmortems/{draft['id']}"
        said = {
            "summary": "Orders waited for four minutes after a release.",
            "impact": "12 % of 8,000 customers waited longer than a minute; no order was lost.",
            "root_causes": "The queue had no limit. Bo should have limited it.",
            "causes": [{"kind": "root", "antipattern": "unbounded-queue", "note": "of orders"}],
        }
        await self._amend(said)
        advice = await self.call("GET", f"{path}/lint")
        assert "hindsight" in [each["rule"] for each in advice["items"]]
        await self._amend({"root_causes": "The queue had no limit, and no alert told of its length."})
        assert "hindsight" not in str((await self.call("GET", f"{path}/lint"))["items"])
        for owner, title in _ACTIONS.items():
            task = {"postmortem": draft["id"], "title": title, "owner": owner, "type": "prevent", "priority": "P1"}
            await self.call("POST", "/v1/actions", task, expect=201)
        reviewers = [{"person": "cy", "side": "sre"}, {"person": "ana", "side": "product"}]
        await self.call("POST", f"{path}:submit", {"reviewers": reviewers})
        await self.call("POST", f"{path}:approve", by="cy")
        assert (await self.call("POST", f"{path}:publish", expect=409))["code"] == "review-missing"
        await self.call("POST", f"{path}:approve", by="ana")
        published = await self.call("POST", f"{path}:publish")
        assert (published["state"], published["reviewed"]) == ("published", True)
        await self.call("POST", f"/v1/incidents/{self.first}:close", {"reason": "learned"})

    async def _amend(self, said: dict[str, Any]) -> None:
        etag = (await self.send("GET", self.postmortem)).headers["etag"]
        await self.call("PATCH", self.postmortem, said, if_match=etag)

    async def follow_through(self) -> None:
        """Each action waits in its owner's inbox until it is done, or is dropped with a reason."""
        listed = await self.eventually("/v1/actions", lambda said: len(said["items"]) == len(_ACTIONS))
        for action in listed["items"]:
            owner, path = action["owner"], f"/v1/actions/{action['id']}"
            inbox = "/v1/inbox?kind=postmortem_action"
            await self.eventually(inbox, lambda said, title=action["title"]: title in str(said["items"]), by=owner)
            await self.call("POST", f"{path}:start", by=owner)
            verb = "drop" if owner == "cy" else "complete"
            await self.call("POST", f"{path}:{verb}", {"reason": "drilled with the last one"}, by=owner)
            await self.eventually(inbox, lambda said, title=action["title"]: title not in str(said["items"]), by=owner)

    async def figures(self) -> None:
        """What it came to: one incident, who was called how often, what became of the actions."""
        metrics = await self.eventually(
            f"/v1/metrics/incidents?service={SERVICE}", lambda said: said["excluded"]["merged"] == 1
        )
        total = metrics["total"]
        assert (total["incidents"], total["still_open"]) == (1, 0)
        assert [total[name]["n"] for name in ("mttd", "mtta", "mttm", "mttr")] == [1, 1, 1, 1]
        woken = await self.eventually("/v1/metrics/incidents/interruptions", lambda said: said["total"]["pages"] == 3)
        assert {each["key"]: each["pages"] for each in woken["items"]} == {"ana": 2, "bo": 1}
        done = (await self.eventually("/v1/actions/follow-through", lambda said: said["total"]["still_open"] == 0))[
            "total"
        ]
        assert (done["opened"], done["done"], done["dropped"]) == (3, 2, 1)

    async def account(self) -> Counter[str]:
        """Nothing that was accepted is lost, and nobody was called twice for the same; gives the counts."""
        counts = Counter[str](accepted=len(self.accepted), kills=self.kills, unanswered=self.unanswered)
        alerts = (await self.call("GET", "/v1/alerts?page_size=1000"))["items"]
        incidents = (await self.call("GET", "/v1/incidents?page_size=1000"))["items"]
        whole = await self.call("GET", f"/v1/incidents/{self.first}")
        sent = (await self.call("GET", "/v1/notifications?page_size=1000"))["items"]
        pages = [each for each in sent if each["kind"] == "page"]
        arrived = Counter(each.id for each in self.pages())
        steps = {(content(each)["data"]["person"], content(each)["data"]["page"]) for each in self.pages()}
        counts.update(
            alerts=len(alerts),
            lost=len(self.accepted - {each["dedup_key"] for each in alerts}),
            astray=sum(each["id"] not in whole["alerts"] for each in alerts),
            incidents=len(incidents),
            pages=len(steps),
            ids=len(arrived),
            asked_again=arrived.total() - len(arrived),
            undelivered=sum(each["state"] != "delivered" for each in pages),
            unseen=len({each["id"] for each in pages} ^ set(arrived)),
        )
        assert {each["state"] for each in alerts} == {"resolved"}
        assert {each["number"]: each["state"] for each in incidents} == {self.first: "closed", self.second: "merged"}
        return counts


def check_of(gate: Any, name: str) -> dict[str, Any]:
    """One check of a gate."""
    return next(check for check in gate["checks"] if check["id"] == name)
