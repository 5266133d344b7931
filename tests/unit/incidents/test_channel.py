from dataclasses import replace
from datetime import UTC, datetime, timedelta

from libs.events.testing import given
from services.incidents.contract import CHANNEL
from services.incidents.domain.channel.commands import RotateSecret
from services.incidents.domain.channel.events import ChannelRemoved, ChannelSet, SecretRotated
from services.incidents.domain.errors import AbsentError
from services.incidents.paging.links import Signing

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
OVER = AT + timedelta(days=1)
SET = ChannelSet(team="checkout", kind="webhook", contact="row", by="ana", at=AT)
REMOVED = ChannelRemoved(team="checkout", kind="webhook", by="ana", at=AT)
ROTATE = RotateSecret(team="checkout", kind="webhook", secret="two", until=OVER, by="ana", at=AT)
ROTATED = SecretRotated(team="checkout", kind="webhook", contact="row", secret="two", until=OVER, by="ana", at=AT)


def test_two_secrets_sign_until_the_overlap_is_over() -> None:
    state = given(CHANNEL, SET).when(ROTATE).then(ROTATED)

    assert state.secrets(OVER - timedelta(microseconds=1)) == ("two", "")
    assert state.secrets(OVER) == ("two",)


def test_a_rotation_that_goes_on_is_not_begun_again() -> None:
    again = replace(ROTATE, secret="three", at=OVER - timedelta(hours=1), until=OVER + timedelta(days=1))

    given(CHANNEL, SET, ROTATED).when(again).then()
    over = (
        given(CHANNEL, SET, ROTATED)
        .when(replace(again, at=OVER))
        .then(replace(ROTATED, secret="three", at=OVER, until=again.until))
    )
    assert over.secrets(OVER) == ("three", "two")


def test_without_an_overlap_a_new_secret_alone_signs_at_once() -> None:
    made = replace(ROTATED, secret="three", until=AT)
    state = given(CHANNEL, SET, ROTATED).when(replace(ROTATE, secret="three", until=AT)).then(made)

    assert state.secrets(AT) == ("three",)


def test_a_secret_that_was_given_up_does_not_come_back_with_another_address() -> None:
    given(CHANNEL, SET, ROTATED, REMOVED).when(ROTATE).refuses(AbsentError)

    state = given(CHANNEL, SET, ROTATED, REMOVED, SET).when(ROTATE).then()
    assert state.secrets(OVER) == ("two",)


def test_each_holder_and_each_rotation_has_a_secret_of_its_own() -> None:
    signing = Signing(b"key")
    made = [signing.webhook_secret(holder, name) for holder in ("person/ana", "team/ana") for name in ("", "two")]

    assert len(set(made)) == 4
    assert all(each.startswith("whsec_") for each in made)
