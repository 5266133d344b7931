"""What the platform keeps a record of is evidence for a launch, named by its id."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.events.errors import SetupError
from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import LAUNCH
from services.lifecycle.domain.checkpoint.decider import Known
from services.lifecycle.domain.checkpoint.events import CheckpointConcluded, CheckpointPlanned
from services.lifecycle.domain.checkpoint.judging import Criterion
from services.lifecycle.domain.checkpoint.plans import LoadTest, planned
from services.lifecycle.domain.checkpoint.results import LoadResult, kept
from services.lifecycle.domain.deployment.decider import Recorded
from services.lifecycle.domain.deployment.events import DeploymentRecorded, DeploymentRolledBack
from services.lifecycle.domain.launch.commands import NameRecord, PlanLaunch
from services.lifecycle.domain.launch.errors import CheckpointError, UnknownCheckpointError
from services.lifecycle.domain.launch.events import CheckpointRecorded, Plan
from services.lifecycle.domain.launch.proof import Proof, of_checkpoint, of_deployment, of_rollout
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.rollout.decider import Going
from services.lifecycle.domain.rollout.events import RolloutPlanned, RolloutReviewed, RolloutRolledBack, RolloutStep
from services.lifecycle.domain.service.commands import Actor

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
DAY = timedelta(days=1)
ANA = Actor("ana", is_person=True)
PLANNED = LAUNCH.decide(
    PlanLaunch(
        launch="l1",
        service="till-api",
        owner_team="checkout",
        tier=2,
        phase=Phase.GENERAL_AVAILABILITY,
        plan=Plan(title="Pay by invoice", text="", url="", planned_for=date(2026, 12, 1)),
        policy=load_policies(LifecycleSettings()).architecture,
        by=ANA,
        at=AT,
    ),
    None,
)
LOAD = LoadTest(environment="staging", load=900, expected_peak=600, unit="requests/s")
LOAD_TEST = Known(
    CheckpointPlanned(
        checkpoint="c1", service="till-api", kind="load_test", by="bo", at=AT - DAY, title="Sale", plan=planned(LOAD)
    ),
    ended=CheckpointConcluded(
        checkpoint="c1",
        service="till-api",
        kind="load_test",
        by="bo",
        at=AT - DAY,
        conclusion="passed",
        result=kept(LoadResult(load=900)),
        criteria=(Criterion("load", met=True, says="load was 900"),),
        figures={},
        performed_by="bo",
        performed_at=AT - DAY,
        evidence=("https://ci.example/9",),
        weak_points=(),
        policy_version="2026-11",
    ),
)
GOING = Going(
    RolloutPlanned(
        rollout="r1",
        service="till-api",
        version="1.42",
        strategy="canary",
        steps=(RolloutStep(5), RolloutStep(100)),
        rollback_when="",
        deployment="",
        by="ana",
        at=AT - DAY,
    ),
    "reviewed",
    reviewed=RolloutReviewed(rollout="r1", service="till-api", notes="", by="bo", at=AT - DAY / 2),
)
BACK = RolloutRolledBack(
    rollout="r1", service="till-api", step=0, automatic=True, reason="errors", by="ci", at=AT - DAY / 4
)
DEPLOYED = Recorded(
    DeploymentRecorded(
        deployment="d1",
        service="till-api",
        environment="production",
        version="1.41",
        result="succeeded",
        commit="",
        committed_at=None,
        unplanned=False,
        rollout="",
        url="",
        by="ci",
        at=AT - DAY,
        recorded=AT - DAY,
    )
)
TAKEN_BACK = replace(
    DEPLOYED,
    rolled_back=DeploymentRolledBack(
        deployment="d1", service="till-api", automatic=False, to_version="1.40", reason="a drill", by="ana", at=AT
    ),
)


def named(checkpoint: str, proof: Proof) -> NameRecord:
    return NameRecord(launch="l1", checkpoint=checkpoint, proof=proof, note="", by=ANA, at=AT)


@pytest.mark.parametrize(
    ("checkpoint", "proof", "outcome", "done_at"),
    [
        ("load-tested", of_checkpoint(LOAD_TEST), "passed", AT - DAY),
        ("rolled-out-in-steps", of_rollout(GOING), "passed", AT - DAY / 2),
        ("way-back-tried", of_rollout(replace(GOING, state="rolled_back", rolled_back=BACK)), "passed", BACK.at),
        ("rolled-out-in-steps", of_rollout(replace(GOING, state="rolled_back", rolled_back=BACK)), "failed", BACK.at),
        ("way-back-tried", of_deployment(TAKEN_BACK), "passed", AT),
    ],
)
def test_outcome_and_time_follow_from_the_record(
    checkpoint: str, proof: Proof, outcome: str, done_at: datetime
) -> None:
    (event,) = LAUNCH.decide(named(checkpoint, proof), LAUNCH.fold(None, PLANNED))

    assert isinstance(event, CheckpointRecorded)
    assert (event.outcome, event.done_at, event.record) == (outcome, done_at, proof.record)
    assert event.note


def test_a_roll_out_to_everybody_at_once_is_none_in_steps() -> None:
    at_once = replace(GOING, plan=replace(GOING.plan, steps=(RolloutStep(100),)))

    assert of_rollout(at_once).shows == {"rollout": "failed"}


@pytest.mark.parametrize(
    ("checkpoint", "proof", "pointer", "says"),
    [
        ("load-tested", of_rollout(GOING), "/record/kind", "load-tested takes load_test"),
        ("on-call-told", of_rollout(GOING), "/record/kind", "no record, only a link"),
        ("budget-left", of_rollout(GOING), "/outcome", "is measured"),
        ("load-tested", of_checkpoint(replace(LOAD_TEST, ended=None)), "/record/id", "planned, which shows nothing"),
        ("rolled-out-in-steps", of_rollout(replace(GOING, state="cancelled")), "/record/id", "cancelled"),
        ("way-back-tried", of_deployment(DEPLOYED), "/record/id", "not taken back"),
        ("load-tested", replace(of_checkpoint(LOAD_TEST), service="pay-api"), "/record/id", "is of pay-api"),
    ],
)
def test_a_record_that_shows_nothing_of_it_is_refused_with_its_place(
    checkpoint: str, proof: Proof, pointer: str, says: str
) -> None:
    refused = given(LAUNCH, *PLANNED).when(named(checkpoint, proof)).refuses(CheckpointError)

    assert refused.pointer == pointer
    assert says in str(refused)


def test_a_record_named_twice_is_named_once() -> None:
    command = named("load-tested", of_checkpoint(LOAD_TEST))
    past = (*PLANNED, *LAUNCH.decide(command, LAUNCH.fold(None, PLANNED)))

    given(LAUNCH, *past).when(replace(command, at=AT + DAY)).then()
    given(LAUNCH, *past).when(named("no-such", command.proof)).refuses(UnknownCheckpointError)


@pytest.mark.parametrize(
    ("was", "now", "named_place"),
    [
        ("records: [load_test]", "records: [load_tset]", "/checkpoints/2/records: load_tset proves nothing"),
        (
            "    check: no_open_sev1_2_incident\n",
            "    check: no_open_sev1_2_incident\n    records: [rollout]\n",
            "/checkpoints/8/records: it is measured",
        ),
    ],
)
def test_a_policy_names_only_what_proves_something(tmp_path: Any, was: str, now: str, named_place: str) -> None:
    path = tmp_path / "policy.yaml"
    text = LifecycleSettings().architecture_policy.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, now, 1), encoding="utf-8")

    with pytest.raises(SetupError, match=named_place):
        load_policies(LifecycleSettings(architecture_policy=path))
