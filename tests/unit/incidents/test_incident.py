from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import INCIDENT
from services.incidents.domain.errors import (
    AbsentError,
    AlertsFiringError,
    IllegalTransitionError,
    MilestoneNotReachedError,
    MilestoneOrderError,
    ReasonMissingError,
)
from services.incidents.domain.incident.alerting import INTERVAL
from services.incidents.domain.incident.commands import (
    Acknowledge,
    AcknowledgeAlert,
    Cancel,
    Classify,
    ClearAlert,
    Close,
    CorrectMilestones,
    Declare,
    Identify,
    Investigate,
    JoinAlert,
    Mitigate,
    Monitor,
    Note,
    Reopen,
    Resolve,
    TellOfAlerts,
    Transition,
)
from services.incidents.domain.incident.events import (
    Event,
    IncidentAcknowledged,
    IncidentAlertCleared,
    IncidentAlertJoined,
    IncidentAlertsTold,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentDeclared,
    IncidentMerged,
    IncidentMilestoneCorrected,
    IncidentMitigated,
    IncidentNoted,
    IncidentReopened,
    IncidentResolved,
    IncidentStageChanged,
)
from services.incidents.domain.incident.evolution import opened
from services.incidents.domain.incident.state import Active, Details, Open, Origin, Resolved, over_since
from services.incidents.domain.milestones import Milestone, Milestones

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(minutes=42)
WHOLE: dict[str, Any] = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev2"}
BY_ANA: dict[str, Any] = {**WHOLE, "by": "ana", "reason": "because", "at": LATER}
ASKED: dict[str, Any] = {"by": "ana", "reason": "because", "at": LATER}

DECLARE = Declare(**WHOLE, title="Checkout fails", by="bo", at=AT)
DECLARED = IncidentDeclared(**WHOLE, title="Checkout fails", by="bo", at=AT, impact_started=AT, detected=AT)
OF_ALERT = replace(DECLARED, alert="a1", group="slo/availability")
ACKNOWLEDGED = IncidentAcknowledged(**BY_ANA)
IMPLIED = IncidentAcknowledged(**BY_ANA, implied=True)
INVESTIGATING = IncidentStageChanged(**BY_ANA, stage="investigating")
IDENTIFIED = IncidentStageChanged(**BY_ANA, stage="identified")
MONITORING = IncidentStageChanged(**BY_ANA, stage="monitoring")
MITIGATED = IncidentMitigated(**BY_ANA)
RESOLVED = IncidentResolved(**BY_ANA)
CLOSED = IncidentClosed(**BY_ANA)
CANCELLED = IncidentCancelled(**BY_ANA)
MERGED = IncidentMerged(**BY_ANA, into="i2", into_number="INC-2")
REOPENED = IncidentReopened(**BY_ANA)
CLEARED = IncidentAlertCleared(**BY_ANA, alert="a1")

ACK, INVESTIGATE, IDENTIFY, MONITOR = Acknowledge(**ASKED), Investigate(**ASKED), Identify(**ASKED), Monitor(**ASKED)
MITIGATE, RESOLVE, CLOSE, CANCEL = Mitigate(**ASKED), Resolve(**ASKED), Close(**ASKED), Cancel(**ASKED)
REOPEN = Reopen(**ASKED)
TRANSITIONS: tuple[Transition, ...] = (
    ACK,
    INVESTIGATE,
    IDENTIFY,
    MONITOR,
    MITIGATE,
    RESOLVE,
    CLOSE,
    CANCEL,
    REOPEN,
)

PASTS: dict[str, tuple[Event, ...]] = {
    "triage": (DECLARED,),
    "investigating": (DECLARED, ACKNOWLEDGED),
    "identified": (DECLARED, ACKNOWLEDGED, IDENTIFIED),
    "monitoring": (DECLARED, ACKNOWLEDGED, MONITORING),
    "mitigated": (DECLARED, ACKNOWLEDGED, MITIGATED),
    "resolved": (DECLARED, ACKNOWLEDGED, MITIGATED, RESOLVED),
    "closed": (DECLARED, ACKNOWLEDGED, MITIGATED, RESOLVED, CLOSED),
    "cancelled": (DECLARED, CANCELLED),
    "merged": (DECLARED, MERGED),
}

