"""What a list shows of a thing equals what its own page shows: both come from the same events."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.events import codec
from libs.events.decider import Decider
from libs.events.envelope import Recorded
from libs.events.ids import new_id
from libs.events.projection import Projection, Row
from services.incidents.api.action_schemas import ActionAnswer, action_answer
from services.incidents.api.alert_schemas import AlertItem, alert_answer
from services.incidents.api.incident_schemas import AlertCounts, incident_answer, incident_row
from services.incidents.api.postmortem_schemas import PostmortemItem, postmortem_answer
from services.incidents.api.schemas import (
    of_row,
)
from services.incidents.contract import ACTION, ALERT, INCIDENT, POSTMORTEM
from services.incidents.domain.action import events as of_action
from services.incidents.domain.alert import events as of_alert
from services.incidents.domain.incident import events as of_incident
from services.incidents.domain.incident import work_events as of_work
from services.incidents.domain.incident.terms import Affected
from services.incidents.domain.milestones import Figures, Milestones
from services.incidents.domain.postmortem import events as of_postmortem
from services.incidents.projections.actions import ACTIONS
from services.incidents.projections.alerts import ALERTS
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.postmortems import POSTMORTEMS

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER, LATEST = AT + timedelta(minutes=5), AT + timedelta(minutes=9)
TODAY = date(2026, 12, 25)


def row_of(projection: Projection, key: str, events: tuple[Any, ...]) -> Row:
    """The projection's one row after *events*."""
    row: Row | None = None
    for version, event in enumerate(events, 1):
        fold = projection.folds.get(type(event))
        if fold is not None:
            recorded = Recorded(version, f"x/{key}", version, "", new_id(), AT, AT, b"", b"")
            [found] = fold.keys(event, recorded)
            row = fold.apply(row, event, recorded, found)
    assert row is not None
    assert set(row) == set(projection.view.c.keys())
    return row


def state_of(decider: Decider[Any, Any, Any], events: tuple[Any, ...]) -> Any:
    return decider.fold(decider.initial, events)


TRIGGERED = of_alert.AlertTriggered("a1", "slo", "burn-1", "checkout-api", "high", "burns", AT, "i1")
SEEN = of_alert.AlertAcknowledged("a1", "checkout-api", "i1", "ana", "", LATER)
ENDED = of_alert.AlertResolved("a1", "checkout-api", "i1", "slo", "", LATEST)
GROUPED = of_alert.AlertGrouped("a1", "i2", LATER, "a0")
SILENCED = of_alert.AlertSilenced("a1", "s1", LATEST, "ana", "maintenance", LATER)
AGAIN = of_alert.AlertRetriggered("a1", "burns", LATER)


@pytest.mark.parametrize(
    "then",
    [
        (),
        (AGAIN,),
        (SEEN,),
        (SEEN, AGAIN),
        (ENDED,),
        (AGAIN, SEEN, AGAIN, ENDED),
        (GROUPED, SEEN),
        (SILENCED, SEEN, GROUPED, ENDED),
        (ENDED, GROUPED),
    ],
)
def test_alerts(then: tuple[Any, ...]) -> None:
    events = (TRIGGERED, *then)

    item, answer = of_row(AlertItem, row_of(ALERTS, "a1", events)), alert_answer(state_of(ALERT, events))

    assert dataclasses.asdict(item) | {"details": {}} == dataclasses.asdict(answer)


