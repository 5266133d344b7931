"""A list of components beside the one before, and beside the dependency graph."""

from dataclasses import replace

import pytest

from services.lifecycle.domain.architecture_review.comparison import changes, disagreements
from services.lifecycle.domain.architecture_review.events import Component

DB = Component(name="orders-db", criticality="critical", redundancy=1, failure_domains=("zone-a", "zone-b"), note="")
WEB = Component(name="web", criticality="important", redundancy=2, failure_domains=(), note="")
PAY = Component(name="Payments", criticality="critical", redundancy=1, failure_domains=(), note="")


def test_the_same_list_has_not_changed_however_its_names_are_written() -> None:
    assert list(changes([DB, WEB], [WEB, replace(DB, name="Orders DB", failure_domains=("zone-b", "zone-a"))])) == []


def test_what_was_added_is_gone_or_otherwise_is_named() -> None:
    now = [replace(DB, redundancy=0, failure_domains=("zone-a",)), replace(WEB, criticality="critical"), PAY]

    found = [(each.component, each.what, each.was, each.now) for each in changes([DB, WEB], now)]

    assert found == [
        ("orders-db", "redundancy", "1", "0"),
        ("orders-db", "failure_domains", "zone-a, zone-b", "zone-a"),
        ("Payments", "added", None, "critical"),
        ("web", "criticality", "important", "critical"),
    ]
    assert [(each.component, each.what) for each in changes([DB, WEB], [WEB])] == [("orders-db", "gone")]


def test_lists_that_agree_have_nothing_to_mend() -> None:
    assert list(disagreements("shop", [DB, PAY], {"payments": "hard"}, {"payments", "shop"})) == []


@pytest.mark.parametrize(
    ("components", "needs", "expected"),
    [
        ([DB], {"payments": "hard"}, ("payments", None, "hard", "DELETE /v1/services/shop/dependencies/payments")),
        ([PAY], {}, ("Payments", "critical", None, "PUT /v1/services/shop/dependencies/payments")),
        ([PAY], {"payments": "soft"}, ("Payments", "critical", "soft", "correct one of them")),
        (
            [replace(PAY, criticality="supporting")],
            {"payments": "hard"},
            ("Payments", "supporting", "hard", "correct one of them"),
        ),
    ],
)
def test_what_one_list_does_not_name_or_weighs_otherwise_is_told_with_how_to_mend_it(
    components: list[Component], needs: dict[str, str], expected: tuple[str, str | None, str | None, str]
) -> None:
    (found,) = disagreements("shop", components, needs, {"payments"})  # type: ignore[arg-type]

    assert (found.name, found.in_review, found.in_graph) == expected[:3]
    assert expected[3] in found.how_to_fix


def test_a_part_that_is_no_service_can_be_no_dependency() -> None:
    assert list(disagreements("shop", [DB, replace(DB, name="shop")], {}, {"payments", "shop"})) == []
