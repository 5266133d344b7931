from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import DEPLOYMENT, ROLLOUT
from services.lifecycle.domain.deployment.commands import Fail, Record, Recover, Refuse, RollBack
from services.lifecycle.domain.deployment.decider import Recorded
from services.lifecycle.domain.deployment.errors import BeforeDeploymentError, DeploymentOverError, NotFailedError
from services.lifecycle.domain.deployment.events import (
    DeploymentFailed,
    DeploymentRecorded,
    DeploymentRecovered,
    DeploymentRefused,
    DeploymentRolledBack,
    DeploymentStaged,
)
from services.lifecycle.domain.errors import LifecycleError, RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.rollout import commands as rollout
from services.lifecycle.domain.rollout.decider import Going
from services.lifecycle.domain.rollout.errors import IllegalRolloutError, SecondReviewerError, StepsError
from services.lifecycle.domain.rollout.events import (
    RolloutAdvanced,
    RolloutDone,
    RolloutPlanned,
    RolloutReviewed,
    RolloutRolledBack,
    RolloutStarted,
    RolloutStep,
)
from services.lifecycle.reactions.changes import ChangeReported, deployment_of
from tests.fixtures.lifecycle import NOW

LATER = NOW + timedelta(minutes=30)
_FIELDS: dict[str, Any] = {
    "deployment": "run-1",
    "service": "shop",
    "environment": "production",
    "version": "1.0",
    "result": "succeeded",
    "commit": "",
    "committed_at": None,
    "unplanned": False,
    "rollout": "",
    "url": "",
    "by": "ci",
    "at": NOW,
    "recorded": NOW,
}
DEPLOYED = DeploymentRecorded(**_FIELDS)
BACK = RollBack(deployment="run-1", automatic=True, to_version="0.9", reason="errors", by="ci", at=LATER)
FAIL = Fail(deployment="run-1", incident="INC-1", reason="errors", by="ana", at=LATER)
RECOVER = Recover(deployment="run-1", how="run-2", by="ana", at=LATER)
ROLLED_BACK = DeploymentRolledBack(
    deployment="run-1", service="shop", automatic=True, to_version="0.9", reason="errors", by="ci", at=LATER
)
FAILED = DeploymentFailed(deployment="run-1", service="shop", incident="INC-1", reason="errors", by="ana", at=LATER)
RECOVERED = DeploymentRecovered(deployment="run-1", service="shop", how="run-2", by="ana", at=LATER)


def test_a_deployment_that_is_sent_again_is_recorded_once() -> None:
    given(DEPLOYMENT).when(Record(DEPLOYED)).then(DEPLOYED)
    given(DEPLOYMENT, DEPLOYED).when(Record(replace(DEPLOYED, recorded=LATER, by="bo"))).then()


@pytest.mark.parametrize("other", [replace(DEPLOYED, version="2.0"), DeploymentStaged(**_FIELDS)])
def test_an_id_stands_for_one_deployment(other: DeploymentRecorded | DeploymentStaged) -> None:
    given(DEPLOYMENT, DEPLOYED).when(Record(other)).refuses(RecordedOtherwiseError)


def test_a_deployment_is_rolled_back_once() -> None:
    given(DEPLOYMENT, DEPLOYED).when(BACK).then(ROLLED_BACK)
    given(DEPLOYMENT, DEPLOYED, ROLLED_BACK).when(BACK).then()


def test_what_never_served_is_not_rolled_back() -> None:
    given(DEPLOYMENT, replace(DEPLOYED, result="failed")).when(BACK).refuses(DeploymentOverError)


def test_a_deployment_fails_and_recovers_once_each() -> None:
    given(DEPLOYMENT, DEPLOYED).when(FAIL).then(FAILED)
    given(DEPLOYMENT, DEPLOYED, FAILED).when(FAIL).then()
    given(DEPLOYMENT, DEPLOYED, FAILED).when(RECOVER).then(RECOVERED)
    given(DEPLOYMENT, DEPLOYED, FAILED, RECOVERED).when(RECOVER).then()


def test_what_has_not_failed_does_not_recover() -> None:
    given(DEPLOYMENT, DEPLOYED).when(RECOVER).refuses(NotFailedError)


