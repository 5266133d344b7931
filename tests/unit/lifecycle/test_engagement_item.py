"""The lives of items, verb by verb; a forecast; and the boundaries of measures."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.lifecycle.contract import ENGAGEMENT_ITEM
from services.lifecycle.domain.engagement.commands import Speaker
from services.lifecycle.domain.engagement.errors import (
    BothSidesError,
    EngagementStateError,
    IncompleteError,
    NotASpeakerError,
)
from services.lifecycle.domain.engagement.measures import MEASURED, IncidentSeen, Seen, SloDay, exhausted_in_days, read
from services.lifecycle.domain.engagement_item.commands import Go, Open, Remind
from services.lifecycle.domain.engagement_item.events import (
    Content,
    ItemAcknowledged,
    ItemMoved,
    ItemOpened,
    ItemOverdue,
)
from services.lifecycle.domain.engagement_item.lives import LIVES
from tests.fixtures.lifecycle import NOW

SAID: dict[str, Any] = {"item": "i1", "engagement": "e1", "by": "ana", "at": NOW}
FULL: dict[str, Any] = {
    "reason": "so agreed",
    "outcome": "it helped",
    "owner": "cy",
    "due": date(2027, 1, 1),
    "people": ("ana",),
    "speaker": Speaker("ana", is_person=True, team="checkout", speakers=frozenset({"ana"})),
    "side": "dev",
}
DUE = date(2026, 11, 21)


def opened(kind: Any, **fields: Any) -> ItemOpened:
    """An item that begins."""
    return ItemOpened(**SAID, kind=kind, content=Content("a thing", **fields))


VERBS = [(kind, verb) for kind, life in LIVES.items() for verb in life.moves]


@pytest.mark.parametrize(("kind", "verb"), VERBS)
def test_a_verb_leads_on_from_its_states_alone_and_asks_for_what_it_needs(kind: Any, verb: str) -> None:
    move = LIVES[kind].moves[verb]
    for state in {LIVES[kind].begins, *(each.to for each in LIVES[kind].moves.values())}:
        item = given(ENGAGEMENT_ITEM, opened(kind)).state
        assert item is not None
        there = given(ENGAGEMENT_ITEM).__class__(ENGAGEMENT_ITEM, replace(item, state=state))
        if state not in move.origins:
            there.when(Go(**SAID, kind=kind, verb=verb, **FULL)).refuses(EngagementStateError)
            continue
        (moved,) = ENGAGEMENT_ITEM.decide(Go(**SAID, kind=kind, verb=verb, **FULL), there.state)
        assert isinstance(moved, ItemMoved if move.by != "both" else ItemAcknowledged)
        assert not isinstance(moved, ItemMoved) or moved.to == move.to
        if move.by != "anybody":
            for speaker in (None, replace(FULL["speaker"], name="eve"), replace(FULL["speaker"], is_person=False)):
                stranger = Go(**SAID, kind=kind, verb=verb, **(FULL | {"speaker": speaker}))
                there.when(stranger).refuses(NotASpeakerError)
        for need in move.needs:
            lacking = Go(**SAID, kind=kind, verb=verb, **(FULL | {need: None if need == "due" else ""}))
            refusal = there.when(lacking).refuses(IncompleteError)
            assert [pointer for pointer, _ in refusal.faults] == [f"/{need}"]


def agree(side: Any = "dev", by: str = "ana", **fields: Any) -> Go:
    """A lead agrees to an adjustment."""
    speaker = Speaker(by, is_person=True, team=side, speakers=frozenset({by}))
    said = {**SAID, "by": by, "kind": "adjustment", "verb": "agree", "speaker": speaker, "side": side}
    return Go(**said | fields)


def test_an_adjustment_is_agreed_when_both_leads_have_agreed_to_the_same() -> None:
    first = agree(outcome="canary first", owner="cy")
    waiting = given(ENGAGEMENT_ITEM, opened("adjustment")).when(first)
    word = ItemAcknowledged(**SAID, kind="adjustment", side="dev", outcome="canary first", owner="cy", missing=("sre",))
    before = waiting.then(word)
    assert before is not None
    assert (before.state, before.missing) == ("proposed", ("sre",))
    assert ENGAGEMENT_ITEM.decide(first, before) == ()

    both = ENGAGEMENT_ITEM.decide(agree("sre", "bo"), before)
    after = ENGAGEMENT_ITEM.fold(before, both)

    assert [type(each) for each in both] == [ItemAcknowledged, ItemMoved]
    assert after is not None
    assert (after.state, after.content.owner, after.moves[-1].outcome, after.missing) == (
        "agreed",
        "cy",
        "canary first",
        (),
    )


def test_who_agrees_to_something_else_asks_the_other_side_anew() -> None:
    before = ENGAGEMENT_ITEM.fold(None, (opened("adjustment"),))
    for command, missing in (
        (agree(outcome="canary first", owner="cy"), ("sre",)),
        (agree("sre", "bo", outcome="no releases for a week"), ("dev",)),
        (agree(outcome="one release a week"), ("sre",)),
    ):
        before = ENGAGEMENT_ITEM.fold(before, ENGAGEMENT_ITEM.decide(command, before))
        assert before is not None
        assert (before.state, before.missing) == ("proposed", missing)
    (_, moved) = ENGAGEMENT_ITEM.decide(agree("sre", "bo"), before)
    assert isinstance(moved, ItemMoved)
    assert (moved.outcome, moved.owner) == ("one release a week", "cy")


def test_nobody_agrees_for_both_sides_or_for_none() -> None:
    before = ENGAGEMENT_ITEM.fold(None, (opened("adjustment"),))
    before = ENGAGEMENT_ITEM.fold(before, ENGAGEMENT_ITEM.decide(agree(outcome="o", owner="cy"), before))
    there = given(ENGAGEMENT_ITEM).__class__(ENGAGEMENT_ITEM, before)
    there.when(agree("sre", "ana")).refuses(BothSidesError)
    there.when(agree(None, "bo")).refuses(IncompleteError)


def test_opening_twice_changes_nothing() -> None:
    again = Open(**SAID, kind="win", content=Content("another thing"))
    given(ENGAGEMENT_ITEM, opened("win")).when(again).then()


@pytest.mark.parametrize(("days", "told"), [(0, False), (1, True), (30, True)])
def test_an_item_is_overdue_from_the_day_after_and_that_is_told_once(days: int, *, told: bool) -> None:
    remind = Remind(**SAID | {"at": NOW + timedelta(days=days)}, kind="insight")
    before = given(ENGAGEMENT_ITEM, opened("insight", due=DUE, owner="cy"))
    produced = ENGAGEMENT_ITEM.decide(remind, before.state)
    assert [type(event) for event in produced] == [ItemOverdue] * told
    assert ENGAGEMENT_ITEM.decide(remind, ENGAGEMENT_ITEM.fold(before.state, produced)) == ()


def day(number: int, remaining: float | None) -> SloDay:
    """The end of a day."""
    return SloDay(f"e{number}", "a", "api", DUE + timedelta(days=number), 0.99, 0.995, remaining, "met")


@pytest.mark.parametrize(
    ("days", "left"),
    [
        ([], None),
        ([day(0, 0.5)], None),
        ([day(0, 0.9), day(7, 0.2)], 2.0),
        ([day(0, 0.2), day(7, 0.9)], None),  # it recovers
        ([day(0, 0.5), day(7, 0.5)], None),  # nothing is spent
        ([day(0, 0.5), day(7, -0.1)], None),  # it is spent already
        ([day(0, None), day(7, 0.5)], None),
    ],
)
def test_a_budget_is_forecast_by_what_was_spent_a_day(days: list[SloDay], left: float | None) -> None:
    assert exhausted_in_days(days) == (pytest.approx(left) if left else None)


def test_silence_of_a_dead_feed_is_unknown_and_what_was_heard_before_still_counts() -> None:
    quiet = Seen(("api",), NOW - timedelta(days=28), NOW, silent=True)
    incident = IncidentSeen("e1", "INC-1", "api", "sev1", NOW)

    assert [read(metric, quiet).value for metric in MEASURED] == [None] * len(MEASURED)
    assert read("severe_incidents", replace(quiet, incidents=(incident,))).value == 1


def test_nothing_heard_is_nothing_known_but_for_what_is_told_one_by_one() -> None:
    nothing = Seen(("api",), NOW - timedelta(days=28), NOW)
    known = {metric: read(metric, nothing).value for metric in MEASURED}
    assert {metric for metric, value in known.items() if value is not None} == {"severe_incidents", "overdue_actions"}
    assert all(read(metric, nothing).why_unknown for metric, value in known.items() if value is None)
