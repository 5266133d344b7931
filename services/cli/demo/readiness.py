"""Production readiness reviews: before a service is for everybody, when SRE takes one over, and anew after a year."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Final, Literal, NamedTuple

from libs.events.handler import NO_EFFECTS, Effects
from libs.events.store import Reservation
from services.cli.demo.organisation import DAYS, SERVICE, SRE_OF, TEAM
from services.cli.demo.world import World
from services.lifecycle.api.reviews.review_template_schemas import shipped_templates
from services.lifecycle.api.reviews.reviewing import timers
from services.lifecycle.contract import READINESS_REVIEW
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.people import Actor
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review import commands
from services.lifecycle.domain.readiness_review.commands import FindingStep
from services.lifecycle.domain.readiness_review.events import Condition, FollowUp, Model, Reviewer
from services.lifecycle.domain.readiness_review.state import Approved
from services.lifecycle.domain.review_template.checklist import Item, Severity
from services.lifecycle.domain.review_template.events import TemplatePublished

_Next = Literal["engagement", "analysis", "improvements"]
_SCOPE: Final = "readiness-review"  # of the reservations that number the reviews of a service
_CONDITION_DAYS: Final = 80


class _Asked(NamedTuple):
    """A review.

    Args:
        service: Of what.
        day: On which it was asked for.
        approved: The day of its approval; None: it is under way.
        model: How a service comes to it.
        condition: What is still to be done then, and how many days later it was: None, not yet.
        delta: Whether only what has changed is looked at.
    """

    service: str
    day: int
    approved: int | None
    model: Model = "early"
    condition: tuple[str, int | None] | None = None
    delta: bool = False


_REVIEWS: Final = (
    _Asked("cart", 92, 131, "simple"),
    _Asked("abuse-signals", 48, 96, "simple", ("runbooks-were-played", 41)),
    _Asked("login", 101, 150, "simple"),
    _Asked("payment-gateway", 121, 172, "simple", ("region-loss-practised", 66)),
    _Asked("checkout-api", 118, 252, condition=("a synthetic user pays once a minute", 30)),
    _Asked("abuse-console", 221, 331),
    _Asked("stream-pipeline", 300, 488, condition=("overload is rehearsed each quarter", 55)),
    _Asked("product-search", 512, 582, "simple", ("shedding is tried at each peak", 60)),
    _Asked("cart", 452, 480, "simple", delta=True),
    _Asked("login", 474, 505, "simple", delta=True),
    _Asked("payment-gateway", 498, 526, "simple", ("the second provider takes over", None), delta=True),
    _Asked("abuse-signals", 436, 457, "simple", delta=True),
    _Asked("checkout-api", 577, 609, delta=True),
    _Asked("refunds", 586, None),
    _Asked("recommendations", DAYS - 40, None),
    _Asked("abuse-console", DAYS - 20, None, "simple", delta=True),  # its approval ran out a month ago
)
_FOUND: Final[tuple[tuple[str, str, Severity], ...]] = (
    ("runbook-for-each-page", "Two alerts have no runbook", "blocking"),
    ("calls-are-bounded", "A client waits without a timeout", "blocking"),
    ("dashboard-answers-first-questions", "The dashboard does not tell regions apart", "conditional"),
)


def reviews(world: World) -> None:
    """All of them; those of one service follow each other."""
    known: dict[str, list[str]] = defaultdict(list)
    for asked in _REVIEWS:
        of_service = known[asked.service]
        review = _Review(world, asked, len(of_service) + 1, of_service[-1] if of_service else "")
        review.plan()
        of_service.append(review.id)


@dataclass
class _Review:
    """One of them; what it is asked happens in the order of time."""

    world: World
    asked: _Asked
    number: int
    previous: str

    def __post_init__(self) -> None:
        self.id = self.world.id(f"review {self.asked.service} {self.number}", self.world.at(self.asked.day))
        self._service = SERVICE[self.asked.service]
        self._team, self._sre = TEAM[self._service.team], TEAM[SRE_OF[self._service.team]]
        self._judge, self._second = self._sre.people[1 + self.asked.day % 4], self._sre.people[5 + self.asked.day % 3]

    def plan(self) -> None:
        """Asked for, looked at, mended, approved; or as far as it has come."""
        asked = self.asked
        step = ((asked.approved or DAYS + 12) - asked.day) / 10
        self._at(asked.day, self._request)
        stages: tuple[tuple[int, _Next], ...] = ((1, "engagement"), (2, "analysis"), (6, "improvements"))
        for tenths, stage in stages:
            self._at(asked.day + tenths * step, partial(self._advance, stage))
        items = [item for item in _template().items if not item.check]
        for place, item in enumerate(items):
            self._at(asked.day + (2 + 4 * place / len(items)) * step, partial(self._answer, item))
        if not asked.delta:
            for place in range(2 + asked.day % 2):
                self._find(place, asked.day + (3 + place / 2) * step, step)
        if asked.approved:
            self._at(asked.approved, self._approve)
            follow_ups: tuple[tuple[int, FollowUp], ...] = ((8, "training"), (20, "onboarding"), (45, "continuous"))
            for later, follow_up in follow_ups:
                self._at(asked.approved + later, partial(self._follow, follow_up))
            if asked.condition and asked.condition[1]:
                self._at(asked.approved + asked.condition[1], self._meet)
            for later in (_CONDITION_DAYS + 1, 365):
                self._at(asked.approved + later, self._lapse)

    def _request(self, at: datetime) -> None:
        before = self.world.lifecycle.state(READINESS_REVIEW, self.previous) if self.previous else None
        phase = self._service.phase_on(self.asked.day)
        if phase is None:
            raise LookupError(self._service.name)
        template = _template()
        kept = before.record.findings if before and self.asked.delta else ()
        request = commands.Request(
            **self._said(self._team.lead, at),
            service=self._service.name,
            number=self.number,
            model=self.asked.model,
            target_phase=Phase.GENERAL_AVAILABILITY,
            template=template.template,
            template_version=template.version,
            items=template.items,
            owner_team=self._team.name,
            service_phase=phase,
            tier=self._service.tier,
            reviewers=(
                Reviewer(self._judge, self._sre.name, outside=True),
                Reviewer(self._second, self._sre.name, outside=True),
                Reviewer(self._team.people[2], self._team.name, outside=False),
            ),
            decides_blockers=self._judge,
            frameworks=(),
            previous=before if self.asked.delta else None,
            changed=(),
            finding_ids={name: self.world.id(f"{self.id} {name}", at) for name in kept},
            supersedes=self.previous if isinstance(before, Approved) else "",
            policy=self.world.policies.reviews,
            reason="what was approved a year ago ends" if self.asked.delta else "so that SRE can stand in for it",
        )
        place = Reservation(_SCOPE, f"{self._service.name}/{self.number}", READINESS_REVIEW.stream(self.id))
        self._tell(request, at, self._team.lead, Effects(reserve=(place,)))

    def _advance(self, to: _Next, at: datetime) -> None:
        self._tell(
            commands.Advance(**self._said(self._judge, at), to=to, checks=_checks(at), reason=""), at, self._judge
        )

    def _answer(self, item: Item, at: datetime) -> None:
        by, is_link = self._team.people[len(item.id) % 3], item.evidence == "link"
        url = f"https://wiki.example.com/{self._service.name}/{item.id}" if is_link else ""
        note = "" if is_link else "tried in staging, with somebody of both teams"
        answer = commands.Said(item.id, "met", url, note, at)
        self._tell(commands.Answer(**self._said(by, at), answers=(answer,)), at, by)

    def _find(self, place: int, day: float, step: float) -> None:
        """A reviewer opens it, the team mends it, and another than its owner sees that it did."""
        item, title, severity = _FOUND[place]
        finding = self.world.id(f"{self.id} {item}", self.world.at(day))
        owner = self._team.people[1 + place]
        told: dict[str, Any] = {"finding": finding}

        def move(later: float, what: FindingStep, by: str, reason: str) -> None:
            url = f"https://git.example.com/{self._team.name}/{self._service.name}/changes/{round(day) + place}"
            self._at(
                day + later * step,
                lambda at: self._tell(
                    commands.MoveFinding(**told, **self._said(by, at), step=what, url=url, reason=reason), at, by
                ),
            )

        def opened(at: datetime) -> None:
            said = self._said(self._second, at)
            text = "Seen while the review walked through the last incident."
            found = commands.OpenFinding(
                **told, **said, item=item, title=title, text=text, severity=severity, source="analysis"
            )
            self._tell(found, at, self._second)

        def triaged(at: datetime) -> None:
            due = (at + timedelta(days=max(4 * step, 3))).date()
            said = self._said(self._team.lead, at)
            triage = commands.Triage(**told, **said, owner=owner, due=due, reason="before users come")
            self._tell(triage, at, self._team.lead)

        self._at(day, opened)
        self._at(day + step / 5, triaged)
        move(1, "start", owner, "")
        move(2.5, "fix", owner, "mended")
        move(3.2, "verify", self._second, "looked at together")
        move(3.6, "close", self._second, "")

    def _approve(self, at: datetime) -> None:
        conditions = ()
        if self.asked.condition:
            due = (at + timedelta(days=_CONDITION_DAYS)).date()
            conditions = (Condition("c1", self.asked.condition[0], self._team.people[1], due),)
        approve = commands.Approve(
            **self._said(self._judge, at),
            conditions=conditions,
            looked_at="" if not self.asked.delta else "what has changed, and each answer that was taken over",
            checks=_checks(at),
            tier=self._service.tier,
            policy=self.world.policies.reviews,
            reason="what blocks is settled",
        )
        self._tell(approve, at, self._judge, timers)
        if self.previous and isinstance(self.world.lifecycle.state(READINESS_REVIEW, self.previous), Approved):
            over = commands.Supersede(self.previous, self.id, at)
            self.world.lifecycle.tell(READINESS_REVIEW, self.previous, over, at=at, by=self._judge)

    def _follow(self, to: FollowUp, at: datetime) -> None:
        state = self.world.lifecycle.state(READINESS_REVIEW, self.id)
        if isinstance(state, Approved) and not state.expired:
            follow = commands.Follow(**self._said(self._second, at), to=to, reason="")
            self._tell(follow, at, self._second)

    def _meet(self, at: datetime) -> None:
        url = f"https://wiki.example.com/{self._service.name}/condition"
        meet = commands.MeetCondition(**self._said(self._judge, at), condition="c1", url=url, reason="seen")
        self._tell(meet, at, self._judge)

    def _lapse(self, at: datetime) -> None:
        self._tell(commands.Lapse(self.id, at), at, "timer.readiness-review")

    def _said(self, by: str, at: datetime) -> dict[str, Any]:
        return {"review": self.id, "by": Actor(by, is_person=True), "at": at}

    def _at(self, day: float, act: Callable[[datetime], None]) -> None:
        at = self.world.at(day, 10)
        if at < self.world.today:
            self.world.agenda.at(at, partial(act, at))

    def _tell(self, command: commands.Command, at: datetime, by: str, effects: Any = NO_EFFECTS) -> None:  # noqa: ANN401
        self.world.lifecycle.tell(READINESS_REVIEW, self.id, command, at=at, by=by, effects=effects)


@cache
def _template() -> TemplatePublished:
    return shipped_templates()["production-readiness"]


def _checks(at: datetime) -> tuple[CheckResult, ...]:
    """What the platform answers by itself; it was all well when these reviews looked."""
    asked = dict.fromkeys(item.check for item in _template().items if item.check)
    return tuple(CheckResult(check, "pass", blocking=True, detail=f"as of {at.date()}") for check in asked)
