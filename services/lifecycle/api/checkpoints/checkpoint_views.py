"""What goes out of checkpoints: each with what to do next, and what a service has shown, kind by kind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.lifecycle.domain.architecture.decider import Findings
from services.lifecycle.domain.checkpoint.decider import ALLOWED, Known, State
from services.lifecycle.domain.checkpoint.events import (
    CheckpointCancelled,
    CheckpointConcluded,
    WeakPoint,
)
from services.lifecycle.domain.checkpoint.facts import CheckpointFacts, Shown
from services.lifecycle.domain.checkpoint.judging import Criterion
from services.lifecycle.domain.checkpoint.plans import KINDS, Content, Kind
from services.lifecycle.domain.checkpoint.policy import CheckpointPolicy
from services.lifecycle.domain.checkpoint.policy import Signals as RequiredSignals
from services.lifecycle.domain.checkpoint.results import Outcome
from services.lifecycle.domain.policy import Number
from services.lifecycle.domain.readiness_review.events import FindingState
from services.lifecycle.domain.readiness_review.next_steps import step_of
from services.lifecycle.domain.readiness_review.state import Finding
from services.lifecycle.domain.review_template.checklist import Severity


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody must do."""

    who: str
    what: str
    why: str
    how: str
    due: date | None = None


@dataclass(frozen=True, slots=True)
class WeakPointView:
    """What a checkpoint showed that is not as it should be, and the finding that keeps track of it."""

    title: str
    text: str
    severity: Severity
    finding: str | None
    state: FindingState | None


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """A checkpoint: what it is to show, what it showed, and what to do next."""

    id: str
    service: str
    kind: Kind
    title: str
    state: State
    plan: Content
    planned_by: str
    planned_at: datetime
    started_by: str | None
    started_at: datetime | None
    result: Outcome | None
    criteria: tuple[Criterion, ...]
    figures: Mapping[str, float]
    performed_by: str | None
    performed_at: datetime | None
    evidence: tuple[str, ...]
    reason: str
    stale_at: datetime | None
    policy_version: str
    weak_points: tuple[WeakPointView, ...]
    allowed: tuple[str, ...]
    next: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StandingOfKind:
    """The newest checkpoint of one kind, and for how long it speaks for the service."""

    kind: Kind
    newest: Shown | None
    stale_at: datetime | None
    is_stale: bool | None
    stale_after: Number
    next: Step | None


@dataclass(frozen=True, slots=True)
class WithoutView:
    """The newest experiment that took a dependency away; null where there is none."""

    dependency: str
    newest: Shown | None
    is_stale: bool | None
    next: Step | None


@dataclass(frozen=True, slots=True)
class CheckpointsView:
    """What a service has shown, kind by kind, and what is to be shown again."""

    service: str
    kinds: tuple[StandingOfKind, ...]
    hard_dependencies: tuple[WithoutView, ...]
    required_signals: RequiredSignals
    policy_version: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a checkpoint is looked at against: the service's team and tier, the policy, now, and known faults."""

    owner_team: str
    tier: int
    policy: CheckpointPolicy
    at: datetime
    findings: Findings

    @property
    def team(self) -> str:
        """Who must do something where nobody is named."""
        return f"team {self.owner_team}" if self.owner_team else "whoever owns the service"


def checkpoint_view(known: Known, around: Surroundings) -> CheckpointView:
    """A checkpoint as it is answered."""
    planned, ended = known.planned, known.ended
    concluded = ended if isinstance(ended, CheckpointConcluded) else None
    stale_at = around.policy.stale_at(planned.kind, concluded.performed_at, around.tier) if concluded else None
    return CheckpointView(
        id=planned.checkpoint,
        service=planned.service,
        kind=planned.kind,
        title=planned.title,
        state=known.state,
        plan=known.content,
        planned_by=planned.by,
        planned_at=planned.at,
        started_by=known.started.by if known.started else None,
        started_at=known.started.at if known.started else None,
        result=concluded.result.outcome if concluded else None,
        criteria=concluded.criteria if concluded else (),
        figures=concluded.figures if concluded else {},
        performed_by=concluded.performed_by if concluded else ended.by if ended else None,
        performed_at=concluded.performed_at if concluded else ended.at if ended else None,
        evidence=concluded.evidence if concluded else (),
        reason=ended.reason if ended and not isinstance(ended, CheckpointConcluded) else "",
        stale_at=stale_at,
        policy_version=concluded.policy_version if concluded else around.policy.version,
        weak_points=tuple(
            WeakPointView(
                weak.title,
                weak.text,
                weak.severity,
                finding.opened.finding if finding else None,
                finding.state if finding else None,
            )
            for weak, finding in _followed(known, around)
        ),
        allowed=ALLOWED[known.state],
        next=tuple(_next(known, stale_at, around)),
    )


