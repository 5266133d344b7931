from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import SILENCE
from services.incidents.domain.errors import AbsentError, MatcherError, ReasonMissingError, SilenceError
from services.incidents.domain.matchers import matcher, quoted
from services.incidents.domain.silence.commands import End, Make
from services.incidents.domain.silence.events import SilenceEnded, SilenceMade

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
UNTIL = AT + timedelta(hours=2)
FIELDS: dict[str, Any] = {"silence": "s1", "matchers": ("service=checkout-api",), "since": AT, "until": UNTIL}
MAKE = Make(**FIELDS, by="ana", reason="a move", at=AT)
MADE = SilenceMade(**FIELDS, by="ana", reason="a move", at=AT)
END = End(by="bo", at=AT + timedelta(hours=1))
ENDED = SilenceEnded(silence="s1", by="bo", at=END.at)


def test_it_is_pending_active_and_over() -> None:
    later = (
        given(SILENCE)
        .when(replace(MAKE, since=AT + timedelta(hours=1)))
        .then(replace(MADE, since=AT + timedelta(hours=1)))
    )
    assert later is not None
    assert [later.state(AT + timedelta(minutes=m)) for m in (0, 60, 119, 120)] == [
        "pending",
        "active",
        "active",
        "ended",
    ]


def test_it_is_ended_once_and_not_after_its_time() -> None:
    state = given(SILENCE, MADE).when(END).then(ENDED)
    assert state is not None
    assert state.state(END.at) == "ended"
    given(SILENCE, MADE, ENDED).when(END).then()
    given(SILENCE, MADE).when(replace(END, at=UNTIL)).then()
    given(SILENCE).when(END).refuses(AbsentError)


def test_made_twice_it_is_one() -> None:
    given(SILENCE, MADE).when(MAKE).then()


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"matchers": ("service!=x", 'host=~".*"')}, SilenceError, "matchers"),
        ({"matchers": ("service=~(",)}, MatcherError, "matchers/0"),
        ({"until": AT}, SilenceError, "until"),
        ({"since": UNTIL, "until": UNTIL}, SilenceError, "until"),
        ({"until": AT + timedelta(days=91)}, SilenceError, "until"),
    ],
)
def test_one_that_is_too_wide_or_too_long_is_refused_with_its_place(
    changes: dict[str, Any], error: type[Any], field: str
) -> None:
    assert given(SILENCE).when(replace(MAKE, **changes)).refuses(error).field == field


def test_it_wants_a_reason() -> None:
    given(SILENCE).when(replace(MAKE, reason=" ")).refuses(ReasonMissingError)


@pytest.mark.parametrize("value", ["plain", 'a "quoted" word', "back\\slash", "two\nlines", ""])
def test_a_value_that_is_quoted_matches_itself(value: str) -> None:
    assert matcher(f"x={quoted(value)}").pattern == value
