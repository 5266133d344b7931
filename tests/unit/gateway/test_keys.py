"""Recognising API keys and signing for the inside, on a memory store."""

from datetime import datetime, timedelta

import pytest

from libs.events.envelope import Context, Metadata
from libs.events.handler import CommandHandler
from libs.events.memory import MemoryStore
from libs.events.testing import FrozenClock
from libs.web.internal_auth import LIVES_S, Principal, verify
from services.gateway.auth.keys import ApiKeys, UnknownKeyError
from services.gateway.auth.secrets import KeyText, new_key, parse_key
from services.gateway.auth.tokens import Tokens
from services.gateway.contract import API_KEY, CONTRACT
from services.gateway.domain.api_key.commands import CreateApiKey, RevokeApiKey

SIGNING = "k" * 32


class House:
    """A gateway's keys, its clock, and another process that changes keys behind its back."""

    def __init__(self, refresh_s: float = 5) -> None:
        self.clock = FrozenClock()
        store = MemoryStore(self.clock)
        self.elsewhere = CommandHandler(store, CONTRACT)
        self.keys = ApiKeys(CommandHandler(store, CONTRACT), self.clock, refresh_s)

    def _context(self) -> Context:
        return Context.of_request(self.clock.now(), Metadata(actor="admin"))

    async def make(self, expires_at: datetime | None = None) -> KeyText:
        key, now = new_key("k1"), self.clock.now()
        command = CreateApiKey(
            key=key.id,
            secret_hash=key.secret_hash,
            owner="ana",
            owner_kind="person",
            description="",
            scopes=("services.read",),
            expires_at=expires_at,
            by="admin",
            by_kind="person",
            granted=frozenset({"*"}),
            at=now,
        )
        await self.elsewhere.handle(API_KEY, key.id, command, self._context())
        return key

    async def revoke(self) -> None:
        command = RevokeApiKey("k1", "admin", "", self.clock.now())
        await self.elsewhere.handle(API_KEY, "k1", command, self._context())


def test_a_key_survives_its_text() -> None:
    key = new_key("0198-a_b".replace("_", ""))
    assert parse_key(str(key)) == key
    assert str(key).startswith("cc_0198-ab_")


def test_two_keys_never_share_a_secret() -> None:
    assert new_key("a").secret != new_key("a").secret


@pytest.mark.parametrize("text", ["", "cc", "cc_", "cc_k1", "cc_k1_", "cc__x", "xx_k1_secret", "Bearer cc"])
def test_text_that_is_no_key_is_none(text: str) -> None:
    assert parse_key(text) is None


async def test_a_key_speaks_for_its_owner() -> None:
    house = House()
    key = await house.make()
    expected = Principal("ana", "person", frozenset({"services.read", "whoami.read"}), "api-key", "k1")
    assert await house.keys.authenticate(str(key)) == expected


async def test_another_secret_is_refused() -> None:
    house = House()
    await house.make()
    with pytest.raises(UnknownKeyError):
        await house.keys.authenticate("cc_k1_guess")


async def test_an_unknown_key_is_refused_without_being_remembered() -> None:
    house = House()
    for number in range(3):
        with pytest.raises(UnknownKeyError):
            await house.keys.authenticate(f"cc_{number}_guess")
    assert not house.keys._kept


async def test_a_key_ends_when_it_expires() -> None:
    house = House()
    key = await house.make(expires_at=house.clock.now() + timedelta(seconds=2))
    await house.keys.authenticate(str(key))
    house.clock.advance(timedelta(seconds=2))
    with pytest.raises(UnknownKeyError, match="expired"):
        await house.keys.authenticate(str(key))
    assert not await house.keys.in_use("k1")


async def test_a_key_revoked_elsewhere_is_refused_after_the_refresh() -> None:
    house = House()
    key = await house.make()
    await house.keys.authenticate(str(key))
    await house.revoke()
    assert await house.keys.authenticate(str(key))
    house.clock.advance(timedelta(seconds=5))
    with pytest.raises(UnknownKeyError):
        await house.keys.authenticate(str(key))


async def test_a_clock_set_back_does_not_keep_a_revoked_key_alive() -> None:
    house = House()
    key = await house.make()
    await house.keys.authenticate(str(key))
    await house.revoke()
    house.clock.advance(timedelta(hours=-1))
    with pytest.raises(UnknownKeyError):
        await house.keys.authenticate(str(key))


async def test_a_key_revoked_here_is_refused_at_once() -> None:
    house = House()
    key = await house.make()
    await house.keys.authenticate(str(key))
    await house.revoke()
    house.keys.forget("k1")
    with pytest.raises(UnknownKeyError):
        await house.keys.authenticate(str(key))


ANA = Principal("ana", "person", frozenset({"services.read"}), "api-key", "k1")


def test_a_token_is_kept_and_renewed_well_before_it_ends() -> None:
    clock = FrozenClock()
    tokens = Tokens(SIGNING, clock)
    first = tokens.authorization(ANA, "slo")
    clock.advance(timedelta(seconds=LIVES_S / 2 - 1))
    assert tokens.authorization(ANA, "slo") == first
    clock.advance(timedelta(seconds=1))
    assert tokens.authorization(ANA, "slo") != first


def test_a_token_is_for_one_service_and_one_principal() -> None:
    tokens = Tokens(SIGNING, FrozenClock())
    made = {tokens.authorization(ANA, service) for service in ("slo", "lifecycle")}
    made.add(tokens.authorization(Principal("bo", "person", ANA.scopes, "api-key", "k2"), "slo"))
    assert len(made) == 3


def test_a_clock_set_back_makes_a_new_token() -> None:
    clock = FrozenClock()
    tokens = Tokens(SIGNING, clock)
    first = tokens.authorization(ANA, "slo")
    clock.advance(timedelta(hours=-1))
    assert tokens.authorization(ANA, "slo") != first


def test_a_token_says_who_asks() -> None:
    clock = FrozenClock()
    token = Tokens(SIGNING, clock).authorization(ANA, "slo").decode().removeprefix("Bearer ")
    assert verify(token, "slo", SIGNING, now_s=clock.now().timestamp()).principal == ANA
