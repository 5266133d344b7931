"""Checks of what takes a service's place."""

from collections.abc import Mapping

from services.lifecycle.domain.checks.attestations import attested
from services.lifecycle.domain.checks.finding import Finding, Question
from services.lifecycle.domain.evidence.events import EvidenceRecorded
from services.lifecycle.domain.phases import Phase

_KIND = "replacement_named"
_NONE = "none"


def replacement_in(attestations: Mapping[str, EvidenceRecorded]) -> str:
    """The service that the newest evidence names as a replacement, or empty."""
    done = attestations.get(_KIND)
    name = done.figures.get("replacement") if done else None
    return name if isinstance(name, str) and name != _NONE else ""


def replacement_named(question: Question) -> Finding | None:
    """Whether what is named is there, with some users at least; None: nothing is wrong with it, or nothing is named."""
    facts = question.facts
    done, named = facts.attestations.get(question.name), facts.replacement
    if done is None:
        return None
    evidence = (attested(done),)
    if named is None:
        if done.figures.get("replacement") == _NONE and not done.figures.get("reason"):
            fix = "record it again with the figure reason"
            return Finding("fail", "nothing replaces it, and nobody says why", evidence, fix)
        return None
    if named.name == facts.service or named.phase is None:
        fix = "name another service that is registered; or `none`, with the figure reason"
        what = "itself" if named.name == facts.service else f"{named.name}, which is no service here"
        return Finding("fail", f"it is to be replaced by {what}", evidence, fix)
    if named.phase is Phase.UNSUPPORTED or named.phase.number < Phase.LIMITED_AVAILABILITY.number:
        fix = f"bring {named.name} to limited availability first"
        return Finding("fail", f"{named.name} is in {named.phase}", evidence, fix)
    return None
