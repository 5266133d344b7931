"""A list of components beside the one of the review before, and beside the dependency graph."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from services.lifecycle.domain.architecture_review.events import Component
from services.lifecycle.domain.dependencies.events import Criticality as Need

What = Literal["added", "gone", "criticality", "redundancy", "failure_domains"]


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """What became of a component since the review before; `was` and `now` are null where it was not, or is not."""

    component: str
    what: What
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A component and a dependency of one name, of which the lists say different things, or that one does not name."""

    name: str
    in_review: str | None
    in_graph: Need | None
    how_to_fix: str


def changes(before: Collection[Component], now: Collection[Component]) -> Iterator[ComponentChange]:
    """What was added, is gone, and is otherwise, in the order of names."""
    old, new = _by_name(before), _by_name(now)
    for key in sorted({*old, *new}):
        was, is_ = old.get(key), new.get(key)
        if was is None and is_ is not None:
            yield ComponentChange(is_.name, "added", None, is_.criticality)
        elif is_ is None and was is not None:
            yield ComponentChange(was.name, "gone", was.criticality, None)
        elif was is not None and is_ is not None:
            yield from _differences(was, is_)


def disagreements(
    service: str, components: Collection[Component], needs: Mapping[str, Need], services: Collection[str]
) -> Iterator[Disagreement]:
    """Where *components* and the dependencies that *service* has declared say different things.

    Args:
        service: Whose they are.
        components: What the review says it is made of.
        needs: What it depends on, hard or soft.
        services: The names of components that are services here; others can be no dependency.
    """
    named, at = _by_name(components), f"/v1/services/{service}/dependencies"
    there = {_plain(name) for name in services} - {_plain(service)}
    spelt = {_plain(name): name for name in needs}
    for key in sorted({*named, *spelt}):
        component, name = named.get(key), spelt.get(key, "")
        need = needs.get(name)
        if component is None:
            yield Disagreement(name, None, need, f"name it in the review, or remove it: DELETE {at}/{name}")
        elif need is None:
            if key in there:
                how = f"declare it: PUT {at}/{key}; or leave it out of the review"
                yield Disagreement(component.name, component.criticality, None, how)
        elif (need == "hard") != (component.criticality == "critical"):
            how = f"users are not served without what is hard, so it is critical: correct one of them (PUT {at}/{name})"
            yield Disagreement(component.name, component.criticality, need, how)


def _differences(was: Component, now: Component) -> Iterator[ComponentChange]:
    if was.criticality != now.criticality:
        yield ComponentChange(now.name, "criticality", was.criticality, now.criticality)
    if was.redundancy != now.redundancy:
        yield ComponentChange(now.name, "redundancy", str(was.redundancy), str(now.redundancy))
    if set(was.failure_domains) != set(now.failure_domains):
        told = (", ".join(sorted(set(each.failure_domains))) for each in (was, now))
        yield ComponentChange(now.name, "failure_domains", *told)


def _by_name(components: Collection[Component]) -> dict[str, Component]:
    return {_plain(each.name): each for each in components}


def _plain(name: str) -> str:
    """A name as it is compared: `Orders DB` and `orders-db` are one."""
    return "-".join(name.lower().replace("_", " ").replace("-", " ").split())
