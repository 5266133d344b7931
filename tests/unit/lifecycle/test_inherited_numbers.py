"""A policy that was published before a check was measured goes by the numbers that come with the program."""

from dataclasses import replace

from services.lifecycle.domain.checks import NUMBERS
from services.lifecycle.domain.gate_policy.inherited import attested_only, completed, inherited
from services.lifecycle.domain.gates import look
from services.lifecycle.domain.policy import Policy
from tests.fixtures.lifecycle import NOW, POLICY, facts

NAME = "rota_is_large_enough"


def older(policy: Policy = POLICY) -> Policy:
    """A policy from before the size of a rota was measured."""
    check = replace(policy.checks[NAME], numbers={})
    return replace(policy, version="ours", checks={**policy.checks, NAME: check})


def test_a_policy_with_all_numbers_stays_as_it_is() -> None:
    assert completed(POLICY, POLICY, NUMBERS) is POLICY
    assert inherited(POLICY, POLICY, NUMBERS) == ()


def test_each_number_that_is_taken_over_is_listed_with_its_source() -> None:
    taken = inherited(older(), POLICY, NUMBERS)

    assert [(each.check, each.number, each.value, each.from_version) for each in taken] == [
        (NAME, "people_at_one_site", 8, POLICY.version),
        (NAME, "people_at_each_of_two_sites", 6, POLICY.version),
    ]
    assert attested_only(older(), POLICY, NUMBERS) == ()


def test_what_a_gate_answers_says_where_the_number_comes_from() -> None:
    (check,) = look(completed(older(), POLICY, NUMBERS), [NAME], facts(), NOW)

    sources = {limit.name: limit.source for limit in check.limits}
    assert sources["people_at_one_site"].endswith(f"(of policy {POLICY.version}; ours has no such number)")


def test_where_the_program_has_no_number_either_people_attest() -> None:
    assert attested_only(older(), older(), NUMBERS) == (NAME,)
    assert completed(older(), older(), NUMBERS) == older()