def test_what_was_rolled_back_has_failed_and_recovered_already() -> None:
    given(DEPLOYMENT, DEPLOYED, ROLLED_BACK).when(FAIL).refuses(DeploymentOverError)
    given(DEPLOYMENT, DEPLOYED, ROLLED_BACK).when(RECOVER).then()


@pytest.mark.parametrize("command", [BACK, FAIL])
def test_nothing_happens_to_a_deployment_before_it_was(command: RollBack | Fail) -> None:
    early = replace(command, at=NOW - timedelta(seconds=1))

    given(DEPLOYMENT, DEPLOYED).when(early).refuses(BeforeDeploymentError)


@pytest.mark.parametrize("command", [BACK, FAIL, RECOVER])
def test_a_deployment_that_was_never_recorded_is_unknown(command: RollBack | Fail | Recover) -> None:
    given(DEPLOYMENT).when(command).refuses(UnknownError)


@for_all(st.lists(st.sampled_from([Record(DEPLOYED), BACK, FAIL, RECOVER]), max_size=8))
def test_a_deployment_is_never_rolled_back_and_then_failed(commands: list[Any]) -> None:
    state = DEPLOYMENT.initial
    for command in commands:
        try:
            state = DEPLOYMENT.fold(state, DEPLOYMENT.decide(command, state))
        except LifecycleError:
            continue

    assert state is None or isinstance(state, Recorded)
    if state and state.recovered:
        assert state.failed
    if state and state.rolled_back and state.failed:
        assert state.failed.at <= state.rolled_back.at


STEPS = (RolloutStep(1.0, "employees", timedelta(hours=1)), RolloutStep(25.0), RolloutStep(100.0))
PLANNED = RolloutPlanned(
    rollout="r-1",
    service="shop",
    version="1.0",
    strategy="canary",
    steps=STEPS,
    rollback_when="burn rate above 14.4",
    deployment="",
    by="ana",
    at=NOW,
)
_DID: dict[str, Any] = {"rollout": "r-1", "service": "shop", "by": "bo", "at": NOW}
REVIEWED = RolloutReviewed(**_DID, notes="")
STARTED = RolloutStarted(**_DID)
FURTHER = [RolloutAdvanced(**_DID, step=step, percent=STEPS[step].percent) for step in (1, 2)]
DONE = RolloutDone(**_DID)
TAKEN_BACK = RolloutRolledBack(**_DID, step=2, automatic=True, reason="errors")
REVIEW = rollout.Review(rollout="r-1", notes="", is_person=True, by="bo", at=NOW)
START = rollout.Start(rollout="r-1", by="bo", at=NOW)
ADVANCE = [rollout.Advance(rollout="r-1", step=step, by="bo", at=NOW) for step in range(4)]
FINISH = rollout.Finish(rollout="r-1", by="bo", at=NOW)
TAKE_BACK = rollout.RollBack(rollout="r-1", automatic=True, reason="errors", by="bo", at=NOW)
CANCEL = rollout.Cancel(rollout="r-1", reason="superseded", by="bo", at=NOW)


def test_a_roll_out_goes_from_plan_to_done_step_by_step() -> None:
    given(ROLLOUT).when(rollout.Plan(PLANNED)).then(PLANNED)
    given(ROLLOUT, PLANNED).when(REVIEW).then(REVIEWED)
    given(ROLLOUT, PLANNED, REVIEWED).when(START).then(STARTED)
    given(ROLLOUT, PLANNED, REVIEWED, STARTED).when(ADVANCE[1]).then(FURTHER[0])
    state = given(ROLLOUT, PLANNED, REVIEWED, STARTED, *FURTHER).when(FINISH).then(DONE)

    assert isinstance(state, Going)
    assert state.state == "done"


def test_what_is_done_may_still_turn_out_wrong() -> None:
    given(ROLLOUT, PLANNED, REVIEWED, STARTED, *FURTHER, DONE).when(TAKE_BACK).then(TAKEN_BACK)