# What each transition produces in each state; () is silent, what is not here is refused.
TABLE: dict[str, dict[Transition, tuple[Event, ...]]] = {
    "triage": {
        ACK: (ACKNOWLEDGED,),
        INVESTIGATE: (IMPLIED,),
        IDENTIFY: (IMPLIED, IDENTIFIED),
        MONITOR: (IMPLIED, MONITORING),
        RESOLVE: (RESOLVED,),
        CANCEL: (CANCELLED,),
    },
    "investigating": {
        ACK: (),
        INVESTIGATE: (),
        IDENTIFY: (IDENTIFIED,),
        MONITOR: (MONITORING,),
        MITIGATE: (MITIGATED,),
        RESOLVE: (RESOLVED,),
        CANCEL: (CANCELLED,),
    },
    "identified": {
        ACK: (),
        INVESTIGATE: (INVESTIGATING,),
        IDENTIFY: (),
        MONITOR: (MONITORING,),
        MITIGATE: (MITIGATED,),
        RESOLVE: (RESOLVED,),
        CANCEL: (CANCELLED,),
    },
    "monitoring": {
        ACK: (),
        INVESTIGATE: (INVESTIGATING,),
        IDENTIFY: (IDENTIFIED,),
        MONITOR: (),
        MITIGATE: (MITIGATED,),
        RESOLVE: (RESOLVED,),
        CANCEL: (CANCELLED,),
    },
    "mitigated": {MITIGATE: (), RESOLVE: (RESOLVED,), REOPEN: (REOPENED,)},
    "resolved": {RESOLVE: (), CLOSE: (CLOSED,), REOPEN: (REOPENED,)},
    "closed": {CLOSE: ()},
    "cancelled": {CANCEL: ()},
    "merged": {},
}

PAIRS = [(name, command) for name in PASTS for command in TRANSITIONS]


@pytest.mark.parametrize(("name", "command"), PAIRS, ids=[f"{name}-{command.verb}" for name, command in PAIRS])
def test_every_pair_of_state_and_transition(name: str, command: Transition) -> None:
    case = given(INCIDENT, *PASTS[name]).when(command)

    if command in TABLE[name]:
        case.then(*TABLE[name][command])
    else:
        assert case.refuses(IllegalTransitionError).verb == command.verb


@pytest.mark.parametrize("name", PASTS)
def test_a_refusal_lists_what_is_allowed(name: str) -> None:
    state = given(INCIDENT, *PASTS[name]).state
    assert state is not None
    moving = {command.verb for command, events in TABLE[name].items() if events}
    staying = {"investigate", "identify", "monitor"} if isinstance(state, Active) else set[str]()

    elsewhere = {"merge"} if state.allowed else set[str]()
    apart = {"split"} if isinstance(state, Open) else set[str]()

    assert set(state.allowed) == moving | staying | elsewhere | apart


@pytest.mark.parametrize(("name", "where"), [("merged", "it goes on in INC-2"), ("closed", '"follows": "INC-1"')])
def test_a_refusal_says_where_what_is_over_for_good_goes_on(name: str, where: str) -> None:
    assert where in str(given(INCIDENT, *PASTS[name]).when(ACK).refuses(IllegalTransitionError))


@pytest.mark.parametrize(
    ("name", "since"), [("mitigated", None), ("resolved", LATER), ("cancelled", LATER), ("merged", LATER)]
)
def test_an_incident_is_over_since_it_ended_in_whatever_way(name: str, since: datetime | None) -> None:
    state = given(INCIDENT, *PASTS[name]).state
    assert state is not None
    assert over_since(state) == since


@pytest.mark.parametrize("command", TRANSITIONS, ids=lambda command: command.verb)
def test_what_was_never_declared_is_absent(command: Transition) -> None:
    given(INCIDENT).when(command).refuses(AbsentError)


