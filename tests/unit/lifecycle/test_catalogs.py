"""The catalogues of patterns and antipatterns: what they hold, and what is refused of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libs.events.errors import SetupError
from services.lifecycle.config import load_catalogs
from services.lifecycle.domain.catalogs import GROUPS, Catalog, Catalogs, NoSuchEntryError, UnknownEntryError
from services.lifecycle.domain.policy import InvalidPolicyError

CATALOGS = load_catalogs()
SHIPPED = Path("services/lifecycle/catalogs")


def test_each_catalogue_holds_at_least_twenty_entries_in_every_group() -> None:
    for catalog in (CATALOGS.patterns, CATALOGS.antipatterns):
        assert len(catalog.entries) >= 20
        for group in GROUPS:
            assert sum(group in entry.groups for entry in catalog.entries) >= 5


def test_what_the_issue_names_is_there() -> None:
    assert {"redundancy", "load-balancing", "graceful-degradation", "circuit-breaker", "bulkhead", "timeout"} <= set(
        CATALOGS.patterns.by_id
    )
    assert {
        "single-point-of-failure",
        "retry-storm",
        "chatty-io",
        "unbounded-queue",
        "busy-database",
        "no-caching",
        "noisy-neighbour",
        "distributed-monolith",
        "shared-database",
    } <= set(CATALOGS.antipatterns.by_id)


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [("retry_storms", "retry-storm"), ("Noisy Neighbor", "noisy-neighbour"), ("shared-databases", "shared-database")],
)
def test_an_unknown_entry_is_refused_with_the_nearest(asked: str, nearest: str) -> None:
    with pytest.raises(UnknownEntryError) as refused:
        CATALOGS.antipattern(asked, "/antipatterns/0/antipattern")

    assert refused.value.pointer == "/antipatterns/0/antipattern"
    assert refused.value.nearest[0] == nearest
    assert nearest in str(refused.value)


def test_what_is_asked_for_and_not_there_is_something_else_than_a_wrong_reference() -> None:
    with pytest.raises(NoSuchEntryError):
        CATALOGS.pattern("circuit-braker")


def broken(**fields: Any) -> Catalogs:
    first, *rest = CATALOGS.antipatterns.entries
    return Catalogs(CATALOGS.patterns, Catalog("1", (replace(first, **fields), *rest)))


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"id": "retry-storm"}, "/antipatterns/entries/2/id"),
        ({"id": "Not An Id"}, "/antipatterns/entries/0/id"),
        ({"symptom": " "}, "/antipatterns/entries/0"),
        ({"sources": ()}, "/antipatterns/entries/0/sources"),
        ({"groups": ()}, "/antipatterns/entries/0/groups"),
        ({"patterns": ("prayer",)}, "/antipatterns/entries/0/patterns/0"),
    ],
)
def test_a_catalogue_that_contradicts_itself_is_refused_with_the_place(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidPolicyError) as refused:
        broken(**fields).validate()

    assert [fault.pointer for fault in refused.value.faults] == [pointer]


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("    remedy:", "    remedi:", "/entries/0/remedi: is not a field here"),
        ("groups: [microservices", "groups: [mainframes", "/entries/0/groups/0"),
        ("  - id: redundancy\n", "  - id: 7\n", "/entries/0/id"),
    ],
)
def test_a_file_of_another_shape_is_refused_at_the_start(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    for name in ("patterns.yaml", "antipatterns.yaml"):
        text = (SHIPPED / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(was, becomes, 1), encoding="utf-8")

    with pytest.raises(SetupError, match=said):
        load_catalogs(tmp_path)
