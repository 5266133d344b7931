"""Checks of what was tried out: tests, drills and experiments, as the checkpoints tell."""

from services.lifecycle.domain.checkpoint.facts import Shown
from services.lifecycle.domain.checks.finding import Finding, Question, day, worst_of
from services.lifecycle.domain.evaluation.events import Evidence, Value


def exercised(question: Question) -> Finding | None:
    """Whether the newest checkpoint of the check's name went as it had to; None while none was carried out lately."""
    known = question.facts.checkpoints
    shown = {str(kind): one for kind, one in known.newest.items()}.get(question.name) if known else None
    return None if shown is None or _is_old(question, shown) else _judged(question, shown)


def chaos_experiment(question: Question) -> Finding | None:
    """Whether the service was seen without each of its hard dependencies; None while nothing was tried out lately."""
    known = question.facts.checkpoints
    tried = {name: one for name, one in known.without.items() if not _is_old(question, one)} if known else {}
    newest = exercised(question)
    if not tried and newest is None:
        return None
    hard = [each.name for each in question.facts.dependencies or () if each.is_hard]
    found = [(name, _judged(question, tried[name])) for name in hard if name in tried]
    missing = [name for name in hard if name not in tried]
    if missing:
        fix = f"take away {', '.join(missing)}, and see what happens"
        found.append((", ".join(missing), Finding("unknown", "nobody has tried what happens without", (), fix)))
    return worst_of(found) if found else newest


def _judged(question: Question, shown: Shown) -> Finding:
    values: dict[str, Value] = {"checkpoint": shown.checkpoint, "url": shown.url, "by": shown.performed_by}
    evidence = (Evidence(shown.event, shown.kind, shown.performed_at, values | dict(shown.figures)),)
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