class TestDeclaring:
    def test_takes_the_moment_for_the_start_of_the_impact_and_the_detection(self) -> None:
        given(INCIDENT).when(DECLARE).then(DECLARED)

    def test_says_all_that_is_known(self) -> None:
        said: dict[str, Any] = {"reason": "a call", "priority": "P1", "customer_facing": True, "test": True}
        said |= {"tags": ("eu",), "fields": {"lost": 3.0}, "update_every_minutes": 30}
        due = AT + timedelta(minutes=30)
        state = given(INCIDENT).when(replace(DECLARE, **said)).then(replace(DECLARED, **said, update_due=due))
        assert state is not None
        assert state.record.details == Details(
            title="Checkout fails", priority="P1", customer_facing=True, test=True, tags=("eu",), fields={"lost": 3.0}
        )
        assert dict.fromkeys(("impact_started", "detected", "declared"), "declaration") == {
            name: each.source for name, each in state.record.origins.items()
        }
        of_alert = given(INCIDENT, OF_ALERT).state
        assert of_alert is not None
        assert {each.source for each in of_alert.record.origins.values()} == {"alert"}

    def test_may_happen_afterwards(self) -> None:
        started, detected = AT - timedelta(hours=2), AT - timedelta(hours=1)
        given(INCIDENT).when(replace(DECLARE, impact_started=started, detected=detected)).then(
            replace(DECLARED, impact_started=started, detected=detected)
        )

    def test_takes_the_detection_for_the_start_when_only_that_is_known(self) -> None:
        detected = AT - timedelta(hours=1)
        given(INCIDENT).when(replace(DECLARE, detected=detected)).then(
            replace(DECLARED, impact_started=detected, detected=detected)
        )

    @pytest.mark.parametrize(
        ("reached", "state", "acknowledged", "implied", "mitigated"),
        [
            ({"acknowledged": 5}, "active", 5, False, None),
            ({"mitigated": 9}, "mitigated", 60, True, 9),
            ({"acknowledged": 5, "mitigated": 9}, "mitigated", 5, False, 9),
            ({"resolved": 20}, "resolved", None, False, 20),
            ({"acknowledged": 5, "mitigated": 9, "resolved": 20}, "resolved", 5, False, 9),
        ],
    )
    def test_afterwards_has_all_its_times(
        self, reached: Any, state: str, acknowledged: int | None, *, implied: bool, mitigated: int | None
    ) -> None:
        def after(minutes: int | None) -> datetime | None:
            return None if minutes is None else began + timedelta(minutes=minutes)

        began = AT - timedelta(hours=1)
        times: Any = {name: after(minutes) for name, minutes in reached.items()}
        command = replace(DECLARE, impact_started=began, detected=began, reached=times)

        found = INCIDENT.fold(None, INCIDENT.decide(command, None))

        assert found is not None
        expected = Milestones(began, began, AT, after(acknowledged), after(mitigated), after(reached.get("resolved")))
        assert (found.name, found.record.milestones) == (state, expected)
        taken_on = "" if acknowledged is None else "bo"
        assert (found.record.acknowledged_by, found.record.acknowledged_implied) == (taken_on, implied)

    def test_afterwards_refuses_an_end_before_the_remedy(self) -> None:
        times: Any = {"mitigated": AT - timedelta(minutes=1), "resolved": AT - timedelta(minutes=2)}
        command = replace(DECLARE, impact_started=AT - timedelta(hours=1), reached=times)
        assert given(INCIDENT).when(command).refuses(MilestoneOrderError).milestone == "mitigated"

    def test_afterwards_names_the_time_that_was_said_and_not_what_follows_from_it(self) -> None:
        command = replace(DECLARE, impact_started=AT, reached={"resolved": AT + timedelta(minutes=1)})
        assert given(INCIDENT).when(command).refuses(MilestoneOrderError).milestone == "resolved"
        before = replace(DECLARE, impact_started=AT, reached={"resolved": AT - timedelta(minutes=1)})
        assert "resolved" in str(given(INCIDENT).when(before).refuses(MilestoneOrderError))

    @pytest.mark.parametrize(("began", "noticed"), [(None, 50), (40, 50), (50, 50)])
    def test_was_noticed_by_when_somebody_took_it_on(self, began: int | None, noticed: int) -> None:
        def at(minutes: int) -> datetime:
            return AT - timedelta(hours=1) + timedelta(minutes=minutes)

        command = replace(DECLARE, impact_started=at(began) if began else None, reached={"acknowledged": at(50)})
        found = INCIDENT.fold(None, INCIDENT.decide(command, None))
        assert found is not None
        times = found.record.milestones
        assert (times.impact_started, times.detected, times.acknowledged) == (at(began or 50), at(noticed), at(50))

    def test_afterwards_says_when_it_began(self) -> None:
        command = replace(DECLARE, reached={"resolved": AT - timedelta(minutes=1)})
        assert given(INCIDENT).when(command).refuses(MilestoneOrderError).milestone == "impact_started"

    @pytest.mark.parametrize(
        ("impact_started", "detected", "touched"),
        [
            (AT + timedelta(seconds=1), None, "detected"),
            (None, AT + timedelta(seconds=1), "detected"),
            (AT - timedelta(hours=1), AT - timedelta(hours=2), "detected"),
        ],
    )
    def test_refuses_times_that_cannot_be(
        self, impact_started: datetime | None, detected: datetime | None, touched: str
    ) -> None:
        command = replace(DECLARE, impact_started=impact_started, detected=detected)

        assert given(INCIDENT).when(command).refuses(MilestoneOrderError).milestone == touched

    def test_is_silent_the_second_time(self) -> None:
        given(INCIDENT, DECLARED).when(DECLARE).then()


