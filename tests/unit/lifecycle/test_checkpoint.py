"""Checkpoints: whether they passed is worked out, and how they go on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events import codec
from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import CHECKPOINT
from services.lifecycle.domain.checkpoint.commands import (
    Abort,
    Cancel,
    Change,
    Command,
    Conclude,
    Performed,
    Schedule,
    Start,
)
from services.lifecycle.domain.checkpoint.decider import ALLOWED, Known
from services.lifecycle.domain.checkpoint.errors import (
    FiguresMissingError,
    IllegalCheckpointError,
    PerformedError,
    PlanFaultsError,
    PlanKindError,
    ResultKindError,
)
from services.lifecycle.domain.checkpoint.events import (
    CheckpointAborted,
    CheckpointChanged,
    CheckpointConcluded,
    CheckpointStarted,
    Event,
    WeakPoint,
)
from services.lifecycle.domain.checkpoint.judging import judge, meets, regressed
from services.lifecycle.domain.checkpoint.plans import (
    KINDS,
    Benchmark,
    ChaosExperiment,
    Content,
    FaultToleranceTest,
    LoadTest,
    Measure,
    ObservabilityReport,
    RestoreTest,
    RollbackDrill,
)
from services.lifecycle.domain.checkpoint.results import (
    BenchmarkResult,
    ChaosResult,
    FaultResult,
    LoadResult,
    ObservabilityResult,
    Outcome,
    RestoreResult,
    RollbackResult,
    Seen,
)
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.policy import InvalidPolicyError, Number
from tests.fixtures.reviews import ANA, AT, BOB, CI

POLICY = load_policies(LifecycleSettings()).checkpoints
SIGNALS = POLICY.required_signals.names
MINUTE = timedelta(minutes=1)
P99 = Measure("p99_ms", 250, "lower", "ms", baseline=200, allowed_regression=0.1)
EXPERIMENT = ChaosExperiment(
    hypothesis="orders are taken",
    environment="production",
    blast_radius="1 % of the users",
    abort_when="2 % of the orders fail",
    depends_on="payments",
    steady_state=(Measure("orders_taken", 0.99, "higher"),),
)
LOST = FaultToleranceTest(
    fault="dependency_loss",
    environment="staging",
    expected_degradation="cards are charged later",
    expected_recovery=MINUTE,
    depends_on="payments",
)
LOAD = LoadTest(environment="staging", load=1500, expected_peak=1000, unit="requests/s", measures=(P99,))
BENCHMARK = Benchmark(environment="test", measures=(P99,))
RESTORE = RestoreTest(
    scenario="backup_restore", environment="staging", recovery_point=5 * MINUTE, recovery_time=60 * MINUTE
)
DRILL = RollbackDrill(environment="production", from_version="1.41", to_version="1.42")
REPORT = ObservabilityReport(commit="9fceb02")

HELD = ChaosResult(held=True, observed="orders were taken", figures={"orders_taken": 0.995})
CAME_BACK = FaultResult(as_expected=True, observed="as expected", recovery=MINUTE)
BORNE = LoadResult(load=1500, units=6, unit_name="instance", figures={"p99_ms": 220})
MEASURED = BenchmarkResult(figures={"p99_ms": 220})
RESTORED = RestoreResult(recovery_point=5 * MINUTE, recovery_time=60 * MINUTE, verified=True)
DRILLED = RollbackResult(upgraded=True, rolled_back=True, upgraded_again=True, rollback_took=2 * MINUTE)
ALL_SEEN = ObservabilityResult(signals=tuple(Seen(signal, present=True) for signal in SIGNALS))

PASSING: Mapping[str, tuple[Content, Outcome]] = {
    plan.kind: (plan, result)
    for plan, result in (
        (EXPERIMENT, HELD),
        (LOST, CAME_BACK),
        (LOAD, BORNE),
        (BENCHMARK, MEASURED),
        (RESTORE, RESTORED),
        (DRILL, DRILLED),
        (REPORT, ALL_SEEN),
    )
}


def performed(result: Outcome = HELD, **fields: Any) -> Performed:
    given_ = Performed(
        result=result,
        at=AT,
        by="ana",
        evidence=("https://ci.example/9",),
        weak_points=(),
    )
    return replace(given_, **fields)


def schedule(content: Content = EXPERIMENT, **fields: Any) -> Schedule:
    asked = Schedule(
        checkpoint="c-1", service="checkout-api", title="a test", content=content, policy=POLICY, by=ANA, at=AT
    )
    return replace(asked, **fields)


def events(*commands: Command) -> tuple[Event, ...]:
    """What the commands lead to, one after the other."""
    known, told = CHECKPOINT.initial, ()
    for command in commands:
        produced = CHECKPOINT.decide(command, known)
        known, told = CHECKPOINT.fold(known, produced), (*told, *produced)
    return told


def ended(content: Content, result: Outcome, **fields: Any) -> Known:
    """A checkpoint that was reported with its result."""
    known = CHECKPOINT.fold(None, events(schedule(content, performed=performed(result, **fields))))
    assert known is not None
    return known


def shown(known: Known) -> tuple[WeakPoint, ...]:
    """The weak points that it showed."""
    assert isinstance(known.ended, CheckpointConcluded | CheckpointAborted)
    return known.ended.weak_points


PLANNED = events(schedule())
START = Start(checkpoint="c-1", by=ANA, at=AT)
RUNNING = events(schedule(), START)
CONCLUDE = Conclude(checkpoint="c-1", performed=performed(), policy=POLICY, by=ANA, at=AT)
ABORT = Abort(checkpoint="c-1", reason="orders failed", by=ANA, at=AT)
CANCEL = Cancel(checkpoint="c-1", reason="not today", by=ANA, at=AT)
NARROWER = replace(EXPERIMENT, blast_radius="0.5 % of the users", depends_on="")
CHANGE = Change(checkpoint="c-1", title="a test", content=NARROWER, reason="asked for less", by=ANA, at=AT)
WEAK = WeakPoint("no timeout", "orders wait for the provider", "blocking")
FOUND = events(schedule(performed=performed(weak_points=(WEAK,))))


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind_something_passes(kind: str) -> None:
    content, result = PASSING[kind]

    known = ended(content, result)

    assert (known.state, shown(known)) == ("passed", ())


@pytest.mark.parametrize(
    ("content", "result", "missed"),
    [
        (EXPERIMENT, replace(HELD, held=False), ["hypothesis"]),
        (EXPERIMENT, replace(HELD, figures={"orders_taken": 0.98}), ["orders_taken"]),
        (LOST, replace(CAME_BACK, as_expected=False), ["degradation"]),
        (LOST, replace(CAME_BACK, recovery=MINUTE + timedelta(seconds=1)), ["recovery"]),
        (LOST, replace(CAME_BACK, recovery=None), ["recovery"]),
        (LOAD, replace(BORNE, load=1499), ["load"]),
        (LOAD, replace(BORNE, figures={"p99_ms": 221}), ["p99_ms.regression"]),
        (LOAD, replace(BORNE, figures={"p99_ms": 251}), ["p99_ms", "p99_ms.regression"]),
        (BENCHMARK, replace(MEASURED, figures={"p99_ms": 220.1}), ["p99_ms.regression"]),
        (RESTORE, replace(RESTORED, recovery_point=6 * MINUTE), ["recovery_point"]),
        (RESTORE, replace(RESTORED, recovery_time=61 * MINUTE), ["recovery_time"]),
        (RESTORE, replace(RESTORED, verified=False), ["verified"]),
        (DRILL, replace(DRILLED, upgraded=False), ["upgrade"]),
        (DRILL, replace(DRILLED, rolled_back=False), ["rollback"]),
        (DRILL, replace(DRILLED, upgraded_again=False), ["upgrade_again"]),
        (REPORT, ObservabilityResult(signals=(Seen("metrics", present=True),)), ["logs", "traces", "dashboards"]),
        (REPORT, ObservabilityResult(signals=(*ALL_SEEN.signals[1:], Seen("metrics", present=False))), ["metrics"]),
    ],
)
def test_what_is_not_as_it_had_to_be_fails_and_says_so(content: Content, result: Outcome, missed: list[str]) -> None:
    known = ended(content, result)

    assert known.state == "failed"
    assert isinstance(known.ended, CheckpointConcluded)
    assert [criterion.name for criterion in known.ended.criteria if not criterion.met] == missed
    assert all(criterion.says for criterion in known.ended.criteria)


def test_a_load_test_says_how_far_above_the_peak_it_went_and_what_a_unit_bears() -> None:
    figures = judge(LOAD, replace(BORNE, load=1800), SIGNALS).figures

    assert figures == {"p99_ms": 220, "load": 1800, "peak_ratio": 1.8, "unit_capacity": 300}


def test_what_was_not_borne_well_is_no_capacity() -> None:
    figures = judge(LOAD, replace(BORNE, figures={"p99_ms": 300}), SIGNALS).figures

    assert "unit_capacity" not in figures


def test_figures_of_a_restore_are_in_seconds() -> None:
    assert judge(RESTORE, RESTORED, SIGNALS).figures == {"recovery_point_s": 300.0, "recovery_time_s": 3600.0}


@pytest.mark.parametrize(("load", "peak", "ratio"), [(0.3, 0.2, 1.5), (1.1, 1.0, 1.1), (2.2, 1.1, 2.0)])
def test_a_ratio_is_that_of_the_numbers_as_they_are_written(load: float, peak: float, ratio: float) -> None:
    plan = LoadTest(environment="test", load=load, expected_peak=peak, unit="requests/s")

    assert judge(plan, LoadResult(load=load), SIGNALS).figures["peak_ratio"] == ratio


@pytest.mark.parametrize(
    ("baseline", "allowed", "figure"), [(100, 0.15, 115), (100, 0.1, 110), (0.1, 0.1, 0.11), (1.1, 0.1, 1.21)]
)
def test_what_reaches_the_allowed_regression_exactly_has_not_regressed(
    baseline: float, allowed: float, figure: float
) -> None:
    measure = Measure("p99", 1e9, "lower", baseline=baseline, allowed_regression=allowed)

    assert not regressed(measure, figure)


amounts = st.floats(0, 1e9, allow_nan=False)
shares = st.floats(0, 1)
directions = st.sampled_from(["lower", "higher"])


@for_all(target=amounts, figure=amounts, better=directions)
def test_a_target_is_met_by_itself_and_by_whatever_is_better(target: float, figure: float, better: Any) -> None:
    measure = Measure("m", target, better)

    assert meets(measure, target)
    assert meets(measure, figure) == (figure <= target if better == "lower" else figure >= target)


@for_all(baseline=amounts, allowed=shares, more=shares, figure=amounts, better=directions)
def test_whoever_allows_more_regression_refuses_no_figure_that_was_good_before(
    baseline: float, allowed: float, more: float, figure: float, better: Any
) -> None:
    assume(more >= allowed)
    strict = Measure("m", 0, better, baseline=baseline, allowed_regression=allowed)
    lax = replace(strict, allowed_regression=more)

    assert regressed(strict, figure) or not regressed(lax, figure)
    assert not regressed(strict, baseline)


@for_all(figure=amounts, better=directions)
def test_without_a_baseline_nothing_regresses(figure: float, better: Any) -> None:
    assert not regressed(Measure("m", 0, better), figure)


@for_all(point=st.integers(0, 10**9), time=st.integers(0, 10**9))
def test_a_restore_passes_exactly_when_both_objectives_are_kept(point: int, time: int) -> None:
    result = replace(RESTORED, recovery_point=timedelta(seconds=point), recovery_time=timedelta(seconds=time))

    assert judge(RESTORE, result, SIGNALS).passed == (point <= 300 and time <= 3600)


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_of_another_kind_is_refused(kind: str) -> None:
    content, _ = PASSING[kind]
    others = [result for _, result in PASSING.values() if result.kind != kind]

    for result in others:
        with pytest.raises(ResultKindError, match=kind):
            judge(content, result, SIGNALS)


def test_a_result_without_a_figure_that_was_to_be_measured_is_refused_with_its_place() -> None:
    refusal = (
        given(CHECKPOINT)
        .when(schedule(LOAD, performed=performed(replace(BORNE, figures={}))))
        .refuses(FiguresMissingError)
    )

    assert refusal.places[0][0] == "/conclusion/result/figures/p99_ms"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (replace(LOST, depends_on=""), "/plan/depends_on"),
        (replace(LOST, fault="server_crash"), "/plan/depends_on"),
        (replace(DRILL, to_version="1.41"), "/plan/to_version"),
        (replace(BENCHMARK, measures=(P99, P99)), "/plan/measures/1/metric"),
        (replace(BENCHMARK, measures=(replace(P99, metric="peak_ratio"),)), "/plan/measures/0/metric"),
        (replace(BENCHMARK, measures=(replace(P99, baseline=None),)), "/plan/measures/0/baseline"),
        (replace(EXPERIMENT, steady_state=(P99, P99)), "/plan/steady_state/1/metric"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused_with_the_place(content: Content, place: str) -> None:
    refusal = given(CHECKPOINT).when(schedule(content)).refuses(PlanFaultsError)

    assert [pointer for pointer, _ in refusal.places] == [place]


def test_it_goes_from_planned_over_running_to_its_end() -> None:
    known = CHECKPOINT.fold(None, events(schedule(), START, CONCLUDE))

    assert known is not None
    assert [each.state for each in _states(events(schedule(), START, CONCLUDE))] == ["planned", "running", "passed"]


def _states(told: tuple[Event, ...]) -> list[Known]:
    return [known for count in range(1, len(told) + 1) if (known := CHECKPOINT.fold(None, told[:count]))]


@pytest.mark.parametrize(
    ("past", "command"),
    [
        (PLANNED, schedule(by=BOB)),
        (RUNNING, START),
        (events(schedule(), CHANGE), CHANGE),
        (events(schedule(), CHANGE), schedule(by=BOB)),  # what was planned first stands for the id
        (events(schedule(), START, CONCLUDE), CONCLUDE),
        (events(schedule(), START, ABORT), ABORT),
        (events(schedule(), CANCEL), CANCEL),
        (events(schedule(performed=performed())), schedule(performed=performed())),
        (FOUND, schedule(performed=performed(weak_points=(WEAK,)))),
    ],
)
def test_what_is_sent_again_changes_nothing(past: tuple[Event, ...], command: Command) -> None:
    given(CHECKPOINT, *past).when(command).then()


@pytest.mark.parametrize(
    "command",
    [
        schedule(title="another"),
        schedule(content=LOAD),
        schedule(performed=performed()),
    ],
)
def test_an_id_stands_for_one_checkpoint(command: Command) -> None:
    given(CHECKPOINT, *PLANNED).when(command).refuses(RecordedOtherwiseError)


@pytest.mark.parametrize(
    ("past", "commands"),
    [
        (PLANNED, (CONCLUDE, ABORT)),
        (RUNNING, (CANCEL,)),
        (events(schedule(), START, CONCLUDE), (START, ABORT, CANCEL, CHANGE)),
        (
            events(schedule(), START, CONCLUDE),
            (replace(CONCLUDE, performed=performed(replace(HELD, held=False))),),
        ),
        (events(schedule(), START, ABORT), (START, CONCLUDE, CANCEL, CHANGE)),
        (events(schedule(), CANCEL), (START, CONCLUDE, ABORT, CHANGE)),
    ],
)
def test_what_does_not_follow_is_refused_and_says_what_does(
    past: tuple[Event, ...], commands: tuple[Command, ...]
) -> None:
    known = CHECKPOINT.fold(None, past)
    assert known is not None

    for command in commands:
        refusal = given(CHECKPOINT, *past).when(command).refuses(IllegalCheckpointError)
        assert refusal.allowed == ALLOWED[known.state]


@pytest.mark.parametrize("past", [PLANNED, RUNNING])
def test_a_plan_is_changed_while_nothing_came_out_and_judged_as_it_reads_then(past: tuple[Event, ...]) -> None:
    stricter = replace(CHANGE, content=replace(NARROWER, steady_state=(Measure("orders_taken", 0.999, "higher"),)))

    (changed,) = CHECKPOINT.decide(stricter, CHECKPOINT.fold(None, past))
    known = CHECKPOINT.fold(None, (*past, changed))
    running = known if known and known.started else CHECKPOINT.fold(known, CHECKPOINT.decide(START, known))
    (told,) = CHECKPOINT.decide(CONCLUDE, running)

    assert isinstance(changed, CheckpointChanged)
    assert isinstance(told, CheckpointConcluded)
    assert told.conclusion == "failed"  # 0.995 was enough before


def test_a_plan_stays_of_its_kind_and_does_not_contradict_itself() -> None:
    wrong = replace(LOAD, measures=(LOAD.measures[0], LOAD.measures[0]))

    given(CHECKPOINT, *PLANNED).when(replace(CHANGE, content=LOAD)).refuses(PlanKindError)
    given(CHECKPOINT, *events(schedule(LOAD))).when(replace(CHANGE, content=wrong)).refuses(PlanFaultsError)


@pytest.mark.parametrize("command", [START, CONCLUDE, ABORT, CANCEL, CHANGE])
def test_nothing_is_done_with_a_checkpoint_that_does_not_exist(command: Command) -> None:
    given(CHECKPOINT).when(command).refuses(UnknownError)


def test_nothing_was_performed_in_the_future() -> None:
    late = performed(at=AT + timedelta(minutes=6))

    refusal = given(CHECKPOINT, *RUNNING).when(replace(CONCLUDE, performed=late)).refuses(PerformedError)

    assert refusal.places[0][0] == "/performed_at"


def test_nothing_was_performed_before_it_began() -> None:
    early = performed(at=AT - timedelta(hours=1))

    given(CHECKPOINT, *RUNNING).when(replace(CONCLUDE, performed=early)).refuses(PerformedError)


def test_what_machines_report_afterwards_may_be_of_any_past_day() -> None:
    known = ended(EXPERIMENT, HELD, at=AT - timedelta(days=40))

    assert (known.state, known.started) == ("passed", None)


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (EXPERIMENT, replace(HELD, held=False)),
        (LOST, replace(CAME_BACK, recovery=None)),
        (RESTORE, replace(RESTORED, verified=False)),
        (DRILL, replace(DRILLED, rolled_back=False)),
    ],
)
def test_a_failure_under_a_fault_is_a_weak_point_even_when_nobody_names_it(content: Content, result: Outcome) -> None:
    (weak,) = shown(ended(content, result))

    assert (weak.title, weak.severity) == ("failed: a test", "conditional")
    assert weak.text


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (LOAD, replace(BORNE, load=1)),
        (BENCHMARK, replace(MEASURED, figures={"p99_ms": 999})),
        (REPORT, ObservabilityResult(signals=())),
    ],
)
def test_a_build_that_fails_opens_no_finding(content: Content, result: Outcome) -> None:
    assert shown(ended(content, result)) == ()


def test_weak_points_that_are_named_stand_for_the_failure() -> None:
    known = ended(EXPERIMENT, replace(HELD, held=False), weak_points=(WEAK,))

    assert shown(known) == (WEAK,)


def test_a_hypothesis_that_held_may_show_a_weak_point_too() -> None:
    known = CHECKPOINT.fold(None, FOUND)

    assert known is not None
    assert (known.state, shown(known)) == ("passed", (WEAK,))


def test_an_abort_leaves_its_weak_points() -> None:
    known = CHECKPOINT.fold(None, events(schedule(), START, replace(ABORT, weak_points=(WEAK,))))

    assert known is not None
    assert (known.state, shown(known)) == ("aborted", (WEAK,))


def test_events_of_a_machine_are_told_as_they_are() -> None:
    told = given(CHECKPOINT, *PLANNED).when(replace(START, by=CI))

    told.then(CheckpointStarted(checkpoint="c-1", service="checkout-api", kind="chaos_experiment", by=CI.name, at=AT))


def test_a_checkpoint_goes_stale_by_kind_and_tier() -> None:
    strict = Number(90, "a quarter", {"1": 30})
    policy = replace(POLICY, stale_after_days={**POLICY.stale_after_days, "load_test": strict})

    days = [(policy.stale_at("load_test", AT, tier) - AT).days for tier in (0, 1, 2)]

    assert days == [30, 30, 90]  # until a tier is set, a service counts as the most critical


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"stale_after_days": {}}, "/stale_after_days/chaos_experiment"),
        (
            {"stale_after_days": {**POLICY.stale_after_days, "benchmark": Number(0, "[D]")}},
            "/stale_after_days/benchmark",
        ),
        ({"required_signals": replace(POLICY.required_signals, names=())}, "/required_signals/names"),
    ],
)
def test_a_policy_that_says_nothing_is_refused_with_its_place(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidPolicyError) as refusal:
        replace(POLICY, **fields).validate()

    assert refusal.value.faults[0].pointer == pointer


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_log_keeps_of_a_checkpoint_comes_back_as_it_was(kind: str) -> None:
    content, result = PASSING[kind]

    for event in events(schedule(content, performed=performed(result))):
        kept = codec.decoder(type(event)).decode(codec.encode(event))
        assert kept == event
