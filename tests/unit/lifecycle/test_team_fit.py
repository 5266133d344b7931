from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import WORK
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.operational_work.commands import Record, Withdraw
from services.lifecycle.domain.operational_work.events import WorkRecorded, WorkWithdrawn
from services.lifecycle.domain.team.fit import Candidate, Takes, fit
from services.lifecycle.projections.operational_work import Hours
from tests.fixtures.lifecycle import NOW

WEIGHTS = load_policies(LifecycleSettings()).teams.fit
SHOP = Candidate(product="shop", technologies=("go", "postgres"), owner_team="checkout")
KNOWN = Takes(products={"shop"}, technologies={"go", "rust"}, dev_teams={"payments"})


def test_the_score_is_the_weighted_mean_of_its_terms() -> None:
    found = fit(SHOP, KNOWN, WEIGHTS)

    assert [(term.name, term.value) for term in found.terms] == [
        ("same_product", 1.0),
        ("similar_stack", 0.5),
        ("same_dev_teams", 0.0),
    ]
    assert found.score == pytest.approx(0.4 * 1 + 0.35 * 0.5)
    assert found.known_weight == pytest.approx(1)


def test_what_cannot_be_told_counts_neither_for_nor_against() -> None:
    found = fit(Candidate(product="shop", technologies=(), owner_team=""), KNOWN, WEIGHTS)

    assert [term.value for term in found.terms] == [1.0, None, None]
    assert (found.score, found.known_weight) == (1.0, 0.4)
    assert found.terms[1].detail == "the service names no technologies"


def test_nothing_known_is_no_score() -> None:
    nothing = Takes(products=(), technologies=(), dev_teams=())

    assert fit(Candidate(product="", technologies=(), owner_team=""), nothing, WEIGHTS).score is None


_WORDS = st.sets(st.sampled_from("abcd"))


@for_all(_WORDS, _WORDS, _WORDS, _WORDS)
def test_a_score_lies_between_nothing_and_all(
    product: set[str], stack: set[str], known: set[str], dev: set[str]
) -> None:
    service = Candidate(product=min(product, default=""), technologies=stack, owner_team=min(dev, default=""))

    score = fit(service, Takes(products=known, technologies=known, dev_teams=known), WEIGHTS).score

    assert score is None or 0 <= score <= 1


WORKED = WorkRecorded(
    work="w-1",
    team="core-sre",
    service="",
    kind="tickets",
    hours=10.0,
    items=None,
    start=date(2026, 11, 9),
    until=date(2026, 11, 15),
    notes="",
    by="ana",
    at=NOW,
)
WITHDRAWN = WorkWithdrawn(work="w-1", team="core-sre", reason="counted twice", by="ana", at=NOW)
WITHDRAW = Withdraw(work="w-1", reason="counted twice", by="ana", at=NOW)


def test_work_that_is_sent_again_is_recorded_once() -> None:
    given(WORK).when(Record(WORKED)).then(WORKED)
    given(WORK, WORKED).when(Record(replace(WORKED, by="bo"))).then()
    given(WORK, WORKED).when(Record(replace(WORKED, hours=11.0))).refuses(RecordedOtherwiseError)


def test_work_is_withdrawn_once_and_not_recorded_again() -> None:
    given(WORK, WORKED).when(WITHDRAW).then(WITHDRAWN)
    given(WORK, WORKED, WITHDRAWN).when(WITHDRAW).then()
    given(WORK, WORKED, WITHDRAWN).when(Record(WORKED)).refuses(RecordedOtherwiseError)
    given(WORK).when(WITHDRAW).refuses(UnknownError)


def test_the_operational_share_is_all_but_projects() -> None:
    assert Hours({"tickets": 10.0, "toil": 20.0, "project": 10.0}, 3).share == 0.75
    assert Hours({}, 0).share is None