class TestResolving:
    def test_directly_stamps_both_mitigated_and_resolved(self) -> None:
        state = given(INCIDENT, DECLARED).when(RESOLVE).then(RESOLVED)

        implied, resolved = Origin("implied", "ana", "because", LATER), Origin("command", "ana", "because", LATER)
        record = opened(DECLARED).at(implied, mitigated=LATER).at(resolved, resolved=LATER)
        assert state == Resolved(record)
        assert record.milestones == Milestones(AT, AT, AT, mitigated=LATER, resolved=LATER)

    def test_is_refused_while_alerts_fire(self) -> None:
        assert given(INCIDENT, OF_ALERT).when(RESOLVE).refuses(AlertsFiringError).alerts == ("a1",)

    def test_is_refused_in_few_words_while_thousands_fire(self) -> None:
        storm = IncidentAlertJoined(**BY_ANA, alert="a2", others=tuple(f"a{number}" for number in range(3, 5_001)))
        refused = given(INCIDENT, OF_ALERT, storm).when(RESOLVE).refuses(AlertsFiringError)
        assert len(refused.alerts) == 10
        assert "a10 and 4990 more" in str(refused)

    def test_while_alerts_fire_goes_by_force_with_a_reason(self) -> None:
        given(INCIDENT, OF_ALERT).when(replace(RESOLVE, force=True)).then(replace(RESOLVED, forced=True))

    def test_by_force_without_a_reason_is_refused(self) -> None:
        given(INCIDENT, OF_ALERT).when(replace(RESOLVE, force=True, reason=" ")).refuses(ReasonMissingError)

    def test_alerts_that_ended_count_before_the_incident_takes_notice(self) -> None:
        ended, joined = replace(RESOLVE, ended=("a1",)), TestAlerts.JOINED
        state = given(INCIDENT, OF_ALERT).when(ended).then(replace(CLEARED, reason="it fires no more"), RESOLVED)

        assert state is not None
        assert state.record.firing == ()
        given(INCIDENT, OF_ALERT, CLEARED).when(ended).then(RESOLVED)
        both = replace(CLEARED, reason="it fires no more", others=("a2",))
        given(INCIDENT, OF_ALERT, joined).when(replace(RESOLVE, ended=("a1", "a2"))).then(both, RESOLVED)
        assert given(INCIDENT, OF_ALERT, joined).when(ended).refuses(AlertsFiringError).alerts == ("a2",)

    def test_by_force_is_nothing_special_when_no_alert_fires(self) -> None:
        given(INCIDENT, OF_ALERT, CLEARED).when(replace(RESOLVE, force=True)).then(RESOLVED)

    def test_is_never_earlier_than_what_happened_before_although_the_clock_was_set_back(self) -> None:
        early = replace(RESOLVE, at=AT - timedelta(hours=1))
        given(INCIDENT, DECLARED, ACKNOWLEDGED, MITIGATED).when(early).then(RESOLVED)


