"""Checks of how versions reach the users, as roll-outs tell."""

from datetime import timedelta

from services.lifecycle.domain.checks.finding import Finding, Question, day
from services.lifecycle.domain.evaluation.events import Evidence, Value
from services.lifecycle.domain.facts import Rollout

_LAID_DOWN = ("reviewed", "running", "done", "rolled_back")  # another person has looked at its steps


def progressive_rollout(question: Question) -> Finding | None:
    """Whether the newest roll-out begins with a part of the users; None while none was reviewed lately."""
    known = [each for each in question.facts.rollouts if each.state in _LAID_DOWN]
    lately = [each for each in known if question.at - each.planned_at <= _counts_for(question)]
    if not lately:
        return None
    newest = lately[-1]
    said = f"the newest roll-out ({newest.strategy}) begins with {newest.first_percent:g} % of the users"
    if newest.is_capped:
        return Finding("pass", said, (_seen(newest),))
    return Finding("fail", said, (_seen(newest),), "plan it in steps, the first of them for a part of the users")


def production_rollback(question: Question) -> Finding | None:
    """Whether a roll-out by steps, and a rollback, took place lately; None: one of them was not seen here."""
    since = question.at - _counts_for(question)
    stepped = [
        each for each in question.facts.rollouts if each.is_capped and each.started_at and each.started_at >= since
    ]
    back = [each for each in question.facts.rollouts if each.rolled_back_at and each.rolled_back_at >= since]
    if not stepped or not back:
        return None
    newest, at = back[-1], back[-1].rolled_back_at
    evidence = tuple(_seen(each) for each in dict.fromkeys((stepped[-1], newest)))
    return Finding("pass", f"rolled back on {day(at) if at else ''}, and rolled out in steps", evidence)


def _counts_for(question: Question) -> timedelta:
    most = question.check.max_age_days
    return most.days_at(question.facts.tier) if most else timedelta.max


def _seen(rollout: Rollout) -> Evidence:
    values: dict[str, Value] = {
        "rollout": rollout.rollout,
        "strategy": rollout.strategy,
        "state": rollout.state,
        "first_percent": rollout.first_percent,
    }
    return Evidence(rollout.id, "rollout", rollout.rolled_back_at or rollout.started_at or rollout.planned_at, values)
