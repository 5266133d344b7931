"""Which addresses notifications may go to."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from libs.events.testing import given
from services.slo.contract import NOTIFICATION_TARGET
from services.slo.domain.errors import InvalidNotificationTargetError, NoSuchNotificationTargetError
from services.slo.domain.notification_target.commands import Address, RemoveTarget, SetTarget
from services.slo.domain.notification_target.events import TargetRemoved, TargetSet

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
SET = TargetSet("on-call", Address("https://hooks.example.com/alerts", "hooks-token"), AT)


def test_an_address_is_set_once_and_may_change() -> None:
    same = SetTarget("on-call", SET.address, AT)
    given(NOTIFICATION_TARGET).when(same).then(SET)
    given(NOTIFICATION_TARGET, SET).when(same).then()
    other = Address("http://hooks.example.com/other")
    given(NOTIFICATION_TARGET, SET).when(replace(same, address=other)).then(replace(SET, address=other))


def test_a_removed_target_is_gone_and_can_be_set_again() -> None:
    removed = TargetRemoved("on-call", AT)
    given(NOTIFICATION_TARGET, SET).when(RemoveTarget("on-call", AT)).then(removed)
    given(NOTIFICATION_TARGET, SET, removed).when(SetTarget("on-call", SET.address, AT)).then(SET)
    with pytest.raises(NoSuchNotificationTargetError):
        NOTIFICATION_TARGET.decide(RemoveTarget("on-call", AT), None)


@pytest.mark.parametrize(
    "address",
    [
        Address(""),
        Address("hooks.example.com"),
        Address("https://"),
        Address("https://hooks.example.com:port/"),
        Address("https://me@hooks.example.com/"),
        Address("https://hooks.example.com/?token=1"),
        Address("https://hooks.example.com/#1"),
        Address("http://hooks.example.com/", "hooks-token"),
        Address("https://hooks.example.com/", ".hidden"),
        Address("https://hooks.example.com/", "../admin.key"),
        Address("https://hooks.example.com/a b"),
    ],
)
def test_an_address_that_cannot_work_or_holds_secrets_is_refused_with_its_place(address: Address) -> None:
    with pytest.raises(InvalidNotificationTargetError) as refused:
        NOTIFICATION_TARGET.decide(SetTarget("on-call", address, AT), None)
    expected = "/secret" if address.secret.startswith(".") else "/url"
    assert [pointer for pointer, _ in refused.value.wrong] == [expected]
