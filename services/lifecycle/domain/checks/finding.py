"""What a check is asked, and what it finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from services.lifecycle.domain.evaluation.events import Evidence, Result
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.policy import Check, Policy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; *how_to_fix* is empty where the policy's own words say it."""

    result: Result
    detail: str
    evidence: tuple[Evidence, ...] = ()
    how_to_fix: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One check, for one service, at one time."""

    policy: Policy
    name: str
    check: Check
    facts: Facts
    at: datetime

    def number(self, name: str) -> float:
        """A number of the check, for the service's tier."""
        return self.check.numbers[name].at(self.facts.tier)

    def days(self, name: str) -> timedelta:
        """A number of the check as a span of days."""
        return timedelta(days=self.number(name))


Judge = Callable[[Question], Finding | None]
"""Finds what the platform knows; None: it knows nothing of it, and an attestation may speak instead."""


def day(at: datetime) -> str:
    """The day of *at*, as people read it."""
    return at.date().isoformat()


def silence(question: Question, service: str) -> Finding | None:
    """What to say when *service* has not been heard lately: nothing heard is not nothing there."""
    ago, most = question.facts.heard.get(service), timedelta(minutes=question.number("feed_fresh_minutes"))
    if ago is not None and ago <= most:
        return None
    told = "was never heard" if ago is None else f"was last heard {ago.total_seconds() / 60:.0f} minutes ago"
    fix = f"see that the workers of {service} and of lifecycle run, and that the log between them can be reached"
    return Finding("unknown", f"the {service} service {told}; what it says counts for {most}", how_to_fix=fix)


def worst_of(named: Sequence[tuple[str, Finding]]) -> Finding:
    """The worst of some findings, in words about every one that is as bad."""
    results = {finding.result for _, finding in named}
    worst: Result = "fail" if "fail" in results else "unknown" if "unknown" in results else "pass"
    told = [(name, finding) for name, finding in named if finding.result == worst]
    return Finding(
        worst,
        "; ".join(f"{name}: {finding.detail}" for name, finding in told),
        tuple(evidence for _, finding in named for evidence in finding.evidence),
        "; ".join(f"{name}: {finding.how_to_fix}" for name, finding in told if finding.how_to_fix),
    )