def checkpoints_view(
    service: str,
    facts: CheckpointFacts | None,
    hard: Sequence[str],
    around: Surroundings,
) -> CheckpointsView:
    """What a service has shown, as it is answered; *hard* are the dependencies without which it fails."""
    newest, without = (facts.newest, facts.without) if facts else ({}, {})
    return CheckpointsView(
        service=service,
        kinds=tuple(_of_kind(kind, newest.get(kind), service, around) for kind in KINDS),
        hard_dependencies=tuple(_without(name, without.get(name), around) for name in hard),
        required_signals=around.policy.required_signals,
        policy_version=around.policy.version,
    )


def _of_kind(kind: Kind, shown: Shown | None, service: str, around: Surroundings) -> StandingOfKind:
    stale_at = around.policy.stale_at(kind, shown.performed_at, around.tier) if shown else None
    is_stale = stale_at <= around.at if stale_at else None
    step, words = None, kind.replace("_", " ")
    how = f"POST /v1/services/{service}/observability-reports"
    how = how if kind == "observability_report" else "POST /v1/checkpoints"
    if shown is None:
        step = Step(around.team, f"carry out a {words}", "there is none", how)
    elif not shown.passed:
        step = Step(around.team, f"mend it, and repeat the {words}", shown.showed, how)
    elif is_stale:
        source = around.policy.stale_after_days[kind].source
        step = Step(around.team, f"repeat the {words}", f"the last is of {shown.performed_at.date()}: {source}", how)
    return StandingOfKind(kind, shown, stale_at, is_stale, around.policy.stale_after_days[kind], step)


def _without(dependency: str, shown: Shown | None, around: Surroundings) -> WithoutView:
    stale_at = around.policy.stale_at(shown.kind, shown.performed_at, around.tier) if shown else None
    is_stale = stale_at <= around.at if stale_at else None
    if shown and shown.passed and not is_stale:
        return WithoutView(dependency, shown, is_stale, None)
    why = shown.showed if shown and not shown.passed else "the service fails without it, and nobody has looked lately"
    step = Step(around.team, f"take {dependency} away in an experiment", why, "POST /v1/checkpoints")
    return WithoutView(dependency, shown, is_stale, step)


def _next(known: Known, stale_at: datetime | None, around: Surroundings) -> Iterator[Step]:
    planned, here = known.planned, f"POST /v1/checkpoints/{known.planned.checkpoint}"
    match known.state:
        case "planned":
            yield Step(around.team, f"begin: {planned.title}", "it is planned", f"{here}:start")
        case "running":
            who = known.started.by if known.started else around.team
            yield Step(who, "say what came out, or stop it", "it runs", f"{here}:conclude")
        case "failed":
            missed = [criterion.says for criterion in _criteria(known) if not criterion.met]
            yield Step(around.team, "mend it, and repeat it", "; ".join(missed), "POST /v1/checkpoints")
        case "aborted":
            yield Step(around.team, "plan it anew", "it was stopped, and so shows nothing", "POST /v1/checkpoints")
        case "passed" if stale_at is not None and stale_at <= around.at:
            source = around.policy.stale_after_days[planned.kind].source
            yield Step(around.team, "repeat it", f"it speaks no longer: {source}", "POST /v1/checkpoints")
        case _:
            pass
    for _, finding in _followed(known, around):
        if finding is not None and (step := _mending(finding, around)):
            yield step


def _followed(known: Known, around: Surroundings) -> Iterator[tuple[WeakPoint, Finding | None]]:
    """Each weak point, and the newest finding of the service that says so."""
    ended = known.ended
    for weak in ended.weak_points if ended and not isinstance(ended, CheckpointCancelled) else ():
        alike = [each for each in around.findings.values() if (each.opened.item, each.opened.title) == ("", weak.title)]
        yield weak, alike[-1] if alike else None


def _mending(finding: Finding, around: Surroundings) -> Step | None:
    """What must happen next about a weak point, as the findings of the service's architecture have it."""
    opened = finding.opened
    but = " or ".join(dict.fromkeys(name for name in (finding.owner, finding.fixed_by) if name))
    step = step_of(finding, around.owner_team or opened.service, (f"anybody but {but}",), "/architecture-findings")
    if step is None:
        return None
    how = f"POST /v1/services/{opened.service}{step.verb}"
    return Step(" or ".join(step.who), step.what, step.why, how, step.due)


def _criteria(known: Known) -> tuple[Criterion, ...]:
    return known.ended.criteria if isinstance(known.ended, CheckpointConcluded) else ()
