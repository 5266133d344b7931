"""Checks of what was tried out: tests, drills, experiments and reports of builds, as the checkpoints tell."""

from typing import Final

from services.lifecycle.domain.checkpoint.facts import Shown
from services.lifecycle.domain.checkpoint.plans import Signal
from services.lifecycle.domain.checks.attestations import attestation
from services.lifecycle.domain.checks.finding import Finding, Question, day, worst_of
from services.lifecycle.domain.evaluation.events import Evidence, Value

_WATCHED: Final[tuple[Signal, ...]] = ("metrics", "dashboards")  # without these nobody sees the service run


def exercised(question: Question) -> Finding | None:
    """Whether the newest checkpoint of the check's name went as it had to; None while none was carried out lately."""
    shown = _newest(question, question.name)
    return None if shown is None else _judged(question, shown)


def build_observability(question: Question) -> Finding | None:
    """Whether the newest build sends every signal; None while CI has reported none lately."""
    shown = _newest(question, "observability_report")
    return None if shown is None else _judged(question, shown)


def initial_monitoring(question: Question) -> Finding | None:
    """Whether there is a dashboard, and the alert route is proven; None while CI has reported no build lately.

    The report of a build speaks for metrics and dashboards; of the alert route people say that a page went through it.
    """
    shown = _newest(question, "observability_report")
    if shown is None or not any(signal in shown.figures for signal in _WATCHED):
        return None
    report = _evidence(shown)
    said = f"{shown.title}, of {day(shown.performed_at)}"
    if missing := [signal for signal in _WATCHED if not shown.figures.get(signal)]:
        fix = f"add the {' and '.join(missing)}, and have CI report the build again"
        return Finding("fail", f"{said}: {' and '.join(missing)} are missing", (report,), fix)
    route = attestation(question)
    fix = "send a test page through the alert route, and record evidence of kind initial_monitoring"
    return Finding(
        route.result,
        f"{said}: metrics and dashboards are there; alert route: {route.detail}",
        (report, *route.evidence),
        "" if route.result == "pass" else fix,
    )


def chaos_experiment(question: Question) -> Finding | None:
    """Whether the service was seen without each of its hard dependencies; None while nothing was tried out lately."""
    known = question.facts.checkpoints
    tried = {name: one for name, one in known.without.items() if not _is_old(question, one)} if known else {}
    newest, needs = exercised(question), question.facts.dependencies
    hard = [each.name for each in needs or () if each.is_hard]
    if newest is None and needs is not None and question.facts.dependencies_confirmed and not hard:
        return Finding("not_applicable", "it has no hard dependency that could be taken away")
    if not tried and newest is None:
        return None
    found = [(name, _judged(question, tried[name])) for name in hard if name in tried]
    missing = [name for name in hard if name not in tried]
    if missing:
        fix = f"take away {', '.join(missing)}, and see what happens"
        found.append((", ".join(missing), Finding("unknown", "nobody has tried what happens without", (), fix)))
    return worst_of(found) if found else newest


def _newest(question: Question, kind: str) -> Shown | None:
    """The newest checkpoint of *kind*, if it still speaks."""
    known = question.facts.checkpoints
    shown = {str(each): one for each, one in known.newest.items()}.get(kind) if known else None
    return None if shown is None or _is_old(question, shown) else shown


def _evidence(shown: Shown) -> Evidence:
    values: dict[str, Value] = {"checkpoint": shown.checkpoint, "url": shown.url, "by": shown.performed_by}
    return Evidence(shown.event, shown.kind, shown.performed_at, values | dict(shown.figures))


def _judged(question: Question, shown: Shown) -> Finding:
    evidence = (_evidence(shown),)
    said = f"{shown.title}, of {day(shown.performed_at)}"
    if not shown.passed:
        return Finding("fail", f"{said}, failed: {shown.showed}", evidence)
    tier = question.facts.tier
    missed = [
        f"{name} is {shown.figures[name]:g}, it must be at least {least.at(tier):g}"
        for name, least in question.check.at_least.items()
        if name in shown.figures and shown.figures[name] < least.at(tier)
    ]
    return Finding("fail", f"{said}: {'; '.join(missed)}", evidence) if missed else Finding("pass", said, evidence)


def _is_old(question: Question, shown: Shown) -> bool:
    most = question.check.max_age_days
    return most is not None and question.at - shown.performed_at > most.days_at(question.facts.tier)