class TestReopening:
    def test_forgets_when_it_was_over(self) -> None:
        state = given(INCIDENT, *PASTS["resolved"]).when(REOPEN).then(REOPENED)

        assert isinstance(state, Active)
        assert (state.record.milestones.mitigated, state.record.milestones.resolved) == (None, None)

    def test_what_nobody_had_taken_on_implies_taking_it_on(self) -> None:
        state = given(INCIDENT, DECLARED, RESOLVED).when(REOPEN).then(REOPENED, IMPLIED)
        assert state is not None
        assert state.record.origins["acknowledged"].source == "implied"

    def test_twice_is_silent(self) -> None:
        given(INCIDENT, *PASTS["resolved"], REOPENED).when(REOPEN).then()

    def test_what_was_never_over_is_refused(self) -> None:
        given(INCIDENT, *PASTS["investigating"]).when(REOPEN).refuses(IllegalTransitionError)


class TestAlerts:
    JOIN = JoinAlert(**ASKED, alert="a2", summary="also burns")
    JOINED = IncidentAlertJoined(**BY_ANA, alert="a2", summary="also burns")
    CLEAR = ClearAlert(**ASKED, alert="a1")
    SILENT = "none of its alerts fires any more"

    @pytest.mark.parametrize("name", ["triage", "monitoring", "mitigated"])
    def test_join_an_open_incident(self, name: str) -> None:
        told = replace(self.JOINED, notify=name != "triage")
        state = given(INCIDENT, *PASTS[name]).when(self.JOIN).then(told)

        assert state is not None
        assert state.record.firing == ("a2",)

    def test_whoever_works_on_it_is_told_of_further_alerts_once_in_an_interval(self) -> None:
        told = replace(self.JOINED, notify=True)
        soon, later = replace(self.JOIN, alert="a3"), replace(self.JOIN, alert="a4", at=self.JOIN.at + INTERVAL)

        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, told).when(soon).then(replace(self.JOINED, alert="a3"))
        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, told).when(later).then(
            replace(self.JOINED, alert="a4", notify=True, at=later.at)
        )

    def test_what_joins_within_the_interval_is_told_of_when_that_is_over(self) -> None:
        told = replace(self.JOINED, notify=True)
        further = replace(self.JOINED, alert="a3", others=("a4",), summary="the last")
        tell = TellOfAlerts(by="grouping", at=self.JOIN.at + INTERVAL)
        said = IncidentAlertsTold(
            **BY_ANA | {"by": "grouping", "reason": "", "at": tell.at}, alerts=2, summary="the last"
        )

        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, told, further).when(tell).then(said)
        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, told, further, said).when(tell).then()
        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, told).when(tell).then()
        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, told, further, RESOLVED).when(tell).then()
        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, told, further, replace(told, alert="a5")).when(tell).then()
        given(INCIDENT, OF_ALERT, self.JOINED, ACKNOWLEDGED).when(tell).then()  # nobody was told of the first either
        given(INCIDENT, OF_ALERT, self.JOINED).when(tell).then()

    def test_that_come_together_join_and_end_together(self) -> None:
        state = (
            given(INCIDENT, OF_ALERT, self.JOINED)
            .when(replace(self.JOIN, alert="a1", others=("a2", "a3", "a4", "a3")))
            .then(replace(self.JOINED, alert="a3", others=("a4",)))
        )
        assert state is not None
        assert state.record.firing == ("a1", "a2", "a3", "a4")

        state = (
            given(INCIDENT, OF_ALERT, self.JOINED)
            .when(replace(self.CLEAR, alert="a9", others=("a2",)))
            .then(replace(CLEARED, alert="a2"))
        )
        assert state is not None
        assert state.record.firing == ("a1",)

    @pytest.mark.parametrize("name", ["resolved", "closed", "cancelled", "merged"])
    def test_are_never_swallowed_by_one_that_is_over(self, name: str) -> None:
        given(INCIDENT, *PASTS[name]).when(self.JOIN).refuses(IllegalTransitionError)

    def test_acknowledging_one_takes_the_incident_on(self) -> None:
        given(INCIDENT, OF_ALERT).when(AcknowledgeAlert(**ASKED)).then(ACKNOWLEDGED)

    @pytest.mark.parametrize("name", [name for name in PASTS if name != "triage"])
    def test_acknowledging_one_changes_nothing_further_on(self, name: str) -> None:
        given(INCIDENT, *PASTS[name]).when(AcknowledgeAlert(**ASKED)).then()

    def test_joining_twice_is_silent(self) -> None:
        given(INCIDENT, OF_ALERT, self.JOINED).when(self.JOIN).then()

    def test_the_last_one_resolved_resolves_what_nobody_took_on(self) -> None:
        given(INCIDENT, OF_ALERT).when(self.CLEAR).then(CLEARED, replace(RESOLVED, reason=self.SILENT))

    @pytest.mark.parametrize("stage", [(), (IDENTIFIED,)])
    def test_the_last_one_resolved_sends_what_somebody_took_on_to_monitoring(self, stage: tuple[Event, ...]) -> None:
        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, *stage).when(self.CLEAR).then(
            CLEARED, replace(MONITORING, reason=self.SILENT)
        )

    @pytest.mark.parametrize("past", [(ACKNOWLEDGED, MONITORING), (ACKNOWLEDGED, MITIGATED), (RESOLVED,)])
    def test_the_last_one_resolved_changes_no_state_further_on(self, past: tuple[Event, ...]) -> None:
        given(INCIDENT, OF_ALERT, *past).when(self.CLEAR).then(CLEARED)

    def test_one_of_two_resolved_changes_no_state(self) -> None:
        given(INCIDENT, OF_ALERT, self.JOINED).when(self.CLEAR).then(CLEARED)

    def test_resolved_twice_is_silent(self) -> None:
        given(INCIDENT, OF_ALERT, ACKNOWLEDGED, CLEARED).when(self.CLEAR).then()


