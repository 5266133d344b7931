"""What the incidents service keeps waiting: for whom, and by which request it goes on."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.lifecycle.domain.inbox.of_incidents import Asked, HandOver, PostmortemRead, Reviewer, RoleOffer, asked
from services.lifecycle.domain.inbox.of_services import Owned
from services.lifecycle.domain.inbox.waiting import Waiting
from services.lifecycle.domain.team.structure import Structure

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
OWNED = Owned("checkout-api", "checkout", "sre-pay", 1)
TEAMS = {"checkout": Structure(members=("ana", "cy", "eve")), "sre-pay": Structure(members=("bo", "di"))}
READ = PostmortemRead(
    postmortem="p1",
    number="INC-1",
    title="Checkout fails",
    authors=("ana",),
    reviewers=(),
    sides=("sre", "product"),
    approved_by=(),
    back="",
    since=AT,
)
NAMED = (Reviewer(person="di", side="sre"), Reviewer(person="eve", side="product"))


def waits(found: Asked, owned: Owned = OWNED) -> list[Waiting]:
    return list(asked(found, owned, TEAMS))


@pytest.mark.parametrize(
    ("found", "who"),
    [
        (READ, [("sre-pay", ("bo", "di"), "member"), ("checkout", ("cy", "eve"), "member")]),  # not who wrote it
        (replace(READ, reviewers=NAMED), [("sre-pay", ("di",), "asked"), ("checkout", ("eve",), "asked")]),
        (replace(READ, reviewers=NAMED[:1], sides=("sre",)), [("sre-pay", ("di",), "asked")]),
        (replace(READ, sides=("product",), approved_by=("cy",)), [("checkout", ("eve",), "member")]),
        (replace(READ, reviewers=NAMED, sides=("product",), approved_by=("eve",)), [("checkout", (), "asked")]),
        (replace(READ, sides=()), []),
    ],
)
def test_a_review_waits_for_each_side_by_name_or_by_its_team_but_for_nobody_who_may_not(
    found: PostmortemRead, who: list[tuple[str, tuple[str, ...], str]]
) -> None:
    assert [(each.team, each.who.people, each.who.role) for each in waits(found)] == who


def test_where_no_sre_team_answers_for_a_service_only_who_is_named_reads_for_sre() -> None:
    alone = replace(OWNED, sre_team="")

    assert [each.team for each in waits(READ, alone)] == ["checkout"]
    assert [each.who.people for each in waits(replace(READ, reviewers=NAMED), alone)] == [("di",), ("eve",)]


def test_a_review_says_how_it_goes_on_either_way() -> None:
    item = waits(READ)[0]

    assert (item.how, item.why_yours) == ("POST /v1/postmortems/p1:approve", "you belong to team sre-pay")
    assert item.what == (
        'read it, then approve it for the side "sre", or say what to change (POST /v1/postmortems/p1:request-changes)'
    )


def test_what_was_sent_back_waits_for_who_wrote_it() -> None:
    (item,) = waits(replace(READ, sides=(), back="cy: say how many orders"))

    assert (item.kind, item.who.people, item.why) == ("postmortem_changes", ("ana",), "cy: say how many orders")
    assert item.how == "POST /v1/postmortems/p1:submit"


def test_a_hand_over_waits_for_those_who_come() -> None:
    left = HandOver(shift="s1", schedule="checkout", person="ana", incoming=("bo",), note="watch the queue", since=AT)

    (item,) = waits(left, Owned("", "", "", 0))

    assert (item.who.people, item.why, item.services, item.team) == (("bo",), "watch the queue", (), "")
    assert item.how == "POST /v1/schedules/checkout/handoffs/s1:acknowledge"
    assert item.why_yours == "you are asked by name"


def test_a_role_waits_for_the_one_to_whom_it_is_offered() -> None:
    offer = RoleOffer(
        number="INC-1", role="incident_commander", person="bo", by="ana", reason="my shift ends", since=AT
    )

    (item,) = waits(offer)

    assert (item.who.people, item.team) == (("bo",), "checkout")
    assert item.why == "ana hands the role over to you: my shift ends"
    assert item.how == "POST /v1/incidents/INC-1/roles/incident_commander:acknowledge"
    assert item.what == (
        "acknowledge that you are incident commander from now on, or decline"
        " (POST /v1/incidents/INC-1/roles/incident_commander:decline)"
    )
