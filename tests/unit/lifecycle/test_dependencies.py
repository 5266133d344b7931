from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.contract import DEPENDENCIES
from services.lifecycle.domain.dependencies.commands import Confirm, Declare, Remove
from services.lifecycle.domain.dependencies.errors import DependencyCycleError
from services.lifecycle.domain.dependencies.events import (
    DependenciesConfirmed,
    DependencyDeclared,
    DependencyRemoved,
)
from services.lifecycle.domain.dependencies.graph import (
    Edge,
    Reached,
    blast_radius,
    cycle_through,
    relied_on,
    way,
)
from services.lifecycle.domain.errors import UnknownError
from tests.fixtures.lifecycle import NOW

DECLARE = Declare(
    service="shop",
    on="search",
    criticality="hard",
    slo="search-availability",
    failure_behaviour="fails",
    way_back=(),
    by="ana",
    at=NOW,
)
DECLARED = DependencyDeclared(
    service="shop",
    on="search",
    criticality="hard",
    slo="search-availability",
    failure_behaviour="fails",
    by="ana",
    at=NOW,
)
LATER = NOW + timedelta(hours=1)


def test_a_dependency_is_declared_with_how_the_service_relies_on_it() -> None:
    given(DEPENDENCIES).when(DECLARE).then(DECLARED)


def test_saying_again_what_is_so_says_nothing() -> None:
    given(DEPENDENCIES, DECLARED).when(replace(DECLARE, at=LATER, by="bo")).then()


def test_a_dependency_may_become_another_kind() -> None:
    softer = replace(DECLARE, criticality="soft")

    given(DEPENDENCIES, DECLARED).when(softer).then(replace(DECLARED, criticality="soft"))


def test_a_circle_of_hard_dependencies_is_refused_and_shown() -> None:
    refusal = (
        given(DEPENDENCIES).when(replace(DECLARE, way_back=("search", "ads", "shop"))).refuses(DependencyCycleError)
    )

    assert refusal.path == ("shop", "search", "ads", "shop")
    assert "make one of them soft" in str(refusal)


def test_a_soft_dependency_may_close_a_circle() -> None:
    soft = replace(DECLARE, criticality="soft", way_back=("search", "shop"))

    given(DEPENDENCIES).when(soft).then(replace(DECLARED, criticality="soft"))


@pytest.mark.parametrize("criticality", ["hard", "soft"])
def test_no_service_relies_on_itself(criticality: str) -> None:
    itself = replace(DECLARE, on="shop", criticality=criticality)  # pyright: ignore[reportArgumentType]

    given(DEPENDENCIES).when(itself).refuses(DependencyCycleError)


def test_what_is_not_listed_is_not_removed() -> None:
    given(DEPENDENCIES).when(Remove(service="shop", on="search", reason="", by="ana", at=NOW)).refuses(UnknownError)


def test_a_list_that_was_confirmed_is_not_any_more_once_it_changes() -> None:
    confirmed = DependenciesConfirmed(service="shop", dependencies=("search",), by="ana", at=NOW)
    removed = DependencyRemoved(service="shop", on="search", reason="", by="ana", at=NOW)

    state = given(DEPENDENCIES, DECLARED).when(Confirm(service="shop", by="ana", at=NOW)).then(confirmed)
    after = given(DEPENDENCIES, DECLARED, confirmed, removed).state

    assert (state.confirmed, after.confirmed) == (confirmed, None)


GRAPH = [
    Edge("web", "shop", "hard"),
    Edge("shop", "db", "hard"),
    Edge("shop", "search", "soft"),
    Edge("search", "index", "hard"),
]


def test_what_fails_too_is_reached_by_hard_dependencies_only() -> None:
    assert blast_radius(GRAPH, "db") == [
        Reached("shop", ("db", "shop"), hard=True),
        Reached("web", ("db", "shop", "web"), hard=True),
    ]
    assert [(one.service, one.hard) for one in blast_radius(GRAPH, "index")] == [
        ("search", True),
        ("shop", False),
        ("web", False),
    ]


def test_what_is_relied_on_is_the_nearest_first() -> None:
    assert [one.service for one in relied_on(GRAPH, "web")] == ["shop", "db", "search", "index"]


def test_a_longer_hard_way_counts_before_a_shorter_soft_one() -> None:
    graph = [Edge("a", "b", "soft"), Edge("a", "c", "hard"), Edge("c", "b", "hard")]

    assert Reached("b", ("a", "c", "b"), hard=True) in relied_on(graph, "a")


def test_a_circle_is_shown_from_the_service_that_asks() -> None:
    graph = [Edge("a", "b", "soft"), Edge("b", "c", "hard"), Edge("c", "a", "hard"), Edge("b", "d", "hard")]

    assert (cycle_through(graph, "b"), cycle_through(graph, "d")) == (("b", "c", "a", "b"), ())


_NAMES = st.sampled_from("abcdef")


@for_all(st.lists(st.tuples(_NAMES, _NAMES, st.sampled_from(["hard", "soft"])), max_size=30))
def test_whatever_is_declared_no_service_fails_because_of_itself(tried: list[tuple[str, str, str]]) -> None:
    edges: list[Edge] = []
    for service, on, criticality in tried:
        edge = Edge(service, on, criticality)  # pyright: ignore[reportArgumentType]
        back = way([one for one in edges if one.criticality == "hard"], on, service)
        command = replace(DECLARE, service=service, on=on, criticality=edge.criticality, way_back=back)
        try:
            DEPENDENCIES.decide(command, DEPENDENCIES.initial)
        except DependencyCycleError:
            continue
        edges = [one for one in edges if one[:2] != edge[:2]] + [edge]

    hard = [edge for edge in edges if edge.criticality == "hard"]
    assert all(cycle_through(hard, name) == () for name in "abcdef")
