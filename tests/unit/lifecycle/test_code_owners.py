"""Which team answers for a path: the most specific part that a service names."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.lifecycle.domain.service.catalogue import CodePath
from services.lifecycle.domain.service.code_owners import Part, answering, parts_of

SHOP = "https://git.example/shop"
CODE = [
    ("checkout-api", CodePath(SHOP, "checkout/", "checkout")),
    ("checkout-api", CodePath(SHOP, "checkout/fraud", "risk")),
    ("shop-web", CodePath(f"{SHOP}.git/", "", "web")),
    ("ledger", CodePath("https://git.example/ledger", "", "money")),
]
PARTS = parts_of(SHOP, CODE)


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("", ["web"]),
        ("README.md", ["web"]),
        ("checkout", ["checkout"]),
        ("/checkout/api/pay.go", ["checkout"]),
        ("checkout/fraud/rules.go", ["risk"]),
        ("checkout/fraudulent", ["checkout"]),  # a name that begins alike is another
        ("checkouts/x", ["web"]),
    ],
)
def test_the_most_specific_part_wins(path: str, owners: list[str]) -> None:
    assert [part.owner for part in answering(PARTS, path)] == owners


@pytest.mark.parametrize(
    "address", [SHOP, f"{SHOP}/", f"{SHOP}.git", "http://GIT.example/shop", "ssh://git@git.example/shop.git"]
)
def test_one_repository_has_many_addresses(address: str) -> None:
    assert parts_of(address, CODE) == PARTS


def test_a_path_that_nobody_names_has_no_owner() -> None:
    assert answering(parts_of("https://git.example/other", CODE), "x") == ()
    assert answering(parts_of(SHOP, CODE[:2]), "docs") == ()


def test_services_that_say_different_things_of_one_path_are_all_named() -> None:
    both = parts_of(SHOP, [*CODE, ("till-api", CodePath(SHOP, "/checkout", "till"))])

    assert answering(both, "checkout/x") == (
        Part("checkout", "checkout", "checkout-api"),
        Part("checkout", "till", "till-api"),
    )


@for_all(st.lists(st.sampled_from(["a", "b", "ab"]), max_size=4), st.data())
def test_who_answers_for_a_folder_answers_for_all_that_nobody_else_names(steps: list[str], data: st.DataObject) -> None:
    deeper = data.draw(st.lists(st.sampled_from(["c", "d"]), max_size=3))
    parts = (Part("/".join(steps), "team", "service"),)

    assert answering(parts, "/".join([*steps, *deeper])) == parts
