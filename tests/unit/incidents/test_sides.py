"""Which sides must be on call: as the phase of a service asks for, or as a schedule or rotation says itself."""

import pytest

from services.incidents.domain.on_call.sides import Covered, lacking, mixture_fault, wanted

SIDES = {"ana": "sre", "bo": "sre", "cleo": "dev", "dora": "dev"}
SHARED = Covered("cart-api", "general_availability", "platform-sre")
ALONE = Covered("cart-api", "general_availability", "")


@pytest.mark.parametrize(
    ("phase", "engaged", "alone"),
    [
        ("architecture_and_design", set[str](), set[str]()),
        ("active_development", set[str](), set[str]()),
        ("limited_availability", {"dev", "sre"}, {"dev"}),
        ("general_availability", {"dev", "sre"}, {"dev"}),
        ("deprecation", {"dev", "sre"}, {"dev"}),
        ("abandoned", {"dev"}, {"dev"}),
        ("unsupported", set[str](), set[str]()),
    ],
)
def test_who_must_be_on_call_follows_the_phase_and_whether_sre_is_engaged(
    phase: str, engaged: set[str], alone: set[str]
) -> None:
    assert set(Covered("cart-api", phase, "platform-sre").sides) == engaged
    assert set(Covered("cart-api", phase, "").sides) == alone


def test_a_service_that_lacks_a_side_says_which_why_and_what_to_do() -> None:
    (breach,) = lacking(SHARED, {"sre"})

    assert (breach.limit, breach.subject, breach.value, breach.allowed) == ("dev_side", "cart-api", 0, 1)
    assert breach.detail == (
        "cart-api is in general availability, and platform-sre works for it: a developer is missing;"
        " add one to a schedule of it"
    )
    assert "SRE Workbook" in breach.source
    assert [each.limit for each in lacking(SHARED, set())] == ["sre_side", "dev_side"]
    assert not [*lacking(SHARED, {"dev", "sre"}), *lacking(ALONE, {"dev"})]


def test_by_phase_asks_for_what_any_of_the_services_asks_for() -> None:
    assert wanted("any", [SHARED]) == ()
    assert wanted("both", []) == ("dev", "sre")
    assert wanted("by_phase", [ALONE]) == ("dev",)
    assert wanted("by_phase", [ALONE, SHARED]) == ("dev", "sre")
    assert wanted("by_phase", [Covered("cart-api", "unsupported", "")]) == ()


def test_a_rotation_is_mixed_as_it_says() -> None:
    assert mixture_fault("any", ["ana"], SIDES) is None
    assert mixture_fault("both", ["ana", "cleo"], SIDES) is None
    assert mixture_fault("both", ["ana", "bo"], SIDES) == (
        "participants",
        "a developer is missing; add one, or say sides: any",
    )
    assert mixture_fault("by_phase", ["ana", "bo"], SIDES) is None
    assert mixture_fault("by_phase", ["ana", "bo"], SIDES, [SHARED]) is not None


def test_alternating_goes_round_the_end_too() -> None:
    assert mixture_fault("alternating", ["ana", "cleo", "bo", "dora"], SIDES) is None
    assert mixture_fault("alternating", ["ana", "cleo", "dora"], SIDES) == (
        "participants/2",
        "cleo and dora follow each other and are both dev; order them by turns",
    )
    assert mixture_fault("alternating", ["ana", "cleo", "bo"], SIDES) == (
        "participants/0",
        "bo and ana follow each other and are both sre; order them by turns",
    )
