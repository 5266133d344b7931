"""What people are told that is no call: each sentence, who hears it, and that what can wait is said together."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from libs.events.testing import given
from services.incidents.contract import NOTIFICATION
from services.incidents.domain.action.events import ActionOverdue, ActionOwnerLeft, ActionReminded
from services.incidents.domain.channel.events import Urgency
from services.incidents.domain.duty.events import ShiftsMoved
from services.incidents.domain.incident.work_events import (
    IncidentResponderAdded,
    IncidentRoleOffered,
    IncidentUpdateOverdue,
    IncidentUpdatePosted,
)
from services.incidents.domain.notification.commands import Answer, Attempt, Request
from services.incidents.domain.notification.decider import FIRST, GIVE_UP
from services.incidents.domain.notification.events import (
    AttemptBegun,
    AttemptEnded,
    Message,
    NotificationExtended,
    NotificationRequested,
    Part,
)
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.postmortem.events import (
    PostmortemChangesRequested,
    PostmortemSideApproved,
    PostmortemSubmitted,
    Reviewer,
)
from services.incidents.domain.postmortem_duty.events import PostmortemOverdue, PostmortemReminded
from services.incidents.domain.shift.events import ShiftHandedOver
from services.incidents.paging.digests import next_morning
from services.incidents.paging.notices import NOTICES, When

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OF: dict[str, Any] = {"incident": "i", "number": "INC-42", "service": "cart-api", "at": AT}
OF_INCIDENT: dict[str, Any] = OF | {"severity": "sev2", "by": "ana"}
OF_PAPER: dict[str, Any] = OF | {"postmortem": "p", "title": "Carts fail", "authors": ("dee",), "by": "dee"}
SENT_BACK: dict[str, Any] = OF_PAPER | {"by": "bo", "reason": "say how many users"}
APPROVED: dict[str, Any] = OF_PAPER | {"by": "bo", "side": "sre"}
OF_ACTION: dict[str, Any] = {"action": "a", "service": "cart-api", "by": "timer", "at": AT}
OWED: dict[str, Any] = OF_ACTION | {
    "title": "Cap the retries",
    "owner": "bo",
    "priority": "P1",
    "due": date(2026, 11, 24),
}
DUE: dict[str, Any] = OF | {"by": "timer", "due": date(2026, 11, 24)}


class Told(NamedTuple):
    """What is expected of a row of the table."""

    event: Any
    when: When
    urgency: Urgency
    to: tuple[tuple[str, ...], ...]
    subject: str
    says: str
    how: str


ROWS = [
    Told(
        ShiftsMoved(
            schedule="carts",
            person="bo",
            gained=(Span(AT + DAY, AT + DAY + 8 * HOUR),),
            lost=tuple(Span(AT + day * DAY, AT + day * DAY + HOUR) for day in range(2, 14)),
            by="ana",
            reason="holidays",
            at=AT,
        ),
        "soon",
        "low",
        (("person/bo",),),
        "carts: your shifts change",
        "In carts, by ana: holidays.\nYou are on call: Sun 22 Nov 10:00 to Sun 22 Nov 18:00 UTC\n"
        "You are not on call any more: Mon 23 Nov 10:00 to Mon 23 Nov 11:00 UTC\n",
        "GET /v1/schedules/carts/shifts",
    ),
    Told(
        ShiftHandedOver(
            shift="s1",
            schedule="carts",
            person="ana",
            incoming=("bo", "cy"),
            note="Watch the queue.",
            incidents=("INC-42",),
            by="ana",
            at=AT,
        ),
        "soon",
        "low",
        (("person/bo", "person/cy"),),
        "carts: ana hands over to you",
        "ana leaves you a note. Read it, and say that you have.\nWatch the queue.\nOpen then: INC-42.",
        "POST /v1/schedules/carts/handoffs/s1:acknowledge",
    ),
    Told(
        ActionReminded(**OWED),
        "morning",
        "low",
        (("person/bo",), ("owners/cart-api",)),
        "Due on 2026-11-24: Cap the retries",
        "Cap the retries (P1, cart-api) is due on 2026-11-24, and bo owns it.",
        "POST /v1/actions/a:complete",
    ),
    Told(
        ActionOverdue(**OWED),
        "morning",
        "low",
        (("person/bo",), ("owners/cart-api",)),
        "Overdue: Cap the retries",
        "Cap the retries (P1, cart-api) was due on 2026-11-24, and bo owns it.",
        "POST /v1/actions/a:complete",
    ),
    Told(
        ActionOwnerLeft(**OWED),
        "soon",
        "low",
        (("owners/cart-api",),),
        "Nobody owns it any more: Cap the retries",
        "bo is not here any more, and owns Cap the retries (P1, cart-api), due on 2026-11-24.",
        "POST /v1/actions/a:reassign",
    ),
    Told(
        PostmortemReminded(**DUE, stage="draft"),
        "morning",
        "low",
        (("authors/i",), ("lead/i",), ("owners/cart-api",)),
        "Due on 2026-11-24: the draft of the postmortem of INC-42",
        "The draft of the postmortem of INC-42 (cart-api) is due on 2026-11-24.",
        "POST /v1/postmortems",
    ),
    Told(
        PostmortemOverdue(**DUE, stage="publish"),
        "morning",
        "low",
        (("authors/i",), ("lead/i",), ("owners/cart-api",)),
        "Overdue: the publication of the postmortem of INC-42",
        "The publication of the postmortem of INC-42 (cart-api) was due on 2026-11-24.",
        "GET /v1/postmortems?incident=INC-42",
    ),
    Told(
        PostmortemChangesRequested(**SENT_BACK),
        "soon",
        "low",
        (("person/dee",),),
        "INC-42: the postmortem needs changes",
        "bo read “Carts fail”, and asks you: say how many users",
        "POST /v1/postmortems/p:submit",
    ),
    Told(
        PostmortemSideApproved(**APPROVED, complete=True),
        "soon",
        "low",
        (("person/dee",),),
        "INC-42: the postmortem can be published",
        "Both sides approved what “Carts fail” says.",
        "POST /v1/postmortems/p:publish",
    ),
    Told(
        IncidentResponderAdded(**OF_INCIDENT, person="bo", reason="you know carts"),
        "now",
        "high",
        (("person/bo",),),
        "INC-42 sev2 cart-api: you are asked to help",
        "ana asks you to help. you know carts",
        "GET /v1/incidents/INC-42/responder-view",
    ),
    Told(
        IncidentRoleOffered(**OF_INCIDENT, person="bo", role="incident_commander"),
        "now",
        "high",
        (("person/bo",),),
        "INC-42 sev2 cart-api: you are asked to take the role incident_commander",
        "ana asks you to take the role incident_commander.",
        "POST /v1/incidents/INC-42/roles/incident_commander:acknowledge",
    ),
    Told(
        IncidentUpdatePosted(**OF_INCIDENT, text="We watch.", audience="stakeholders", next_due=AT + HOUR),
        "now",
        "low",
        (("concerned/i",),),
        "INC-42 sev2 cart-api: how it stands",
        "We watch.\nThe next update comes by 11:00 UTC.",
        "GET /v1/incidents/INC-42/updates",
    ),
    Told(
        IncidentUpdateOverdue(**OF_INCIDENT, due=AT),
        "now",
        "high",
        (("speaker/i",), ("owners/cart-api",)),
        "INC-42 sev2 cart-api: an update is overdue",
        "Who is concerned should have heard by 10:00 UTC how it stands.",
        "POST /v1/incidents/INC-42/updates",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{type(row.event).__name__}")
def test_each_thing_that_happens_is_told_to_who_must_know(row: Told) -> None:
    (notice,) = NOTICES[type(row.event)](row.event)

    assert (notice.when, notice.urgency, notice.to) == (row.when, row.urgency, row.to)
    assert (notice.subject, notice.how) == (row.subject, row.how)
    assert notice.told(UTC).startswith(row.says)


def test_every_row_of_the_table_is_tested() -> None:
    assert {type(row.event) for row in ROWS} | {PostmortemSubmitted} == set(NOTICES)


def test_many_shifts_are_told_as_the_first_and_how_many_more() -> None:
    (notice,) = NOTICES[ShiftsMoved](ROWS[0].event)

    assert notice.told(UTC).endswith("\nYou are not on call any more: 2 times more")


def test_one_side_that_approves_leaves_nothing_to_do() -> None:
    approved = PostmortemSideApproved(**APPROVED, complete=False, missing=("product",))

    assert list(NOTICES[PostmortemSideApproved](approved)) == []


def test_customers_have_no_channels() -> None:
    posted = IncidentUpdatePosted(**OF_INCIDENT, text="We watch.", audience="customers", next_due=None)

    assert list(NOTICES[IncidentUpdatePosted](posted)) == []


def test_who_does_it_knows() -> None:
    (notice,) = NOTICES[ShiftsMoved](replace(ROWS[0].event, by="bo"))

    assert notice.but == ("bo",)


def test_a_side_reviews_by_who_was_named_else_by_its_team() -> None:
    submitted = PostmortemSubmitted(**OF_PAPER, reviewers=(Reviewer(person="bo", side="sre"),))

    sre, product = NOTICES[PostmortemSubmitted](submitted)

    assert (sre.to, product.to) == ((("person/bo",),), (("owners/cart-api",),))
    assert sre.told(UTC).startswith("dee asks you to read “Carts fail” for the side sre")
    assert sre.but == ("dee", "dee")
    (sre, _) = NOTICES[PostmortemSubmitted](replace(submitted, reviewers=()))
    assert sre.to == (("sre/cart-api",),)


@pytest.mark.parametrize(
    ("at", "zone", "morning"),
    [
        (datetime(2026, 11, 21, 0, tzinfo=UTC), "UTC", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        (datetime(2026, 11, 21, 8, tzinfo=UTC), "UTC", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        (datetime(2026, 11, 21, 0, tzinfo=UTC), "Asia/Tokyo", datetime(2026, 11, 21, 23, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), "Europe/Madrid", datetime(2026, 3, 29, 6, tzinfo=UTC)),
    ],
    ids=["midnight", "eight o'clock", "nine in Tokyo", "the night of the jump"],
)
def test_the_next_morning_is_eight_by_the_clock_of_who_hears_it(at: datetime, zone: str, morning: datetime) -> None:
    assert next_morning(at, ZoneInfo(zone)) == morning


ONE = Message(
    kind="reminder",
    channel="email",
    person="bo",
    urgency="low",
    subject="Overdue: one",
    text="One.",
    service="cart-api",
)
OTHER = replace(ONE, subject="Overdue: other", text="Other.")
BOTH = replace(ONE, subject="Overdue: one (and 1 more)", text="One.\n\nOther.")
MORNING = AT + 22 * HOUR
HELD = NotificationRequested(notification="n", message=ONE, not_before=MORNING, at=AT)


def ask(message: Message) -> Request:
    return Request(notification="n", message=message, not_before=MORNING, at=AT)


def test_what_waits_for_the_same_moment_is_one_message() -> None:
    extended = NotificationExtended(notification="n", message=BOTH, at=AT, more=Part(OTHER))
    elsewhere = replace(OTHER, service="search-api")
    given(NOTIFICATION).when(ask(ONE)).then(HELD)
    given(NOTIFICATION, HELD).when(ask(OTHER)).then(extended)
    three = replace(BOTH, subject="Overdue: one (and 2 more)", text="One.\n\nOther.\n\nOther.", service="")
    given(NOTIFICATION, HELD, extended).when(ask(elsewhere)).then(
        NotificationExtended(notification="n", message=three, at=AT, more=Part(elsewhere))
    )


def test_what_was_put_together_before_its_parts_were_kept_says_more_too() -> None:
    extended = NotificationExtended(notification="n", message=BOTH, at=AT)
    state = given(NOTIFICATION, HELD, extended).when(Attempt(patience=HOUR, at=AT)).then()
    assert state is not None
    assert state.parts == (Part(BOTH),)


def test_what_is_on_its_way_or_too_long_says_no_more() -> None:
    begun = AttemptBegun(notification="n", attempt=1, until=MORNING + HOUR, at=MORNING)
    given(NOTIFICATION, HELD, begun).when(ask(OTHER)).then()
    given(NOTIFICATION, HELD).when(ask(replace(OTHER, text="x" * 10_000))).then()
    given(NOTIFICATION, HELD).when(Request(notification="n", message=OTHER, at=AT)).then()


def test_what_is_held_is_sent_when_its_time_has_come_and_tried_for_a_day_from_then_on() -> None:
    patience = timedelta(minutes=1)
    given(NOTIFICATION, HELD).when(Attempt(patience=patience, at=AT + HOUR)).then()
    begun = AttemptBegun(notification="n", attempt=1, until=MORNING + patience, at=MORNING)
    given(NOTIFICATION, HELD).when(Attempt(patience=patience, at=MORNING)).then(begun)
    late = MORNING + GIVE_UP - HOUR
    again = AttemptEnded(
        notification="n",
        attempt=1,
        outcome="retry",
        status=None,
        detail="",
        next_at=late + FIRST,
        message=ONE,
        at=late,
    )
    given(NOTIFICATION, HELD, begun).when(Answer(attempt=1, said="failed", at=late)).then(again)