BY_ANA: dict[str, Any] = {
    "incident": "i1",
    "number": "INC-17",
    "service": "checkout-api",
    "severity": "sev1",
    "by": "ana",
    "reason": "because",
    "at": LATER,
}
DECLARED = of_incident.IncidentDeclared(**BY_ANA, title="Checkout fails", impact_started=AT, detected=LATER)
OF_ALERT = dataclasses.replace(DECLARED, alert="a1", group="slo/x")
TAKEN = of_incident.IncidentAcknowledged(**BY_ANA)
STAGED = of_incident.IncidentStageChanged(**BY_ANA, stage="identified")
MITIGATED = of_incident.IncidentMitigated(**BY_ANA)
RESOLVED = of_incident.IncidentResolved(**(BY_ANA | {"at": LATEST}))
CLOSED = of_incident.IncidentClosed(**(BY_ANA | {"at": LATEST}))
CANCELLED = of_incident.IncidentCancelled(**BY_ANA)
REOPENED = of_incident.IncidentReopened(**BY_ANA)
JOINED = of_incident.IncidentAlertJoined(**BY_ANA, alert="a2")
CLEARED = of_incident.IncidentAlertCleared(**BY_ANA, alert="a1")
CORRECTED = of_incident.IncidentMilestoneCorrected(**BY_ANA, milestone="detected", time=AT)
ABSORBED = of_incident.IncidentAbsorbed(**BY_ANA, other="i2", other_number="INC-2", alerts=("a8", "a9"), firing=("a9",))
SPLIT = of_incident.IncidentSplit(**BY_ANA, into="i3", into_number="INC-3", alerts=("a1",))
MERGED = of_incident.IncidentMerged(**BY_ANA, into="i2", into_number="INC-2")
GRADED = of_work.IncidentSeverityChanged(**(BY_ANA | {"severity": "sev3"}), from_severity="sev1")
SPREAD = of_work.IncidentImpactChanged(**BY_ANA, affected=(Affected(service="search-api", users_share=0.5, since=AT),))
AMENDED = of_work.IncidentAmended(
    **BY_ANA, title="Worse", priority="P0", customer_facing=True, test=False, tags=("eu",), fields={"lost": 3.0}
)
LEADS = of_work.IncidentRoleAssumed(**BY_ANA, role="incident_commander", person="ana")
BO_LEADS = of_work.IncidentRoleAssumed(**BY_ANA, role="incident_commander", person="bo", before="ana", handed_over=True)
LEFT = of_work.IncidentRoleReleased(**BY_ANA, role="incident_commander", person="bo")
HELPS = of_work.IncidentResponderAdded(**BY_ANA, person="cy", side="dev")
HELPED = of_work.IncidentResponderReleased(**BY_ANA, person="cy")
LINKED = of_work.IncidentLinked(**BY_ANA, other="i9", other_number="INC-9", relation="caused_by")
UNLINKED = of_work.IncidentUnlinked(**BY_ANA, other="i9", relation="caused_by")
SUSPECT = of_work.IncidentDeploymentLinked(
    **BY_ANA, deployment="run-1", deployed_service="checkout-api", version="2", suspected=True
)
HARMLESS = of_work.IncidentDeploymentUnlinked(**BY_ANA, deployment="run-1")
EVERY = of_work.IncidentCadenceSet(**BY_ANA, every_minutes=30, next_due=LATEST)
TOLD = of_work.IncidentUpdatePosted(**BY_ANA, text="We look.", audience="customers", next_due=LATEST)
LATE = of_work.IncidentUpdateOverdue(**BY_ANA, due=LATEST)
NOTED = of_incident.IncidentNoted(**BY_ANA, kind="note", text="hm", occurred_at=AT)


@pytest.mark.parametrize(
    "events",
    [
        (DECLARED,),
        (OF_ALERT, JOINED, CLEARED),
        (DECLARED, TAKEN, NOTED),
        (DECLARED, TAKEN, STAGED, CORRECTED),
        (DECLARED, TAKEN, STAGED, MITIGATED),
        (DECLARED, TAKEN, MITIGATED, RESOLVED),
        (DECLARED, RESOLVED, CLOSED),
        (DECLARED, TAKEN, STAGED, RESOLVED, REOPENED),
        (DECLARED, TAKEN, MITIGATED, REOPENED, RESOLVED),
        (DECLARED, CANCELLED),
        (OF_ALERT, ABSORBED, SPLIT, MERGED),
        (dataclasses.replace(DECLARED, split_from="i2", alerts=("a1", "a2"), firing=("a2",)), TAKEN),
        (DECLARED, GRADED, SPREAD, AMENDED),
        (DECLARED, LEADS, BO_LEADS, HELPS),
        (DECLARED, LEADS, BO_LEADS, LEFT, HELPS, HELPED),
        (DECLARED, LINKED, SUSPECT),
        (DECLARED, LINKED, UNLINKED, SUSPECT, HARMLESS),
        (DECLARED, EVERY, LATE),
        (DECLARED, EVERY, LATE, TOLD),
        (DECLARED, EVERY, RESOLVED),
        (DECLARED, EVERY, LATE, CANCELLED),
    ],
)
def test_incidents(events: tuple[Any, ...]) -> None:
    row = row_of(INCIDENTS, "i1", events)

    assert row["ordinal"] == 17
    assert incident_row(row) == incident_answer(state_of(INCIDENT, events))


