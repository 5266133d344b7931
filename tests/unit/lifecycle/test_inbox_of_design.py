"""What waits because of designs, architecture and launches, for whom, and by when."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.lifecycle.contract import ARCHITECTURE_REVIEW, DESIGN_REVIEW, LAUNCH
from services.lifecycle.domain.architecture_review import events as looking
from services.lifecycle.domain.design_review import events as design
from services.lifecycle.domain.inbox import of_design
from services.lifecycle.domain.inbox.of_services import Owned
from services.lifecycle.domain.inbox.waiting import Waiting
from services.lifecycle.domain.launch import events as launch
from services.lifecycle.domain.readiness_review.events import FindingOpened
from services.lifecycle.domain.readiness_review.state import after_finding
from services.lifecycle.domain.team.structure import Structure

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
OWNED = Owned("checkout-api", "checkout", "sre-pay", 1)
ALONE = replace(OWNED, sre_team="")
TEAMS = {"checkout": Structure(members=("ana", "cy")), "sre-pay": Structure(members=("bo", "di"))}
DESIGN = design.Design(title="Invoice", url="", goals=(), constraints=(), alternatives=(), decisions=())
OPENED = design.DesignReviewOpened("d1", "checkout-api", "checkout", DESIGN, "ana", AT)
SUBMITTED = design.DesignSubmitted("d1", "checkout-api", "bo", AT)
ASKED = design.DesignChangesRequested("d1", "checkout-api", "say more", "di", AT)
PREPARED = looking.ArchitectureReviewPrepared(
    "a1", "checkout-api", "checkout", "Checkout", looking.PreRead("https://x.example", AT), "ana", AT
)
MINUTES = looking.Minutes(
    held_at=AT,
    participants=(looking.Participant("ana", "dev"), looking.Participant("bo", "sre")),
    components=(),
    patterns=(),
    antipatterns=(),
    decisions=(),
)
HELD = looking.ArchitectureReviewHeld("a1", "checkout-api", MINUTES, "ana", AT)
SIGNED = looking.ArchitectureReviewSigned("a1", "checkout-api", "dev", "ana", AT)
FOUND = FindingOpened(
    review="",
    service="checkout-api",
    finding="f1",
    item="retry-storm",
    title="Retry storm came back",
    text="x",
    severity="blocking",
    source="incidents",
    carried_from="",
    owner="",
    due=None,
    by="lifecycle",
    at=AT,
)
PLANNED = launch.LaunchPlanned(
    launch="l1",
    service="checkout-api",
    owner_team="checkout",
    tier=1,
    plan=launch.Plan(title="Invoice", text="", url="", planned_for=date(2026, 11, 20)),
    checkpoints=(),
    second_person=True,
    policy_version="1",
    by="ana",
    at=AT - timedelta(days=9),
)
READY = launch.LaunchReady("l1", "checkout-api", (), "bo", "", AT)


def told(items: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    found: list[Waiting] = list(items)
    return [(item.kind, item.team, item.who.people) for item in found]


def of_designs(*events: design.Event, owned: Owned = OWNED) -> Any:
    state = DESIGN_REVIEW.fold(None, events)
    assert state is not None
    return told(of_design.design(state, owned, TEAMS))


def test_a_design_waits_for_the_sres_who_did_not_write_it_and_then_for_its_writers() -> None:
    assert of_designs(OPENED) == []
    assert of_designs(OPENED, SUBMITTED) == [("design_review", "sre-pay", ("di",))]
    assert of_designs(OPENED, SUBMITTED, owned=ALONE) == []
    both = {**TEAMS, "sre-core": Structure(members=("eve", "fay"), leads=("fay",))}
    unread = DESIGN_REVIEW.fold(None, (OPENED, SUBMITTED))
    assert unread is not None
    assert told(of_design.design(unread, ALONE, both, ["sre-core", "sre-pay"])) == [
        ("design_review", "sre-core", ("fay",)),
        ("design_review", "sre-pay", ("di",)),
    ]
    assert of_designs(OPENED, SUBMITTED, ASKED) == [("design_changes", "checkout", ("ana", "bo"))]


def test_an_architecture_review_waits_for_those_who_were_there_for_the_side_that_has_not_signed() -> None:
    for events, expected in (
        ((PREPARED,), []),
        (
            (PREPARED, HELD),
            [("architecture_signature", "checkout", ("ana",)), ("architecture_signature", "sre-pay", ("bo",))],
        ),
        ((PREPARED, HELD, SIGNED), [("architecture_signature", "sre-pay", ("bo",))]),
    ):
        state = ARCHITECTURE_REVIEW.fold(None, events)
        assert state is not None
        assert told(of_design.architecture_review(state, OWNED)) == expected


def test_a_finding_waits_for_the_team_its_owner_and_whoever_may_verify_it() -> None:
    found = after_finding({}, FOUND)["f1"]
    late = replace(found, owner="cy", fixed_by="cy", due=date(2026, 11, 20))

    def who(state: Any) -> Any:
        return [(item.who.people, item.overdue, item.how.rpartition(":")[2]) for item in waits(state)]

    def waits(state: Any) -> list[Waiting]:
        return list(of_design.architecture_finding(replace(late, state=state), OWNED, TEAMS, AT))

    assert told(of_design.architecture_finding(found, OWNED, TEAMS, AT)) == [
        ("architecture_finding", "checkout", ("ana", "cy"))
    ]
    assert who("triaged") == [(("cy",), True, "start")]
    assert who("in_progress") == [(("cy",), True, "fix")]
    assert who("fixed") == [(("ana", "bo", "di"), True, "verify")]
    assert who("verified") == [(("ana", "cy"), True, "close")]
    assert [who(state) for state in ("closed", "waived", "rejected")] == [[], [], []]


def test_a_launch_waits_for_its_team_and_is_overdue_after_its_day() -> None:
    for events, verb in (((PLANNED,), "ready"), ((PLANNED, READY), "launch")):
        state = LAUNCH.fold(None, events)
        assert state is not None
        (item,) = of_design.launch(state, OWNED, TEAMS, AT)
        assert (item.who.people, item.due, item.overdue) == (("ana", "cy"), date(2026, 11, 20), True)
        assert item.how == f"POST /v1/launches/l1:{verb}"
    over = LAUNCH.fold(None, (PLANNED, launch.LaunchCancelled("l1", "checkout-api", "ana", "", AT)))
    assert over is not None
    assert list(of_design.launch(over, OWNED, TEAMS, AT)) == []