class TestClassifying:
    CLASSIFY = Classify(**ASKED, outage_class="retry-storm")
    CLASSIFIED = IncidentClassified(**BY_ANA, outage_class="retry-storm")

    @pytest.mark.parametrize("name", [name for name in PASTS if name != "cancelled"])
    def test_is_done_once_in_any_state(self, name: str) -> None:
        state = given(INCIDENT, *PASTS[name]).when(self.CLASSIFY).then(self.CLASSIFIED)
        assert state is not None
        assert state.record.outage_class == "retry-storm"
        given(INCIDENT, *PASTS[name], self.CLASSIFIED).when(self.CLASSIFY).then()

    def test_what_somebody_said_before_stays_where_it_is_only_supposed(self) -> None:
        supposed = replace(self.CLASSIFY, outage_class="overload", unless_said=True)
        given(INCIDENT, *PASTS["resolved"], self.CLASSIFIED).when(supposed).then()
        given(INCIDENT, *PASTS["resolved"]).when(supposed).then(replace(self.CLASSIFIED, outage_class="overload"))

    def test_a_false_alarm_was_no_outage(self) -> None:
        assert (
            given(INCIDENT, *PASTS["cancelled"]).when(self.CLASSIFY).refuses(IllegalTransitionError).verb == "classify"
        )