@pytest.mark.parametrize(
    ("past", "command"),
    [
        ([], START),
        ([], TAKE_BACK),
        ([REVIEWED], ADVANCE[1]),
        ([REVIEWED, STARTED], FINISH),
        ([REVIEWED, STARTED], ADVANCE[2]),
        ([REVIEWED, STARTED], CANCEL),
        ([REVIEWED, STARTED, *FURTHER], ADVANCE[3]),
        ([REVIEWED, STARTED, TAKEN_BACK], START),
        ([REVIEWED, STARTED, TAKEN_BACK], FINISH),
    ],
)
def test_what_does_not_follow_is_refused_with_what_would(past: list[Any], command: rollout.Command) -> None:
    refusal = given(ROLLOUT, PLANNED, *past).when(command).refuses(IllegalRolloutError)

    assert "allowed:" in str(refusal)


def test_nobody_reviews_their_own_plan_and_no_machine_reviews() -> None:
    given(ROLLOUT, PLANNED).when(replace(REVIEW, by="ana")).refuses(SecondReviewerError)
    given(ROLLOUT, PLANNED).when(replace(REVIEW, is_person=False)).refuses(SecondReviewerError)


@pytest.mark.parametrize(
    ("shares", "index"), [((50.0,), 0), ((50.0, 50.0, 100.0), 1), ((25.0, 10.0, 100.0), 1), ((0.0, 100.0), 0)]
)
def test_steps_grow_to_all_users(shares: tuple[float, ...], index: int) -> None:
    plan = replace(PLANNED, steps=tuple(map(RolloutStep, shares)))

    assert given(ROLLOUT).when(rollout.Plan(plan)).refuses(StepsError).index == index


_ASKED = st.sampled_from([REVIEW, START, *ADVANCE, FINISH, TAKE_BACK, CANCEL])


@for_all(st.lists(_ASKED, max_size=12))
def test_no_roll_out_serves_users_before_another_person_has_reviewed_it(asked: list[rollout.Command]) -> None:
    state = ROLLOUT.fold(None, [PLANNED])
    for command in asked:
        try:
            state = ROLLOUT.fold(state, ROLLOUT.decide(command, state))
        except LifecycleError:
            continue

    assert isinstance(state, Going)
    assert state.started_at is None or (state.reviewed is not None and state.reviewed.by != PLANNED.by)
    assert state.state != "done" or state.step == len(STEPS) - 1


CHANGE = ChangeReported(change="c1", integration="pd", service="shop", summary="1.2 is out", at=NOW)


def changed(**details: Any) -> DeploymentRecorded | DeploymentStaged:
    """The deployment that a change event with *details* is."""
    return deployment_of(replace(CHANGE, details=details), load_policies(LifecycleSettings()).delivery, LATER)


def test_a_change_event_is_a_deployment_that_names_its_source() -> None:
    expected = replace(
        DEPLOYED,
        deployment="c1",
        version="",
        by="pd",
        recorded=LATER,
        source="change-event",
        summary="1.2 is out",
    )
    assert changed() == expected


def test_what_a_change_event_says_by_itself_is_taken() -> None:
    details = {"version": "1.2", "environment": "Staging", "commit": "9fceb02"}
    links = [{"text": "no address"}, {"href": "javascript:alert(1)"}, {"href": "https://ci.example/1"}]
    found = changed(custom_details=details, links=links)
    assert isinstance(found, DeploymentStaged)
    assert (found.version, found.environment, found.commit) == ("1.2", "Staging", "9fceb02")
    assert found.url == "https://ci.example/1"


@pytest.mark.parametrize("custom", ["text", ["list"], {"version": 3, "environment": None}, None])
def test_what_a_change_event_says_otherwise_is_left_out(custom: object) -> None:
    assert changed(custom_details=custom, links="none", source="ci") == changed()


def test_a_change_event_of_no_service_is_a_fact_and_no_deployment() -> None:
    refused = DeploymentRefused(deployment="c1", service="shop", summary="1.2", reason="unknown", by="pd", at=NOW)
    given(DEPLOYMENT).when(Refuse(refused)).then(refused)
    given(DEPLOYMENT, refused).when(BACK).refuses(UnknownError)
    given(DEPLOYMENT, DEPLOYED).when(Refuse(refused)).then()
