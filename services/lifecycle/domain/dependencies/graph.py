"""Who relies on whom, over any number of steps: pure walks over the edges of the dependency graph."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.lifecycle.domain.dependencies.events import Criticality


class Edge(NamedTuple):
    """*service* relies on *on*."""

    service: str
    on: str
    criticality: Criticality


@dataclass(frozen=True, slots=True)
class Reached:
    """A service at the end of a shortest *path*; *hard* when each step of it is a hard dependency."""

    service: str
    path: tuple[str, ...]
    hard: bool


def way(edges: Iterable[Edge], start: str, goal: str) -> tuple[str, ...]:
    """A shortest way from *start* to *goal* along *edges*, both named; empty if there is none, or they are one."""
    found = _walk(_following(edges), start)
    return found[goal] if goal in found and start != goal else ()


def relied_on(edges: Sequence[Edge], service: str) -> list[Reached]:
    """All that *service* relies on, the nearest first; by a hard way if there is one."""
    return _reached(edges, service)


def blast_radius(edges: Sequence[Edge], service: str) -> list[Reached]:
    """All that rely on *service*, the nearest first; *hard* means it fails when *service* does."""
    return _reached([Edge(edge.on, edge.service, edge.criticality) for edge in edges], service)


def cycle_through(edges: Sequence[Edge], service: str) -> tuple[str, ...]:
    """A shortest cycle through *service*, which stands first and last; empty if there is none."""
    ways = (way(edges, edge.on, service) for edge in edges if edge.service == service)
    return min(((service, *back) for back in ways if back), key=len, default=())


def _reached(edges: Sequence[Edge], start: str) -> list[Reached]:
    hard = _walk(_following(edge for edge in edges if edge.criticality == "hard"), start)
    found = _walk(_following(edges), start)
    reached = [Reached(name, hard.get(name, path), name in hard) for name, path in found.items() if name != start]
    return sorted(reached, key=lambda one: (len(one.path), one.service))


def _following(edges: Iterable[Edge]) -> Mapping[str, list[str]]:
    following: dict[str, list[str]] = {}
    for edge in edges:
        following.setdefault(edge.service, []).append(edge.on)
    return following


def _walk(following: Mapping[str, Sequence[str]], start: str) -> dict[str, tuple[str, ...]]:
    """A shortest way to each service that can be reached, *start* included."""
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        for after in following.get(name, ()):
            if after not in ways:
                ways[after] = (*ways[name], after)
                waiting.append(after)
    return ways