class TestCorrectingMilestones:
    EARLIER = AT - timedelta(minutes=10)
    CORRECT = CorrectMilestones(**ASKED, times={"impact_started": EARLIER})

    def test_is_an_event_with_editor_and_reason(self) -> None:
        state = (
            given(INCIDENT, DECLARED)
            .when(self.CORRECT)
            .then(IncidentMilestoneCorrected(**BY_ANA, milestone="impact_started", time=self.EARLIER))
        )

        assert state is not None
        assert state.record.milestones == Milestones(self.EARLIER, AT, AT)

    def test_enters_what_nobody_wrote_down_once_it_is_over(self) -> None:
        command = replace(self.CORRECT, times={"acknowledged": AT})
        entered = IncidentMilestoneCorrected(**BY_ANA, milestone="acknowledged", time=AT)
        state = given(INCIDENT, DECLARED, RESOLVED).when(command).then(entered)
        assert state is not None
        assert state.record.origins["acknowledged"] == Origin("correction", "ana", "because", LATER)
        given(INCIDENT, DECLARED, CANCELLED).when(command).then(entered)
        given(INCIDENT, DECLARED).when(command).refuses(MilestoneNotReachedError)

    @pytest.mark.parametrize("milestone", ["resolved", "closed"])
    def test_never_moves_it_on(self, milestone: Any) -> None:
        command = replace(self.CORRECT, times={milestone: AT})
        given(INCIDENT, DECLARED, CANCELLED).when(command).refuses(MilestoneNotReachedError)

    def test_to_the_same_time_is_silent(self) -> None:
        given(INCIDENT, DECLARED).when(replace(self.CORRECT, times={"impact_started": AT})).then()

    def test_that_were_not_reached_is_refused(self) -> None:
        given(INCIDENT, DECLARED).when(replace(self.CORRECT, times={"closed": AT})).refuses(MilestoneNotReachedError)

    @pytest.mark.parametrize(
        ("milestone", "time"),
        [
            ("impact_started", AT + timedelta(minutes=1)),  # after it was detected
            ("acknowledged", AT - timedelta(minutes=1)),  # before the impact started
            ("resolved", LATER - timedelta(minutes=1)),  # before it was mitigated
            ("closed", LATER - timedelta(minutes=1)),  # before it was resolved
            ("resolved", LATER + timedelta(minutes=1)),  # in the future
        ],
    )
    def test_out_of_order_is_refused(self, milestone: Any, time: datetime) -> None:
        command = replace(self.CORRECT, times={milestone: time})

        refusal = given(INCIDENT, *PASTS["closed"]).when(command).refuses(MilestoneOrderError)

        assert refusal.milestone == milestone

    def test_may_move_several_at_once(self) -> None:
        later = AT + timedelta(minutes=1)
        times: dict[Milestone, datetime] = {"impact_started": later, "detected": later, "declared": later}
        corrected = [IncidentMilestoneCorrected(**BY_ANA, milestone=name, time=later) for name in times]
        given(INCIDENT, DECLARED).when(replace(self.CORRECT, times=times)).then(*corrected)

    def test_what_resolving_stamped_beside_moves_with_it_until_somebody_says_otherwise(self) -> None:
        earlier, other = LATER - timedelta(minutes=5), LATER - timedelta(minutes=7)
        correct = replace(self.CORRECT, times={"resolved": earlier})
        corrected = IncidentMilestoneCorrected(**BY_ANA, milestone="resolved", time=earlier)
        beside = IncidentMilestoneCorrected(**BY_ANA, milestone="mitigated", time=earlier, implied=True)
        said = replace(beside, time=other, implied=False)
        given(INCIDENT, DECLARED, RESOLVED).when(correct).then(corrected, beside)
        given(INCIDENT, DECLARED, RESOLVED, said).when(correct).then(corrected)
        again = replace(correct, times={"resolved": other})
        moved = given(INCIDENT, DECLARED, RESOLVED, corrected, beside).when(again)
        moved.then(replace(corrected, time=other), replace(beside, time=other))

    def test_acknowledging_may_precede_declaring(self) -> None:
        past = replace(DECLARED, impact_started=self.EARLIER, detected=self.EARLIER)
        command = replace(self.CORRECT, times={"acknowledged": self.EARLIER})
        given(INCIDENT, past, ACKNOWLEDGED).when(command).then(
            IncidentMilestoneCorrected(**BY_ANA, milestone="acknowledged", time=self.EARLIER)
        )


@pytest.mark.parametrize("name", PASTS)
def test_people_write_into_the_timeline_in_every_state(name: str) -> None:
    note: dict[str, Any] = {"kind": "decision", "text": "roll back", "occurred_at": AT, "starred": True}
    before = given(INCIDENT, *PASTS[name])

    assert before.when(Note(**ASKED, **note)).then(IncidentNoted(**BY_ANA, **note)) == before.state
