"""What people say and do while they work on an incident: merge, split, describe, take roles, link, tell."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events import codec
from libs.events.store import MAX_EVENT_BYTES
from libs.events.testing import given
from services.incidents.contract import INCIDENT
from services.incidents.domain.errors import (
    IllegalTransitionError,
    ImpactError,
    ReasonMissingError,
    RoleError,
    UnknownReferenceError,
)
from services.incidents.domain.incident import events as of
from services.incidents.domain.incident import work_events as of_work
from services.incidents.domain.incident.commands import (
    Absorb,
    ClearAlert,
    Declare,
    MergeInto,
    Reopen,
    Resolve,
    Split,
    TakeGroup,
)
from services.incidents.domain.incident.evolution import opened
from services.incidents.domain.incident.state import Active, Details, Link, LinkedDeployment, Merged, Triage, Updates
from services.incidents.domain.incident.terms import Affected
from services.incidents.domain.incident.work_commands import (
    AcceptRole,
    AddResponder,
    Amend,
    AssumeRole,
    DeclineRole,
    LinkDeployment,
    LinkIncident,
    OfferRole,
    PostUpdate,
    ReleaseResponder,
    ReleaseRole,
    SetCadence,
    UnlinkDeployment,
    UnlinkIncident,
    UpdateFellDue,
)

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(minutes=42)
WHOLE: dict[str, Any] = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev2"}
BY_ANA: dict[str, Any] = {**WHOLE, "by": "ana", "reason": "because", "at": LATER}
ASKED: dict[str, Any] = {"by": "ana", "reason": "because", "at": LATER}
BO: dict[str, Any] = ASKED | {"by": "bo"}

DECLARED = of.IncidentDeclared(**WHOLE, title="Checkout fails", by="bo", at=AT, impact_started=AT, detected=AT)
OF_ALERT = replace(DECLARED, alert="a1", group="slo/availability")
TAKEN = of.IncidentAcknowledged(**BY_ANA)
RESOLVED = of.IncidentResolved(**BY_ANA)
MERGED = of.IncidentMerged(**BY_ANA, into="i2", into_number="INC-2")
FINAL = {
    "closed": (DECLARED, RESOLVED, of.IncidentClosed(**BY_ANA)),
    "cancelled": (DECLARED, of.IncidentCancelled(**BY_ANA)),
    "merged": (DECLARED, MERGED),
}
LEADS = of_work.IncidentRoleAssumed(**BY_ANA, role="incident_commander", person="ana")
OFFERED = of_work.IncidentRoleOffered(**BY_ANA, role="incident_commander", person="bo")


class TestMerging:
    INTO = MergeInto(**ASKED, into="i2", into_number="INC-2")
    ABSORB = Absorb(
        **ASKED,
        other="i0",
        other_number="INC-0",
        impact_started=AT,
        detected=AT,
        alerts=("a1", "a5", "a6"),
        firing=("a6",),
    )

    @pytest.mark.parametrize("past", [(), (TAKEN,), (TAKEN, of.IncidentMitigated(**BY_ANA)), (RESOLVED,)])
    def test_ends_here_and_says_which_alerts_go_on_there(self, past: tuple[of.Event, ...]) -> None:
        state = (
            given(INCIDENT, OF_ALERT, *past)
            .when(self.INTO)
            .then(replace(MERGED, alerts=("a1",), groups=("slo/availability",)))
        )
        assert isinstance(state, Merged)
        assert state.into == "i2"

    def test_twice_is_silent_and_elsewhere_refused(self) -> None:
        given(INCIDENT, DECLARED, MERGED).when(self.INTO).then()
        given(INCIDENT, DECLARED, MERGED).when(replace(self.INTO, into="i3")).refuses(IllegalTransitionError)

    @pytest.mark.parametrize("name", ["closed", "cancelled"])
    def test_what_is_final_is_refused(self, name: str) -> None:
        given(INCIDENT, *FINAL[name]).when(self.INTO).refuses(IllegalTransitionError)

    def test_into_itself_is_refused(self) -> None:
        refusal = given(INCIDENT, DECLARED).when(replace(self.INTO, into="i1")).refuses(UnknownReferenceError)
        assert refusal.field == "into"

    def test_takes_the_alerts_that_it_does_not_have(self) -> None:
        state = (
            given(INCIDENT, OF_ALERT)
            .when(self.ABSORB)
            .then(of.IncidentAbsorbed(**BY_ANA, other="i0", other_number="INC-0", alerts=("a5", "a6"), firing=("a6",)))
        )
        assert state is not None
        assert (state.record.alerts, state.record.firing) == (("a1", "a5", "a6"), ("a1", "a6"))
        assert state.record.absorbed == ("i0",)

    def test_of_ever_so_many_alerts_all_go_on_and_no_event_is_too_large_to_be_kept(self) -> None:
        many = tuple(f"019aa5c0-1c00-7b20-8a3b-{n:012}" for n in range(25_001))
        storm = replace(opened(DECLARED), alerts=many, firing=many)
        ends = INCIDENT.decide(self.INTO, Triage(storm))
        goes_on = INCIDENT.decide(replace(self.ABSORB, alerts=many, firing=many[1:]), Triage(opened(OF_ALERT)))
        quiet = INCIDENT.decide(Resolve(**ASKED, ended=many), Triage(storm))

        assert max(len(codec.encode(event)) for event in (*ends, *goes_on, *quiet)) < MAX_EVENT_BYTES / 2
        whole = INCIDENT.fold(Triage(opened(OF_ALERT)), goes_on)
        assert whole is not None
        assert (whole.record.alerts, whole.record.firing) == (("a1", *many), ("a1", *many[1:]))
        assert whole.record.absorbed == ("i0",)

    def test_began_and_was_noticed_when_the_first_of_both_was(self) -> None:
        earlier, noticed = AT - timedelta(minutes=9), AT - timedelta(minutes=5)
        absorb = replace(self.ABSORB, impact_started=earlier, detected=noticed, alerts=(), firing=())
        corrected = of.IncidentMilestoneCorrected(
            **BY_ANA | {"reason": "INC-0 was a part of it, and was earlier"}, milestone="impact_started", time=earlier
        )
        state = (
            given(INCIDENT, DECLARED)
            .when(absorb)
            .then(
                of.IncidentAbsorbed(**BY_ANA, other="i0", other_number="INC-0"),
                corrected,
                replace(corrected, milestone="detected", time=noticed),
            )
        )
        assert state is not None
        assert (state.record.milestones.impact_started, state.record.milestones.detected) == (earlier, noticed)

    @pytest.mark.parametrize("past", [(DECLARED, RESOLVED), *FINAL.values()])
    def test_into_one_that_is_over_is_refused(self, past: tuple[of.Event, ...]) -> None:
        given(INCIDENT, *past).when(self.ABSORB).refuses(IllegalTransitionError)

    def test_an_alert_that_ends_afterwards_changes_nothing_here(self) -> None:
        given(INCIDENT, OF_ALERT, MERGED).when(ClearAlert(**ASKED, alert="a1")).then()

    def test_further_alerts_of_its_group_join_the_other_while_that_is_open(self) -> None:
        take = TakeGroup(**ASKED, group="slo/availability")
        state = given(INCIDENT, DECLARED).when(take).then(of.IncidentGroupTaken(**BY_ANA, group="slo/availability"))
        assert state is not None
        assert state.record.groups == ("slo/availability",)
        given(INCIDENT, OF_ALERT).when(take).then()
        given(INCIDENT, DECLARED, RESOLVED).when(take).then()


class TestSplitting:
    JOINED = of.IncidentAlertJoined(**BY_ANA, alert="a2")
    SPLIT = Split(**ASKED, into="i2", into_number="INC-2", alerts=("a2",))

    def test_some_of_its_alerts_leave_it(self) -> None:
        state = (
            given(INCIDENT, OF_ALERT, self.JOINED)
            .when(self.SPLIT)
            .then(of.IncidentSplit(**BY_ANA, into="i2", into_number="INC-2", alerts=("a2",)))
        )
        assert state is not None
        assert (state.record.alerts, state.record.firing) == (("a1",), ("a1",))

    def test_what_is_left_with_no_alert_that_fires_is_over_unless_somebody_took_it_on(self) -> None:
        ended = of.IncidentAlertCleared(**BY_ANA, alert="a1")
        leave = of.IncidentSplit(**BY_ANA, into="i2", into_number="INC-2", alerts=("a2",))
        silent = BY_ANA | {"reason": "none of its alerts fires any more"}
        watched = of.IncidentStageChanged(**silent, stage="monitoring")
        past = given(INCIDENT, OF_ALERT, self.JOINED, ended)
        past.when(self.SPLIT).then(leave, of.IncidentResolved(**silent))
        given(INCIDENT, OF_ALERT, TAKEN, self.JOINED, ended).when(self.SPLIT).then(leave, watched)
        past.when(replace(self.SPLIT, alerts=("a1",))).then(replace(leave, alerts=("a1",)))
        past.when(replace(self.SPLIT, alerts=("a1", "a2"))).then(replace(leave, alerts=("a1", "a2")))

    def test_what_it_does_not_have_is_refused_with_what_it_has(self) -> None:
        assert "a1" in str(given(INCIDENT, OF_ALERT).when(self.SPLIT).refuses(UnknownReferenceError))

    def test_without_alerts_or_when_it_is_over_is_refused(self) -> None:
        given(INCIDENT, OF_ALERT).when(replace(self.SPLIT, alerts=())).refuses(IllegalTransitionError)
        given(INCIDENT, OF_ALERT, RESOLVED).when(self.SPLIT).refuses(IllegalTransitionError)

    def test_who_split_it_works_on_the_new_one(self) -> None:
        declare = Declare(
            **WHOLE, **ASKED, title="Search", split_from="i0", alerts=("a2", "a3"), firing=("a3",), impact_started=AT
        )
        before = given(INCIDENT).when(declare)
        events = INCIDENT.decide(declare, None)
        state = before.then(*events)
        assert [type(event) for event in events] == [of.IncidentDeclared, of.IncidentAcknowledged]
        assert isinstance(state, Active)
        assert (state.record.alerts, state.record.firing) == (("a2", "a3"), ("a3",))
        assert state.record.acknowledged_implied


class TestDescribing:
    DETAILS = Details(title="Checkout fails", priority="P1", customer_facing=True, tags=("eu",), fields={"lost": 3.0})

    def test_each_aspect_is_an_event_and_what_is_so_already_is_none(self) -> None:
        affected = (Affected(service="search-api", users_share=0.25),)
        command = Amend(**ASKED, details=self.DETAILS, severity="sev1", affected=affected)
        worse = BY_ANA | {"severity": "sev1"}
        state = (
            given(INCIDENT, DECLARED)
            .when(command)
            .then(
                of_work.IncidentSeverityChanged(**worse, from_severity="sev2"),
                of_work.IncidentAmended(
                    **worse,
                    title="Checkout fails",
                    priority="P1",
                    customer_facing=True,
                    test=False,
                    tags=("eu",),
                    fields={"lost": 3.0},
                ),
                of_work.IncidentImpactChanged(**worse, affected=affected),
            )
        )
        assert state is not None
        assert INCIDENT.decide(command, state) == ()
        others = (Affected(service="a"),)
        moved = of_work.IncidentImpactChanged(**worse, affected=others, gone=("search-api",))
        assert INCIDENT.decide(Amend(**ASKED, affected=others), state) == (moved,)
        beside = replace(command, affected=(*affected, *others))
        assert INCIDENT.decide(beside, state) == (replace(moved, affected=beside.affected, gone=()),)

    @pytest.mark.parametrize("name", FINAL)
    def test_what_is_final_is_not_described_otherwise(self, name: str) -> None:
        command = Amend(**ASKED, severity="sev1")
        refusal = given(INCIDENT, *FINAL[name]).when(command).refuses(IllegalTransitionError)
        assert refusal.state == name

    @pytest.mark.parametrize(
        "affected",
        [
            (Affected(service="checkout-api"),),
            (Affected(service="a"), Affected(service="a")),
            (Affected(service="a", since=LATER + timedelta(seconds=1)),),
            (Affected(service="a", since=LATER, until=AT),),
            (Affected(service="a", until=LATER + timedelta(seconds=1)),),
            tuple(Affected(service=f"s{number}") for number in range(101)),
        ],
    )
    def test_a_service_is_affected_once_and_in_times_that_can_be(self, affected: tuple[Affected, ...]) -> None:
        refusal = given(INCIDENT, DECLARED).when(Amend(**ASKED, affected=affected)).refuses(ImpactError)
        assert refusal.index == len(affected) - 1

    def test_as_many_services_are_affected_as_may_be(self) -> None:
        hundred = tuple(Affected(service=f"s{number}") for number in range(100))
        assert INCIDENT.decide(Amend(**ASKED, affected=hundred), given(INCIDENT, DECLARED).state)

    def test_one_that_follows_a_closed_one_links_to_it(self) -> None:
        declare = Declare(**WHOLE, **ASKED, title="Again", follows=("i0", "INC-0"), affected=(Affected(service="a"),))
        state = INCIDENT.fold(None, INCIDENT.decide(declare, None))
        assert isinstance(state, Triage)
        assert state.record.links == (Link("follows", "i0", "INC-0"),)
        assert state.record.affected == (Affected(service="a"),)


class TestRoles:
    ASSUME = AssumeRole(**ASKED, role="incident_commander", person="ana")
    OFFER = OfferRole(**ASKED, role="incident_commander", person="bo")

    def test_a_vacant_one_is_assumed_once(self) -> None:
        given(INCIDENT, DECLARED).when(self.ASSUME).then(LEADS)
        given(INCIDENT, DECLARED, LEADS).when(self.ASSUME).then()

    def test_one_that_somebody_has_is_taken_by_force_with_a_reason_only(self) -> None:
        take = replace(self.ASSUME, person="bo", by="bo")
        past = given(INCIDENT, DECLARED, LEADS)
        assert past.when(take).refuses(RoleError).holder == "ana"
        past.when(replace(take, force=True, reason=" ")).refuses(ReasonMissingError)
        past.when(replace(take, force=True)).then(replace(LEADS, by="bo", person="bo", before="ana"))

    def test_is_handed_over_to_who_acknowledges_it_and_who_had_it_when_stays_known(self) -> None:
        given(INCIDENT, DECLARED, LEADS).when(self.OFFER).then(OFFERED)
        taken = replace(LEADS, by="bo", person="bo", before="ana", handed_over=True)
        accept = AcceptRole(**BO, role="incident_commander")
        state = given(INCIDENT, DECLARED, LEADS, OFFERED).when(accept).then(taken)
        assert state is not None
        assert [(turn.person, turn.until) for turn in state.record.turns] == [("ana", LATER), ("bo", None)]
        assert state.record.roles["incident_commander"].offered_to == ""
        assert INCIDENT.decide(accept, state) == ()

    def test_who_assumes_what_was_offered_to_them_acknowledges_it(self) -> None:
        taken = replace(LEADS, by="bo", person="bo", before="ana", handed_over=True)
        take = replace(self.ASSUME, person="bo", by="bo")
        given(INCIDENT, DECLARED, LEADS, OFFERED).when(take).then(taken)
        given(INCIDENT, DECLARED, LEADS, OFFERED).when(replace(take, by="cy")).refuses(RoleError)

    def test_only_to_whom_it_was_offered_can_acknowledge_it(self) -> None:
        accept = AcceptRole(**ASKED | {"by": "cy"}, role="incident_commander")
        given(INCIDENT, DECLARED, LEADS, OFFERED).when(accept).refuses(RoleError)
        given(INCIDENT, DECLARED, LEADS).when(accept).refuses(RoleError)
        given(INCIDENT, DECLARED).when(accept).refuses(RoleError)

    def test_an_offer_ends_when_it_is_declined_or_taken_back(self) -> None:
        past = given(INCIDENT, DECLARED, LEADS, OFFERED)
        ended = of_work.IncidentRoleOfferEnded(**BY_ANA, role="incident_commander", person="bo")
        past.when(DeclineRole(**BO, role="incident_commander")).then(replace(ended, by="bo"))
        past.when(DeclineRole(**ASKED, role="incident_commander")).then(ended)
        past.when(DeclineRole(**ASKED | {"by": "cy"}, role="incident_commander")).refuses(RoleError)
        given(INCIDENT, DECLARED, LEADS).when(DeclineRole(**BO, role="incident_commander")).then()

    def test_who_has_it_or_the_commander_disposes_of_it(self) -> None:
        operates = of_work.IncidentRoleAssumed(**BY_ANA, role="operations", person="bo")
        past = given(INCIDENT, DECLARED, LEADS, operates)
        released = of_work.IncidentRoleReleased(**BY_ANA, role="operations", person="bo")
        past.when(ReleaseRole(**ASKED, role="operations")).then(released)
        past.when(ReleaseRole(**BO, role="operations")).then(replace(released, by="bo"))
        past.when(ReleaseRole(**ASKED | {"by": "cy"}, role="operations")).refuses(RoleError)
        past.when(ReleaseRole(**BO, role="incident_commander")).refuses(RoleError)
        past.when(ReleaseRole(**ASKED, role="planning")).then()
        past.when(OfferRole(**BO, role="incident_commander", person="cy")).refuses(RoleError)

    def test_offering_it_to_who_has_it_or_was_offered_it_is_silent(self) -> None:
        given(INCIDENT, DECLARED, LEADS, OFFERED).when(self.OFFER).then()
        given(INCIDENT, DECLARED, LEADS).when(replace(self.OFFER, person="ana")).then()

    @pytest.mark.parametrize("name", FINAL)
    def test_nobody_takes_one_in_what_is_final(self, name: str) -> None:
        given(INCIDENT, *FINAL[name]).when(self.ASSUME).refuses(IllegalTransitionError)

    def test_who_helps_is_added_and_released_once(self) -> None:
        added = of_work.IncidentResponderAdded(**BY_ANA, person="cy", side="dev")
        gone = of_work.IncidentResponderReleased(**BY_ANA, person="cy")
        add, release = AddResponder(**ASKED, person="cy", side="dev"), ReleaseResponder(**ASKED, person="cy")
        given(INCIDENT, DECLARED).when(add).then(added)
        given(INCIDENT, DECLARED, added).when(add).then()
        given(INCIDENT, DECLARED, added).when(replace(add, side="")).then()
        both = added, replace(added, person="di")
        state = given(INCIDENT, DECLARED, *both).when(release).then(gone)
        assert state is not None
        assert list(state.record.responders) == ["di"]
        given(INCIDENT, DECLARED).when(release).then()


class TestLinking:
    def test_another_incident_once_and_not_itself(self) -> None:
        link = LinkIncident(**ASKED, other="i0", other_number="INC-0", relation="duplicate_of")
        linked = of_work.IncidentLinked(**BY_ANA, other="i0", other_number="INC-0", relation="duplicate_of")
        unlink = UnlinkIncident(**ASKED, other="i0", relation="duplicate_of")
        given(INCIDENT, *FINAL["closed"]).when(link).then(linked)
        given(INCIDENT, DECLARED, linked).when(link).then()
        given(INCIDENT, DECLARED).when(replace(link, other="i1")).refuses(UnknownReferenceError)
        other = replace(linked, relation="follows")
        state = (
            given(INCIDENT, DECLARED, linked, other)
            .when(unlink)
            .then(of_work.IncidentUnlinked(**BY_ANA, other="i0", relation="duplicate_of"))
        )
        assert state is not None
        assert state.record.links == (Link("follows", "i0", "INC-0"),)
        given(INCIDENT, DECLARED).when(unlink).then()

    def test_a_deployment_that_is_suspected_or_not(self) -> None:
        link = LinkDeployment(**ASKED, deployment="run-1", service="checkout-api", version="2", suspected=True)
        linked = of_work.IncidentDeploymentLinked(
            **BY_ANA, deployment="run-1", deployed_service="checkout-api", version="2", suspected=True
        )
        given(INCIDENT, DECLARED).when(link).then(linked)
        given(INCIDENT, DECLARED, linked).when(link).then()
        cleared = replace(linked, suspected=False)
        state = given(INCIDENT, DECLARED, linked).when(replace(link, suspected=False)).then(cleared)
        assert state is not None
        assert state.record.deployments == (LinkedDeployment("run-1", "checkout-api", "2", suspected=False),)
        unlink = UnlinkDeployment(**ASKED, deployment="run-1")
        other = replace(linked, deployment="run-2")
        unlinked = of_work.IncidentDeploymentUnlinked(**BY_ANA, deployment="run-1")
        state = given(INCIDENT, DECLARED, linked, other).when(unlink).then(unlinked)
        assert state is not None
        assert [each.deployment for each in state.record.deployments] == ["run-2"]
        given(INCIDENT, DECLARED).when(unlink).then()


class TestTelling:
    DUE = LATER + timedelta(minutes=30)
    EVERY = of_work.IncidentCadenceSet(**BY_ANA, every_minutes=30, next_due=DUE)
    WORSE = replace(of_work.IncidentSeverityChanged(**BY_ANA, from_severity="sev2"), severity="sev1")
    POST = PostUpdate(**ASKED, text="We look.", audience="stakeholders")
    FELL_DUE = UpdateFellDue(**ASKED, due=DUE)

    def test_every_so_often_as_was_said(self) -> None:
        given(INCIDENT, DECLARED).when(SetCadence(**ASKED, every_minutes=30)).then(self.EVERY)
        given(INCIDENT, DECLARED, self.EVERY).when(SetCadence(**ASKED, every_minutes=30)).then()
        none = replace(self.EVERY, every_minutes=None, next_due=None)
        given(INCIDENT, DECLARED, self.EVERY).when(SetCadence(**ASKED, every_minutes=None)).then(none)

    def test_at_first_as_often_as_its_severity_says(self) -> None:
        hourly = replace(DECLARED, update_every_minutes=60, update_due=AT + timedelta(minutes=60))
        sooner = replace(self.EVERY, severity="sev1", by_severity=True)
        amend = Amend(**ASKED, severity="sev1", update_every_minutes=30)

        assert Updates(60, AT + timedelta(minutes=60)) == INCIDENT.fold(None, (hourly,)).record.updates
        given(INCIDENT, hourly).when(amend).then(self.WORSE, sooner)
        given(INCIDENT, hourly).when(replace(amend, update_every_minutes=60)).then(self.WORSE)
        given(INCIDENT, hourly).when(UpdateFellDue(**ASKED, due=AT + timedelta(minutes=60))).then(
            of_work.IncidentUpdateOverdue(**BY_ANA, due=AT + timedelta(minutes=60))
        )

    def test_as_somebody_chose_whatever_its_severity_says(self) -> None:
        amend = Amend(**ASKED, severity="sev1", update_every_minutes=5)
        given(INCIDENT, DECLARED, self.EVERY).when(amend).then(self.WORSE)
        never = replace(self.EVERY, every_minutes=None, next_due=None)
        given(INCIDENT, DECLARED).when(SetCadence(**ASKED, every_minutes=None)).then(never)
        given(INCIDENT, DECLARED, never).when(amend).then(self.WORSE)

    def test_an_update_moves_the_next_one_on(self) -> None:
        posted = of_work.IncidentUpdatePosted(**BY_ANA, text="We look.", audience="stakeholders", next_due=self.DUE)
        late = of_work.IncidentUpdateOverdue(**BY_ANA, due=self.DUE)
        state = given(INCIDENT, DECLARED, self.EVERY, posted, late).when(self.POST).then(posted)
        assert state is not None
        assert state.record.updates == Updates(30, self.DUE, posted=2, by_severity=False)
        state = (
            given(INCIDENT, DECLARED, self.EVERY, late)
            .when(SetCadence(**ASKED, every_minutes=None))
            .then(replace(self.EVERY, every_minutes=None, next_due=None))
        )
        assert state is not None
        assert state.record.updates == Updates(by_severity=False)
        given(INCIDENT, DECLARED).when(self.POST).then(replace(posted, next_due=None))
        given(INCIDENT, DECLARED, self.EVERY, RESOLVED).when(self.POST).then(replace(posted, next_due=None))

    def test_what_was_not_said_in_time_is_overdue_once(self) -> None:
        overdue = of_work.IncidentUpdateOverdue(**BY_ANA, due=self.DUE)
        given(INCIDENT, DECLARED, self.EVERY).when(self.FELL_DUE).then(overdue)
        given(INCIDENT, DECLARED, self.EVERY, overdue).when(self.FELL_DUE).then()
        given(INCIDENT, DECLARED).when(self.FELL_DUE).then()
        given(INCIDENT, DECLARED, self.EVERY, RESOLVED).when(self.FELL_DUE).then()

    def test_a_reopened_incident_is_told_of_again(self) -> None:
        past = given(INCIDENT, DECLARED, TAKEN, self.EVERY, RESOLVED)
        past.when(Reopen(**ASKED)).then(of.IncidentReopened(**BY_ANA), self.EVERY)
        by_severity = replace(self.EVERY, by_severity=True)
        past = given(INCIDENT, DECLARED, TAKEN, by_severity, RESOLVED)
        past.when(Reopen(**ASKED)).then(of.IncidentReopened(**BY_ANA), by_severity)
