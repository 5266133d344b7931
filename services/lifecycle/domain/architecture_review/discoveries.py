"""What an architecture review brings to light, as findings that stay until somebody has dealt with them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from services.lifecycle.domain.architecture.commands import Discovery
from services.lifecycle.domain.architecture.policy import ArchitecturePolicy
from services.lifecycle.domain.architecture_review.events import Component, Minutes
from services.lifecycle.domain.catalogs import Catalogs

ALONE = "single-point-of-failure"
TOGETHER = "redundancy-in-one-failure-domain"


def in_words_of(catalogs: Catalogs, minutes: Minutes) -> Minutes:
    """*minutes*, in which each pattern and antipattern bears the id of its entry, by whatever name it was called.

    Raises:
        UnknownEntryError: One is in no catalogue; names the nearest.
    """
    return replace(
        minutes,
        patterns=tuple(
            replace(used, pattern=catalogs.pattern(used.pattern, f"/patterns/{index}/pattern").id)
            for index, used in enumerate(minutes.patterns)
        ),
        antipatterns=tuple(
            replace(seen, antipattern=catalogs.antipattern(seen.antipattern, f"/antipatterns/{index}/antipattern").id)
            for index, seen in enumerate(minutes.antipatterns)
        ),
    )


def discoveries(
    review: str, minutes: Minutes, policy: ArchitecturePolicy, catalogs: Catalogs, make_id: Callable[[], str]
) -> Iterator[Discovery]:
    """The findings that follow from *minutes*: from its components by themselves, and from what people found.

    Raises:
        UnknownEntryError: What they found is in no catalogue; names the nearest.
    """
    source = f"architecture review {review}"
    for component in minutes.components:
        if component.criticality != "critical":
            continue
        if component.redundancy == 0:
            weight, item, what = policy.without_redundancy, ALONE, "is critical and has no redundancy"
        elif len(set(component.failure_domains)) == 1:
            weight, item, what = policy.in_one_failure_domain, TOGETHER, "is critical and in one failure domain"
        else:
            continue
        entry = catalogs.antipattern(item)
        text = f"{_where(component)}{entry.remedy} ({weight.source})"
        yield Discovery(
            finding=make_id(),
            item=item,
            title=f"{component.name} {what}",
            text=text,
            severity=weight.severity,
            source=source,
        )
    for index, seen in enumerate(minutes.antipatterns):
        entry = catalogs.antipattern(seen.antipattern, f"/antipatterns/{index}/antipattern")
        yield Discovery(
            finding=make_id(),
            item=entry.id,
            title=f"{entry.name}: {seen.where}",
            text=seen.text or entry.remedy,
            severity=seen.severity,
            source=source,
        )


def _where(component: Component) -> str:
    domains = ", ".join(component.failure_domains)
    said = " ".join(part for part in (f"It runs in {domains}." if domains else "", component.note) if part)
    return f"{said} " if said else ""
