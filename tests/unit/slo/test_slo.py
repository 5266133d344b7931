"""What may become of an SLO's definition."""

from dataclasses import replace
from datetime import UTC, datetime

from libs.events.testing import given
from services.slo.contract import CONTRACT, SLO
from services.slo.domain.errors import SloExistsError
from services.slo.domain.slo.commands import Define, Promise, Revise
from services.slo.domain.slo.decider import definition_of
from services.slo.domain.slo.events import SloDefined
from services.slo.domain.windows import Rolling
from tests.fixtures.golden import golden, recorded

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
PROMISE = Promise(
    "checkout-availability", "checkout-api", "Checkout", 0.999, "28d", "Occurrences", {"kind": "SLO"}, {"name": "a"}
)
DEFINED = SloDefined(
    "checkout-availability",
    "checkout-api",
    "Checkout",
    1,
    0.999,
    "28d",
    "Occurrences",
    {"kind": "SLO"},
    AT,
    {"name": "a"},
)
STRICTER = replace(PROMISE, target=0.9999)


def test_a_new_slo_is_revision_one() -> None:
    given(SLO).when(Define(PROMISE, AT)).then(DEFINED)


def test_revising_what_is_not_there_defines_it() -> None:
    given(SLO).when(Revise(PROMISE, AT)).then(DEFINED)


def test_defining_the_same_again_changes_nothing() -> None:
    given(SLO, DEFINED).when(Define(PROMISE, AT)).then()


def test_revising_to_the_same_changes_nothing() -> None:
    given(SLO, DEFINED).when(Revise(PROMISE, AT)).then()


def test_defining_something_else_under_a_taken_name_is_refused() -> None:
    refusal = given(SLO, DEFINED).when(Define(STRICTER, AT)).refuses(SloExistsError)
    assert "PUT /v1/slos/checkout-availability revises it" in str(refusal)


def test_a_revision_counts_up() -> None:
    given(SLO, DEFINED).when(Revise(STRICTER, AT)).then(replace(DEFINED, target=0.9999, revision=2))


def test_events_of_the_first_version_say_what_they_define_too() -> None:
    event: SloDefined = CONTRACT.decode(recorded(golden("io.concordat.slo.slo.defined.v1")[0]))
    definition = definition_of(event)
    assert (definition.name, definition.window, float(definition.target)) == (event.slo, Rolling(28 * 24 * 60), 0.999)