def test_an_incident_after_a_storm_is_answered_with_counts_and_its_newest_alerts() -> None:
    names = tuple(f"a{number}" for number in range(2, 5_001))
    storm = dataclasses.replace(JOINED, alert=names[0], others=names[1:])
    over = dataclasses.replace(CLEARED, alert=names[0], others=names[1:1_000])
    events = OF_ALERT, storm, over

    answered = incident_answer(state_of(INCIDENT, events))

    assert answered.alert_counts == AlertCounts(total=5_000, firing=4_000, resolved=1_000)
    assert answered.alerts == answered.alerts_firing == [f"a{number}" for number in range(4_951, 5_001)]
    assert incident_row(row_of(INCIDENTS, "i1", events)) == answered
    assert len(codec.encode(answered)) < 4_000


OF_INCIDENT: dict[str, Any] = {
    "postmortem": "p1",
    "incident": "i1",
    "number": "INC-17",
    "service": "checkout-api",
    "title": "Checkout fails",
    "by": "ana",
    "at": AT,
}
DRAFTED = of_postmortem.PostmortemDrafted(
    **OF_INCIDENT,
    origin=of_postmortem.Origin(incident_version=4, milestones=Milestones(AT, AT, AT), figures=Figures(0), alerts=1),
)
FILLED = of_postmortem.PostmortemAmended(
    sections=of_postmortem.Sections(title="Checkout failed", summary="It failed."), authors=("bo",), by="bo", at=AT
)
FOLLOWED = of_postmortem.PostmortemActionAdded(action="t1", by="ana", at=AT)
SUBMITTED = of_postmortem.PostmortemSubmitted(by="ana", at=AT)
APPROVED = of_postmortem.PostmortemSideApproved(side="sre", complete=False, by="bo", at=LATER)
BOTH = of_postmortem.PostmortemSideApproved(side="product", complete=True, by="cy", at=LATER)
SENT_BACK = of_postmortem.PostmortemChangesRequested(by="cy", reason="how many orders?", at=LATER)
PUBLISHED = of_postmortem.PostmortemPublished(**(OF_INCIDENT | {"at": LATER}))
REOPENED_AGAIN = of_postmortem.PostmortemReopened(**(OF_INCIDENT | {"at": LATEST}))


@pytest.mark.parametrize(
    "events",
    [
        (DRAFTED,),
        (DRAFTED, FILLED),
        (DRAFTED, FILLED, FOLLOWED, SUBMITTED),
        (DRAFTED, FILLED, FOLLOWED, PUBLISHED),
        (DRAFTED, SUBMITTED, APPROVED),
        (DRAFTED, SUBMITTED, APPROVED, BOTH),
        (DRAFTED, SUBMITTED, APPROVED, SENT_BACK),
        (DRAFTED, SUBMITTED, APPROVED, BOTH, dataclasses.replace(PUBLISHED, reviewed=True)),
        (DRAFTED, PUBLISHED, REOPENED_AGAIN),
    ],
)
def test_postmortems(events: tuple[Any, ...]) -> None:
    item = of_row(PostmortemItem, row_of(POSTMORTEMS, "p1", events))

    whole = postmortem_answer(state_of(POSTMORTEM, events))
    assert item == of_row(PostmortemItem, dataclasses.asdict(whole))


OPENED = of_action.ActionOpened(
    action="t1",
    postmortem="p1",
    incident="i1",
    service="checkout-api",
    title="Limit the queue",
    owner="bo",
    type="prevent",
    priority="P1",
    due=date(2026, 12, 24),
    by="ana",
    at=AT,
)
THEN: dict[str, Any] = {"action": "t1", "service": "checkout-api", "by": "bo", "at": LATER}
MOVED = of_action.ActionChanged(
    **THEN,
    title="Limit each queue",
    owner="cy",
    collaborators=("bo",),
    type="detect",
    priority="P2",
    due=date(2027, 1, 31),
    tracking_url="https://tracker.example.com/7",
)


@pytest.mark.parametrize(
    ("then", "overdue"),
    [
        ((), True),
        ((of_action.ActionStarted(**THEN),), True),
        ((of_action.ActionStarted(**THEN), of_action.ActionCompleted(**THEN)), False),
        ((of_action.ActionDropped(**THEN),), False),
        ((MOVED,), False),
    ],
)
def test_actions(then: tuple[Any, ...], overdue: bool) -> None:  # noqa: FBT001
    events = (OPENED, *then)

    item = of_row(ActionAnswer, row_of(ACTIONS, "t1", events), overdue=overdue)

    assert item == action_answer(state_of(ACTION, events), TODAY)
