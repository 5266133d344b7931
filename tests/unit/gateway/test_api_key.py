"""The rules of an API key, as given / when / then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.events.testing import given
from services.gateway.contract import API_KEY
from services.gateway.domain.api_key.commands import CreateApiKey, RevokeApiKey
from services.gateway.domain.api_key.decider import Revoked, Valid
from services.gateway.domain.api_key.events import ApiKeyCreated, ApiKeyRevoked
from services.gateway.domain.errors import (
    ApiKeyNotFoundError,
    ApiKeyTakenError,
    GrantExceededError,
    InvalidApiKeyError,
)

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CREATE = CreateApiKey(
    key="k1",
    secret_hash="0" * 64,
    owner="ana",
    owner_kind="person",
    description="laptop",
    scopes=("services.read",),
    expires_at=LATER,
    by="admin",
    by_kind="person",
    granted=frozenset({"*"}),
    at=NOW,
)
CREATED = ApiKeyCreated("k1", "0" * 64, "ana", "person", "laptop", ("services.read",), LATER, "admin", NOW)
REVOKE = RevokeApiKey("k1", "admin", "laptop lost", LATER)
REVOKED = ApiKeyRevoked("k1", "admin", "laptop lost", LATER)


def test_a_key_is_created() -> None:
    assert isinstance(given(API_KEY).when(CREATE).then(CREATED), Valid)


def test_scopes_are_kept_once_and_in_order() -> None:
    command = replace(CREATE, scopes=("slos.write", "services.read", "slos.write"))
    given(API_KEY).when(command).then(replace(CREATED, scopes=("services.read", "slos.write")))


def test_creating_the_same_key_again_changes_nothing() -> None:
    given(API_KEY, CREATED).when(CREATE).then()


def test_an_id_is_never_used_for_another_secret() -> None:
    given(API_KEY, CREATED, REVOKED).when(replace(CREATE, secret_hash="1" * 64)).refuses(ApiKeyTakenError)


def test_a_key_is_revoked_and_what_it_was_stays_readable() -> None:
    state = given(API_KEY, CREATED).when(REVOKE).then(REVOKED)
    assert isinstance(state, Revoked)
    assert state.was.owner == "ana"


def test_revoking_twice_changes_nothing() -> None:
    given(API_KEY, CREATED, REVOKED).when(REVOKE).then()


def test_a_key_that_does_not_exist_cannot_be_revoked() -> None:
    given(API_KEY).when(REVOKE).refuses(ApiKeyNotFoundError)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner", "Ana Maria"),
        ("owner", "a" * 64),
        ("scopes", ()),
        ("scopes", ("everything",)),
        ("scopes", ("services.read\n",)),
        ("scopes", ("services.delete",)),
        ("expires_at", NOW),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_with_the_field(field: str, value: object) -> None:
    refusal = given(API_KEY).when(replace(CREATE, **{field: value})).refuses(InvalidApiKeyError)
    assert refusal.field == field


def test_nobody_hands_out_more_than_they_hold() -> None:
    command = replace(CREATE, scopes=("services.read", "*"), granted=frozenset({"services.read", "api-keys.write"}))
    assert "you do not hold *" in str(given(API_KEY).when(command).refuses(GrantExceededError))


def test_a_machine_does_not_make_a_persons_key() -> None:
    given(API_KEY).when(replace(CREATE, by_kind="machine")).refuses(GrantExceededError)


def test_a_key_expires_at_the_very_moment() -> None:
    state = given(API_KEY).when(CREATE).then(CREATED)
    assert isinstance(state, Valid)
    assert not state.expired(LATER - timedelta(microseconds=1))
    assert state.expired(LATER)
