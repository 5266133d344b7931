"""A launch's rules: every pair of state and verb, and that nothing is launched while a blocking checkpoint is open."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.errors import SetupError
from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import LAUNCH
from services.lifecycle.domain.errors import InTheFutureError, LifecycleError, RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.evaluation.events import CheckResult, Result
from services.lifecycle.domain.launch.commands import (
    Cancel,
    ChangeLaunch,
    Command,
    Launch,
    MakeReady,
    PlanLaunch,
    RecordCheckpoint,
)
from services.lifecycle.domain.launch.decider import open_checkpoints
from services.lifecycle.domain.launch.errors import (
    CheckpointError,
    IllegalLaunchStepError,
    LaunchBlockedError,
    LaunchDateError,
    NotLiveError,
    SecondPersonNeededError,
    UnknownCheckpointError,
)
from services.lifecycle.domain.launch.events import Event, LaunchDone, Plan
from services.lifecycle.domain.launch.state import ALLOWED, Coming, State
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.commands import Actor

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
DAY = timedelta(days=1)
PATH = LifecycleSettings().architecture_policy
POLICY = load_policies(LifecycleSettings()).architecture
ANA, BO, CI = (Actor(name, is_person=name != "ci") for name in ("ana", "bo", "ci"))
NAMES = [each.check for each in POLICY.checkpoints if each.check]
WELL = tuple(CheckResult(name, "pass", blocking=True) for name in NAMES)
THING = Plan(title="Pay by invoice", text="", url="", planned_for=date(2026, 12, 1))
PLAN = PlanLaunch(
    launch="l1",
    service="till-api",
    owner_team="checkout",
    tier=2,
    phase=Phase.GENERAL_AVAILABILITY,
    plan=THING,
    policy=POLICY,
    by=ANA,
    at=AT,
)


def record(checkpoint: str, **fields: Any) -> RecordCheckpoint:
    told: dict[str, Any] = {"outcome": "passed", "url": "https://ci.example/7", "note": "", "done_at": AT, "at": AT}
    return RecordCheckpoint(launch="l1", checkpoint=checkpoint, by=ANA, **{**told, **fields})


SHOWN = tuple(record(each.id) for each in POLICY.checkpoints if not each.check)
READY = MakeReady(launch="l1", checks=WELL, by=BO, reason="", at=AT)
LAUNCH_IT = Launch(launch="l1", checks=WELL, by=CI, reason="", at=AT)
CANCEL = Cancel(launch="l1", by=ANA, reason="off", at=AT)
CHANGE = ChangeLaunch(launch="l1", plan=replace(THING, title="Pay later"), by=ANA, reason="", at=AT)
WAY: dict[State, tuple[Command, ...]] = {
    "planned": (PLAN, *SHOWN),
    "ready": (PLAN, *SHOWN, READY),
    "launched": (PLAN, *SHOWN, READY, LAUNCH_IT),
    "cancelled": (PLAN, CANCEL),
}
DO: dict[str, Command] = {
    "change": CHANGE,
    "record": record("observable", url="https://ci.example/8"),
    "ready": READY,
    "launch": LAUNCH_IT,
    "cancel": CANCEL,
}
LEADS = {"ready": "ready", "launch": "launched", "cancel": "cancelled"}


def after(*commands: Command) -> tuple[Event, ...]:
    past: tuple[Event, ...] = ()
    for command in commands:
        past += LAUNCH.decide(command, LAUNCH.fold(None, past))
    return past


def coming(past: tuple[Event, ...]) -> Coming:
    state = LAUNCH.fold(None, past)
    assert state is not None
    return state


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("verb", DO)
def test_every_verb_leads_where_the_table_says_or_names_the_ones_that_do(state: State, verb: str) -> None:
    past = after(*WAY[state])

    if verb in ALLOWED[state]:
        assert coming(past + LAUNCH.decide(DO[verb], coming(past))).state == LEADS.get(verb, state)
    elif LEADS.get(verb) == state:
        given(LAUNCH, *past).when(DO[verb]).then()  # it was carried out
    else:
        assert given(LAUNCH, *past).when(DO[verb]).refuses(IllegalLaunchStepError).allowed == ALLOWED[state]


@pytest.mark.parametrize("phase", Phase)
def test_only_what_has_users_can_be_launched(phase: Phase) -> None:
    planned = given(LAUNCH).when(replace(PLAN, phase=phase))

    if phase in {Phase.LIMITED_AVAILABILITY, Phase.GENERAL_AVAILABILITY, Phase.DEPRECATION}:
        assert LAUNCH.decide(planned.command, None)
    else:
        planned.refuses(NotLiveError)


@pytest.mark.parametrize(("tier", "blocking"), [(0, 9), (1, 9), (2, 9), (3, 7), (4, 4)])
def test_what_blocks_depends_on_the_tier(tier: int, blocking: int) -> None:
    launch = coming(after(replace(PLAN, tier=tier)))

    assert sum(each.blocking for each in open_checkpoints(launch, (), AT)) == blocking


@pytest.mark.parametrize("checkpoint", [each.id for each in POLICY.checkpoints if not each.check])
@pytest.mark.parametrize(
    ("instead", "why"),
    [
        (None, "nothing shows it yet"),
        ({"outcome": "failed", "url": "", "note": "too slow"}, "it failed: too slow"),
        ({"done_at": AT - 400 * DAY}, "days ago"),
    ],
)
def test_a_blocking_checkpoint_that_is_open_keeps_a_launch_back(
    checkpoint: str, instead: dict[str, Any] | None, why: str
) -> None:
    shown = [each for each in SHOWN if each.checkpoint != checkpoint]
    past = after(PLAN, *shown, *([record(checkpoint, **instead)] if instead else []))

    refused = given(LAUNCH, *past).when(READY).refuses(LaunchBlockedError)

    assert [each.checkpoint for each in refused.open] == [checkpoint]
    assert why in refused.open[0].why


@pytest.mark.parametrize("result", get_args(Result))
@pytest.mark.parametrize("name", NAMES)
def test_what_is_measured_is_looked_at_when_it_is_ready_and_again_when_it_is_launched(
    name: str, result: Result
) -> None:
    checks = tuple(replace(each, result=result) if each.id == name else each for each in WELL)

    for past, command in (
        (after(PLAN, *SHOWN), replace(READY, checks=checks)),
        (after(PLAN, *SHOWN, READY), replace(LAUNCH_IT, checks=checks)),
    ):
        if result in {"pass", "waived", "not_applicable"}:
            assert LAUNCH.decide(command, LAUNCH.fold(None, past))
        else:
            given(LAUNCH, *past).when(command).refuses(LaunchBlockedError)


def test_evidence_that_grew_too_old_keeps_a_ready_launch_back() -> None:
    late = replace(LAUNCH_IT, at=AT + 31 * DAY)

    refused = given(LAUNCH, *after(*WAY["ready"])).when(late).refuses(LaunchBlockedError)

    assert {each.checkpoint for each in refused.open} == {"way-back-tried", "on-call-told"}
    given(LAUNCH, *after(*WAY["ready"])).when(replace(LAUNCH_IT, at=AT + 30 * DAY)).then(
        LaunchDone("l1", "till-api", WELL, "ci", "", AT + 30 * DAY)
    )


def test_what_does_not_apply_with_a_reason_keeps_nothing_back() -> None:
    shown = [each for each in SHOWN if each.checkpoint != "load-tested"]
    reason = record("load-tested", outcome="not_applicable", url="", note="it changes a text", done_at=AT - 400 * DAY)

    assert LAUNCH.decide(READY, LAUNCH.fold(None, after(PLAN, *shown, reason)))


def test_for_a_critical_service_another_person_says_that_it_is_ready() -> None:
    critical, other = after(PLAN, *SHOWN), after(replace(PLAN, tier=3), *SHOWN)

    given(LAUNCH, *critical).when(replace(READY, by=ANA)).refuses(SecondPersonNeededError)
    given(LAUNCH, *critical).when(replace(READY, by=CI)).refuses(SecondPersonNeededError)
    given(LAUNCH, *other).when(replace(READY, by=CI)).refuses(SecondPersonNeededError)
    assert LAUNCH.decide(replace(READY, by=ANA), LAUNCH.fold(None, other))


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (record("no-such"), UnknownCheckpointError),
        (record("observable", url=""), CheckpointError),
        (record("observable", outcome="failed"), CheckpointError),
        (record("observable", outcome="not_applicable", note=" "), CheckpointError),
        (record("budget-left"), CheckpointError),
        (record("observable", done_at=AT + DAY), InTheFutureError),
        (replace(CHANGE, plan=replace(THING, planned_for=date(2026, 11, 20))), LaunchDateError),
        (replace(PLAN, service="other"), RecordedOtherwiseError),
    ],
)
def test_what_shows_nothing_is_refused(command: Command, error: type[Exception]) -> None:
    given(LAUNCH, *after(PLAN)).when(command).refuses(error)


def test_what_is_said_twice_happens_once() -> None:
    past = after(PLAN, *SHOWN)

    for command in (PLAN, SHOWN[0], replace(CHANGE, plan=THING)):
        given(LAUNCH, *past).when(command).then()
    given(LAUNCH).when(READY).refuses(UnknownError)
    given(LAUNCH).when(replace(PLAN, plan=replace(THING, planned_for=date(2026, 11, 20)))).refuses(LaunchDateError)


STEPS = st.sampled_from(
    [
        PLAN,
        *SHOWN,
        READY,
        LAUNCH_IT,
        CANCEL,
        CHANGE,
        replace(READY, by=ANA),
        record("observable", outcome="failed", note="x"),
    ]
)


@for_all(st.lists(STEPS, max_size=20))
def test_no_sequence_of_commands_launches_what_is_open(commands: list[Command]) -> None:
    past: tuple[Event, ...] = ()
    for command in commands:
        try:
            produced = LAUNCH.decide(command, LAUNCH.fold(None, past))
        except LifecycleError:
            continue
        if any(isinstance(event, LaunchDone) for event in produced):
            before = coming(past)
            assert before.ready is not None
            assert before.ready.by == "bo"
            assert not [each for each in open_checkpoints(before, WELL, AT) if each.blocking]
        past += produced


@pytest.mark.parametrize(
    ("was", "now", "named"),
    [
        ("pre_read: {days: 1", "pre_read: {days: -1", "/pre_read/days"),
        ("repeated_cause: {count: 2", "repeated_cause: {count: 1", "/repeated_cause/count"),
        ("  - id: load-tested", "  - id: design-reviewed", "/checkpoints/2/id: design-reviewed stands here twice"),
        ("    check: error_budget_left_and_no_freeze\n", "", "/checkpoints/7: needs either a check"),
        ("blocking_tiers: [1, 2, 3, 4]", "blocking_tiers: [5]", "/blocking_tiers: 5 is no tier"),
        ("severity: blocking", "severity: bad", "/without_redundancy/severity"),
    ],
)
def test_a_policy_that_cannot_be_used_stops_the_start_and_names_the_place(
    tmp_path: Any, was: str, now: str, named: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(PATH.read_text(encoding="utf-8").replace(was, now, 1), encoding="utf-8")

    with pytest.raises(SetupError, match=named):
        load_policies(LifecycleSettings(architecture_policy=path))


def test_every_number_of_the_policy_names_its_source() -> None:
    plain = msgspec.to_builtins(POLICY)

    assert all(value["source"] for value in plain.values() if isinstance(value, dict))
    assert all(each["source"] for each in plain["checkpoints"])
