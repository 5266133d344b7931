"""No sequence of commands to a service, its waivers and its evaluations breaks what lifecycle promises."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.lifecycle.contract import EVALUATION, PHASE_RISK, SERVICE, WAIVER
from services.lifecycle.domain.engagement.errors import EngagementError
from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.evaluation.commands import Keep
from services.lifecycle.domain.evaluation.events import GateEvaluated
from services.lifecycle.domain.facts import Facts, InForce
from services.lifecycle.domain.gates import Verdict, evaluate, remaining, reuse
from services.lifecycle.domain.people import Actor, Approvers
from services.lifecycle.domain.phase_risk.decider import PhaseRisks, open_item
from services.lifecycle.domain.phases import TRANSITIONS, Phase, allowed_from
from services.lifecycle.domain.service import commands as ask
from services.lifecycle.domain.service.decider import Awaiting, Decommissioned, Service, Unsupported
from services.lifecycle.domain.service.events import PhaseChanged, ServiceRegistered
from services.lifecycle.domain.waiver import commands as waive
from services.lifecycle.domain.waiver.decider import Approved, Over, Waiver
from services.lifecycle.domain.waiver.events import Control
from services.lifecycle.evaluation import found
from tests.fixtures.lifecycle import NOW, POLICY, assessment, attested, evidence, facts, slo

NAME, DAY = "checkout-api", timedelta(days=1)
ANA, BO, CLEO, ROBOT = (Actor(name, is_person=name != "ci") for name in ("ana", "bo", "cleo", "ci"))
ACTORS = st.sampled_from([ANA, BO, CLEO, ROBOT])
LEADS = st.sampled_from([Approvers(), Approvers(frozenset({"bo", "cleo"}), ("owner_lead",))])
PHASES = st.sampled_from(list(Phase))
NEEDS_APPROVAL = frozenset(POLICY.approval.kinds)
TERMS = POLICY.waivers
CHECK = "time_in_limited_availability"


class Lifecycle(RuleBasedStateMachine):
    """One service from its registration on, with a clock, evidence that comes and goes, waivers, and evaluations."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.well = True
        self.service: Service = SERVICE.initial
        self.events: list[Any] = []
        self.evaluations: dict[str, GateEvaluated] = {}
        self.waivers: dict[str, Waiver] = {}
        self.items: PhaseRisks = ()
        self.numbers = count(1)

    @initialize(phase=PHASES)
    def register(self, phase: Phase) -> None:
        command = ask.Register(
            service=NAME,
            display_name=NAME,
            owner_team="checkout",
            tier=1,
            phase=phase,
            revives="",
            grace=POLICY.grandfathering_days.days,
            grandfathered_until=None,
            by="ana",
            at=self.now,
        )
        self.do(command)
        assert self.refused(command)

    @rule(days=st.sampled_from([-2, 0, 1, 13, 30, 100]))  # a clock may be set back
    def time_goes_by(self, days: int) -> None:
        self.now += days * DAY

    @rule()
    def what_gates_ask_for_comes_and_goes(self) -> None:
        self.well = not self.well

    @rule(data=st.data(), by=ACTORS)
    def move_where_a_way_leads(self, data: st.DataObject, by: Actor) -> None:
        assert self.service is not None
        ways = list(allowed_from(self.service.profile.phase))
        if ways:
            self.move(data.draw(st.sampled_from(ways)), by, Approvers())

    @rule(to=PHASES, by=ACTORS, people=LEADS, named=st.booleans())
    def move_anywhere(self, to: Phase, by: Actor, people: Approvers, *, named: bool) -> None:
        self.move(to, by, people, named=named)

    def move(self, to: Phase, by: Actor, people: Approvers, *, named: bool = False) -> None:
        """Ask for a move."""
        verdict, evaluation = self.judged(to, by, named=named)
        if verdict is None:
            return
        command = ask.Transition(
            service=NAME,
            transition=f"t{next(self.numbers)}",
            to=to,
            reason="because",
            needs_approval=NEEDS_APPROVAL,
            verdict=verdict,
            evaluation=evaluation,
            by=by,
            at=self.now,
            requesters=people,
        )
        self.twice(command)

    @precondition(lambda self: isinstance(self.service, Awaiting))
    @rule(by=ACTORS, people=LEADS)
    def approve(self, by: Actor, people: Approvers) -> None:
        assert isinstance(self.service, Awaiting)
        pending = self.service.pending
        verdict, evaluation = self.judged(pending.to_phase, by, named=False)
        assert verdict is not None
        command = ask.Approve(
            service=NAME,
            transition=pending.transition,
            reason="agreed",
            verdict=verdict,
            evaluation=evaluation,
            by=by,
            at=self.now,
            approvers=people,
        )
        if self.twice(command):
            assert by.is_person
            assert by.name != pending.by
            assert verdict.passed
            assert people.include(by)

    @precondition(lambda self: isinstance(self.service, Awaiting))
    @rule(by=ACTORS)
    def decline(self, by: Actor) -> None:
        assert isinstance(self.service, Awaiting)
        transition = self.service.pending.transition
        self.twice(ask.Decline(service=NAME, transition=transition, reason="no", by=by, at=self.now))

    @rule(data=st.data(), engagement=st.sampled_from(["e1", "e2"]), reviewed=st.booleans())
    def something_else(self, data: st.DataObject, engagement: str, *, reviewed: bool) -> None:
        seen = ask.Reviewed("evidence-1", self.now) if reviewed else None
        commands = [
            ask.Change(service=NAME, display_name=None, owner_team=owner, tier=tier, at=self.now)
            for tier, owner in [(None, ""), (0, None), (4, "checkout")]
        ]
        others: list[ask.Command] = [
            ask.HandOver(service=NAME, from_team="checkout", to_team="till", at=self.now),
            ask.Engage(
                service=NAME,
                engagement=engagement,
                sre_team="sre",
                dev_team="checkout",
                reviewed=seen,
                by="ana",
                at=self.now,
            ),
            ask.Release(service=NAME, engagement=engagement, by="ana", at=self.now),
        ]
        self.twice(data.draw(st.sampled_from([*commands, *others])))

    @precondition(lambda self: isinstance(self.service, Unsupported))
    @rule()
    def decommission(self) -> None:
        verdict = remaining(POLICY, self.facts(), self.now)
        was = self.service
        command = ask.Decommission(service=NAME, reason="gone", verdict=verdict, evaluation="", by="ana", at=self.now)
        if self.twice(command):
            assert isinstance(was, Unsupported)
            assert verdict.passed

    @rule(
        by=ACTORS,
        people=LEADS,
        days=st.sampled_from([-1, 30, 90, 91]),
        verb=st.sampled_from(["approve", "renew", "revoke", "expire"]),
    )
    def let_a_check_through(self, by: Actor, people: Approvers, days: int, verb: str) -> None:
        newest = list(self.waivers)[-1:]
        if not newest or isinstance(self.waivers[newest[0]], Over):
            self.ask_for_a_waiver(by, days)
        else:
            self.decide_a_waiver(newest[0], by, people, verb)

    def ask_for_a_waiver(self, by: Actor, days: int) -> None:
        """Ask for one that ends in *days*."""
        key = f"w{next(self.numbers)}"
        control = Control("watched", "https://wiki.example/7", self.now)
        command = waive.Request(
            waiver=key,
            service=NAME,
            check=CHECK,
            risk_owner="cleo",
            reason="no time",
            control=control,
            expires_at=self.now + days * DAY,
            longest=TERMS.max_days.days,
            by=by,
            at=self.now,
        )
        self.tell(key, command)

    def decide_a_waiver(self, key: str, by: Actor, people: Approvers, verb: str) -> None:
        """Approve, renew or end one."""
        common: dict[str, Any] = {"approvers": people, "longest": TERMS.max_days.days, "by": by, "at": self.now}
        commands: dict[str, waive.Command] = {
            "approve": waive.Approve(waiver=key, reason="yes", **common),
            "renew": waive.Renew(
                waiver=key, expires_at=self.now + 60 * DAY, reason="late", most=int(TERMS.renewals.value), **common
            ),
            "revoke": waive.Revoke(waiver=key, reason="no", by=by, at=self.now),
            "expire": waive.Expire(key, self.now),
        }
        self.tell(key, commands[verb])

    @rule()
    def look_whether_it_keeps_what_its_phase_asks_for(self) -> None:
        before = self.service
        command = found(POLICY, self.facts(), f"i{next(self.numbers)}", self.now)
        events = PHASE_RISK.decide(command, self.items)
        self.items = PHASE_RISK.fold(self.items, events)
        assert PHASE_RISK.decide(command, self.items) == ()
        assert self.service is before

    @invariant()
    def every_stay_is_legal_and_none_overlaps(self) -> None:
        if self.service is None:
            return
        stays = self.service.profile.stays
        assert all(a.since <= b.since for a, b in pairwise(stays))
        assert all((a.phase, b.phase) in TRANSITIONS for a, b in pairwise(stays))
        assert self.service.profile.phase is stays[-1].phase

    @invariant()
    def every_move_was_let_through_and_where_it_takes_two_by_two(self) -> None:
        decided = {each.request.transition: each for each in self.service.profile.decided} if self.service else {}
        for event in (each for each in self.events if isinstance(each, PhaseChanged)):
            move = TRANSITIONS[event.from_phase, event.to_phase]
            if move.gates:
                assert self.evaluations[event.evaluation].passed
            if move.kind in NEEDS_APPROVAL:
                how = decided[event.transition]
                assert how.decision == "approved"
                assert how.by not in {how.request.by, "ci"}

    @invariant()
    def the_last_phase_is_final(self) -> None:
        phases = [e.phase if isinstance(e, ServiceRegistered) else e.to_phase for e in self.events if _is_stay(e)]
        assert Phase.UNSUPPORTED not in phases[:-1]
        if isinstance(self.service, Decommissioned):
            assert phases[-1] is Phase.UNSUPPORTED

    @invariant()
    def a_waiver_in_force_is_short_and_of_two_people(self) -> None:
        for waiver in self.waivers.values():
            if isinstance(waiver, Approved):
                approvals = [waiver.approval, *waiver.renewals]
                assert len(waiver.renewals) <= TERMS.renewals.value
                assert all(each.expires_at - each.at <= TERMS.max_days.days for each in approvals)
                assert all(each.by not in {waiver.request.by, "ci"} for each in approvals)

    @invariant()
    def one_item_at_most_is_open_and_it_is_the_last(self) -> None:
        assert all(item.closed for item in self.items[:-1])
        item = open_item(self.items)
        assert item is None or item.newest.lacks or item.newest.reasons

    def facts(self) -> Facts:
        """What is known of the service now."""
        assert self.service is not None
        profile = self.service.profile
        known = facts(
            profile.phase,
            phase_since=profile.stay.since,
            owner_team=profile.owner_team,
            tier=profile.tier,
            grandfathered=profile.grandfathered,
            waivers=dict(self.in_force()),
        )
        if not self.well:
            return known
        done = {kind: evidence(kind, at=self.now) for kind in attested(*POLICY.checks)}
        window = {"window_start": self.now - 28 * DAY, "window_end": self.now}
        slos = () if profile.phase is Phase.UNSUPPORTED else (replace(slo(), assessment=assessment(**window)),)
        return replace(known, slos=slos, attestations=done)

    def in_force(self) -> Iterable[tuple[str, InForce]]:
        """The waivers that let a check through now."""
        for key, waiver in self.waivers.items():
            if isinstance(waiver, Approved) and self.now < waiver.expires_at:
                yield CHECK, InForce(key, CHECK, waiver.expires_at, "cleo", waiver.approval.by, "watched")

    def judged(self, to: Phase, by: Actor, *, named: bool) -> tuple[Verdict | None, str]:
        """What the gates say, kept; by an earlier evaluation if *named* and there is one that can be used."""
        verdict = evaluate(POLICY, self.facts(), to, self.now)
        if named and self.evaluations:
            try:
                verdict = reuse(list(self.evaluations.values())[-1], verdict, POLICY.evaluation_valid_days.days)
            except LifecycleError:
                return None, ""
        key = f"v{next(self.numbers)}"
        (event,) = EVALUATION.decide(Keep(key, verdict, by.name), None)
        self.evaluations[key] = event
        return verdict, key

    def do(self, command: Any) -> tuple[Any, ...]:
        """Carry out *command*."""
        events = SERVICE.decide(command, self.service)
        self.service = SERVICE.fold(self.service, events)
        self.events += events
        return events

    def refused(self, command: Any) -> bool:
        """Whether *command* is refused, as one of the refusals that people are told of."""
        try:
            SERVICE.decide(command, self.service)
        except (LifecycleError, EngagementError):
            return True
        return False

    def twice(self, command: Any) -> tuple[Any, ...]:
        """Carry out *command* unless it is refused; a repetition changes nothing."""
        if self.refused(command):
            return ()
        events = self.do(command)
        assert self.refused(command) or SERVICE.decide(command, self.service) == ()
        return events

    def tell(self, key: str, command: waive.Command) -> None:
        """Carry out *command* on a waiver unless it is refused; what is over stays over."""
        before = self.waivers.get(key)
        try:
            events = WAIVER.decide(command, before)
        except LifecycleError:
            return
        after = WAIVER.fold(before, events)
        assert not isinstance(before, Over) or after == before
        self.waivers[key] = after


def _is_stay(event: object) -> bool:
    return isinstance(event, ServiceRegistered | PhaseChanged)


Lifecycle.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestLifecycle = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")(Lifecycle.TestCase)
