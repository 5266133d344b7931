"""The catalogues of patterns and antipatterns: what they hold, and what is refused of them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.events.errors import SetupError
from libs.events.testing import given
from services.lifecycle.config import load_catalogs
from services.lifecycle.contract import OWN_CATALOG
from services.lifecycle.domain.catalogs import GROUPS, Catalog, Catalogs, NoSuchEntryError, UnknownEntryError
from services.lifecycle.domain.own_catalog.commands import Publish
from services.lifecycle.domain.own_catalog.decider import OwnCatalogFaultyError, OwnCatalogOutdatedError, in_force
from services.lifecycle.domain.own_catalog.events import OwnCatalog
from services.lifecycle.domain.policy import InvalidPolicyError
from services.lifecycle.exchange.catalogs import read_catalog, write_catalog

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


@pytest.mark.parametrize(
    ("called", "entry"),
    [
        ("spof", "single-point-of-failure"),
        ("SPOF", "single-point-of-failure"),
        ("Single point of failure", "single-point-of-failure"),
        ("retry_storm", "retry-storm"),
        ("cache-stampede", "thundering-herd"),
    ],
)
def test_an_entry_is_found_by_whatever_it_is_called(called: str, entry: str) -> None:
    assert CATALOGS.antipattern(called).id == entry


@pytest.mark.parametrize("catalog", [CATALOGS.patterns, CATALOGS.antipatterns])
def test_each_entry_says_what_it_is_what_it_leads_to_what_to_do_how_to_check_and_who_says_so(
    catalog: Catalog[Any],
) -> None:
    for entry in catalog.entries:
        recognised = entry.when_to_use if hasattr(entry, "when_to_use") else entry.symptom
        for text in (recognised, entry.consequence, entry.remedy, entry.how_to_check):
            assert len(text.split()) >= 3, entry.id
        assert entry.sources, entry.id
        assert entry.groups, entry.id


def test_an_alias_means_one_entry() -> None:
    with pytest.raises(InvalidPolicyError) as refused:
        broken(aliases=("retry-storm",)).validate()

    assert [fault.pointer for fault in refused.value.faults] == ["/antipatterns/entries/2/id"]


OWN = replace(CATALOGS.antipatterns.entries[0], id="shared-cron-host", name="Shared cron host", aliases=("cron-host",))
STORM = CATALOGS.antipatterns.by_id["retry-storm"]
PUBLISH = Publish(
    catalog=OwnCatalog(antipatterns=(OWN,)),
    based_on=0,
    shipped=CATALOGS,
    reason="",
    by="ana",
    at=datetime(2026, 11, 21, 10, tzinfo=UTC),
)
PUBLISHED = OWN_CATALOG.decide(PUBLISH, ())


def test_entries_of_an_installation_stand_beside_those_of_the_program() -> None:
    known = in_force(CATALOGS, OWN_CATALOG.fold((), PUBLISHED))

    assert known.antipattern("cron host") == OWN
    assert known.antipattern("retry-storm") == STORM
    assert known.antipatterns.version == "2026-11+1"
    assert in_force(CATALOGS, ()) is CATALOGS


def test_what_replaces_an_entry_of_the_program_says_so() -> None:
    stricter = replace(STORM, remedy="Do not retry here.")
    own = OwnCatalog(antipatterns=(stricter,))

    refused = given(OWN_CATALOG).when(replace(PUBLISH, catalog=own)).refuses(OwnCatalogFaultyError)
    said = OWN_CATALOG.decide(replace(PUBLISH, catalog=replace(own, replaces=("retry-storm",))), ())

    assert "/antipatterns/0/id" in [fault.pointer for fault in refused.faults]
    assert in_force(CATALOGS, OWN_CATALOG.fold((), said)).antipattern("retry-storm").remedy == "Do not retry here."


@pytest.mark.parametrize(
    ("own", "pointer"),
    [
        (OwnCatalog(antipatterns=(replace(OWN, id="Not An Id"),)), "/antipatterns/0/id"),
        (OwnCatalog(antipatterns=(OWN, OWN)), "/antipatterns/1/id"),
        (OwnCatalog(antipatterns=(replace(OWN, aliases=("spof",)),)), "/antipatterns/0/aliases/0"),
        (OwnCatalog(antipatterns=(replace(OWN, patterns=("prayer",)),)), "/antipatterns/0/patterns/0"),
        (OwnCatalog(antipatterns=(replace(OWN, remedy=" "),)), "/antipatterns/0"),
        (OwnCatalog(replaces=("prayer",)), "/replaces/0"),
        (OwnCatalog(replaces=("retry-storm",)), "/replaces/0"),
        (OwnCatalog(antipatterns=(replace(OWN, id="caching", aliases=()),), replaces=("caching",)), "/replaces/0"),
    ],
)
def test_a_catalogue_of_an_installation_that_contradicts_itself_is_refused(own: OwnCatalog, pointer: str) -> None:
    refused = given(OWN_CATALOG).when(replace(PUBLISH, catalog=own)).refuses(OwnCatalogFaultyError)

    assert pointer in [fault.pointer for fault in refused.faults]


def test_a_version_is_not_overwritten_by_who_has_not_read_it() -> None:
    other = replace(PUBLISH, catalog=OwnCatalog())

    given(OWN_CATALOG, *PUBLISHED).when(PUBLISH).then()
    assert given(OWN_CATALOG, *PUBLISHED).when(other).refuses(OwnCatalogOutdatedError).newest == 1
    assert OWN_CATALOG.decide(replace(other, based_on=1), OWN_CATALOG.fold((), PUBLISHED))[0].version == 2


def test_what_is_exported_is_read_back_as_it_is() -> None:
    document = read_catalog(write_catalog(PUBLISHED[0]).encode())

    assert (document.version, document.catalog) == (1, PUBLISH.catalog)


def test_a_first_version_has_an_entry() -> None:
    refused = given(OWN_CATALOG).when(replace(PUBLISH, catalog=OwnCatalog())).refuses(OwnCatalogFaultyError)

    assert [fault.pointer for fault in refused.faults] == ["/patterns"]
