"""Between an incident and a call everything may fail: no call is lost, none is made twice, each is to be seen."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import web
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.handlers import Message as Keeping

from deploy.local.server import free_port
from libs.events.adapters import open_bus
from libs.events.bus import Bus
from libs.events.clock import SystemClock
from libs.events.envelope import Context, Metadata
from libs.events.ids import new_id
from libs.events.rebuild import rebuilding
from libs.events.testing import FrozenClock
from services.cli.wiring import settings_of
from services.incidents.config import IncidentsSettings
from services.incidents.domain.channel.events import ChannelKind
from services.incidents.domain.notification.events import Message
from services.incidents.paging.delivering import Messenger
from services.incidents.paging.links import Signing
from services.incidents.paging.taking import send
from services.incidents.projections import PROJECTIONS
from tests.fixtures.paging import (
    ANA_THEN_BO,
    Receiver,
    Taken,
    calling,
    declared,
    escalation,
    notifications,
    written,
)
from tests.fixtures.services import Database, Running, eventually, memory_is_enough, running

if TYPE_CHECKING:
    from libs.web.outbound import Outbound

ROOT = Path(__file__).parents[2]
CALL_ANA = [{"targets": [{"kind": "person", "name": "ana"}], "delay": "P1D"}]


def told(receiver: Receiver) -> Counter[str]:
    """How often each message arrived."""
    return Counter(each.id for each in receiver.taken)


class Killed:
    """Incidents in a process that is killed like by a power cut."""

    def __init__(self, data_dir: Path, *, ahead_s: float = 0, mode: str = "whole") -> None:
        command = [sys.executable, str(ROOT / "tests/faults/paging_process.py"), str(data_dir), str(ahead_s), mode]
        self._process = subprocess.Popen(  # noqa: S603  our own command
            command, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": ""}, stdout=subprocess.PIPE, text=True
        )

    async def says(self, word: str) -> None:
        """Wait until it has said *word*."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            line = await asyncio.to_thread(self._process.stdout.readline)
        assert line.strip() == word

    def kill(self) -> None:
        """Take it away."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


async def _set_up(data_dir: Path, receiver: Receiver, steps: Any = CALL_ANA) -> None:
    clock = SystemClock()
    async with (
        open_bus(settings_of("incidents", database_url="sqlite:", data_dir=data_dir), clock) as bus,
        calling(Database("sqlite:", data_dir), bus, clock, receiver) as incidents,
    ):
        await written(incidents, steps=steps)


async def test_killed_between_the_decision_and_the_call_the_next_makes_it_once_and_takes_each_step_in_its_time(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    await _set_up(tmp_path, receiver, steps=ANA_THEN_BO)
    deaf = Killed(tmp_path, mode="deaf")
    try:
        await deaf.says("ready")
        await deaf.says("decided")
    finally:
        deaf.kill()
    assert receiver.taken == []

    clock = FrozenClock(SystemClock().now())
    async with running("incidents", Database("sqlite:", tmp_path), clock=clock, outbound_private=True) as incidents:
        await notifications(incidents, 1, incident="INC-1")
        for minutes, wanted in ((5, 2), (10, 4)):
            clock.advance(timedelta(minutes=minutes))
            sent = await notifications(incidents, wanted, incident="INC-1")

    counted = told(receiver)
    with capsys.disabled():
        sys.stdout.write(f"\n  4 decided, {len(counted)} sent, {counted.total() - len(counted)} doubled\n")
    assert [(each["kind"], each["person"], each["state"], counted[each["id"]]) for each in sent] == [
        ("page", "ana", "delivered", 1),
        ("page", "bo", "delivered", 1),
        ("exhausted", "ana", "delivered", 1),
        ("exhausted", "bo", "delivered", 1),
    ]


async def test_killed_while_the_answer_is_on_its_way_it_sends_again_under_the_same_id(
    tmp_path: Path, receiver: Receiver
) -> None:
    await _set_up(tmp_path, receiver)
    first = asyncio.Event()

    async def never(_: Taken) -> web.StreamResponse:
        first.set()
        await asyncio.Event().wait()
        raise AssertionError

    receiver.answer = never
    deaf = Killed(tmp_path, mode="deaf")
    await deaf.says("ready")
    await deaf.says("decided")
    deaf.kill()
    whole = Killed(tmp_path)
    try:
        await asyncio.wait_for(first.wait(), 60)
    finally:
        whole.kill()
    receiver.answer = None

    later = Killed(tmp_path, ahead_s=60)  # so that the open attempt counts as lost at once
    try:

        async def again() -> bool:
            return len(receiver.taken) > 1

        await eventually(again)
    finally:
        later.kill()

    assert set(told(receiver).values()) == {2}, "the same id, so that its receiver knows it"


@pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_of_two_workers_one_calls(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        calling(database, bus, clock, receiver) as incidents,
        running("incidents", database, bus=bus, clock=clock, outbound_private=True),
    ):
        await written(incidents, steps=CALL_ANA)
        await asyncio.gather(*(declared(incidents) for _ in range(20)))
        sent = await notifications(incidents, 20)

    counted = told(receiver)
    with capsys.disabled():
        sys.stdout.write(f"\n  20 incidents, {len(counted)} called, {counted.total() - len(counted)} doubled\n")
    assert {each["state"] for each in sent} == {"delivered"}
    assert (len(counted), counted.total()) == (20, 20)


@memory_is_enough
async def test_an_hour_without_an_e_mail_server_loses_nothing_and_sends_nothing_twice(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver
) -> None:
    port = free_port()
    mail: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_tls": "none",
        "smtp_from": "c@example.com",
    }
    async with calling(database, bus, clock, receiver, **mail) as incidents:
        contact = {"contact": {"email": "ana@example.com", "webhook": None}}
        await incidents.call("PATCH", "/v1/people/ana", contact, if_match='"1"')
        await written(incidents, steps=CALL_ANA)

        async def by_mail() -> bool:
            tried = await incidents.call("POST", "/v1/escalation-policies:dry-run", {"service": "cart-api"})
            return bool(tried["calls"]) and tried["calls"][0]["channels"] == ["email"]

        await eventually(by_mail)
        await declared(incidents)
        await _attempts(incidents, 1)
        while clock.now() < FrozenClock().now() + timedelta(hours=1):
            before = len((await _log(incidents))["attempts"])
            clock.advance(timedelta(minutes=5))
            await _attempts(incidents, before + 1)
        async with _mail_server(port) as inbox:
            clock.advance(timedelta(minutes=5))
            (sent,) = await notifications(incidents, 1, incident="INC-1")

    assert sent["state"] == "delivered"
    assert [each["outcome"] for each in sent["attempts"]] == ["retry"] * (len(sent["attempts"]) - 1) + ["delivered"]
    (message,) = inbox
    assert (message["To"], message["Subject"]) == ("ana@example.com", "INC-1 sev3 cart-api: Carts fail")
    assert message["Message-ID"] == f"<{sent['id']}@example.com>"
    assert "/v1/acknowledgements/" in message.get_payload()


async def _log(incidents: Running) -> Any:
    answer = await incidents.client.get("/v1/notifications", params={"incident": "INC-1"})
    items = answer.json()["items"]
    return items[0] if items else {"attempts": []}


async def _attempts(incidents: Running, wanted: int) -> None:
    async def made() -> bool:
        attempts = (await _log(incidents))["attempts"]
        return len(attempts) >= wanted and attempts[-1]["outcome"] != "unknown"

    await eventually(made)


class _Inbox(Keeping):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.messages.append(message)


@asynccontextmanager
async def _mail_server(port: int) -> AsyncGenerator[list[Any]]:
    inbox = _Inbox()
    controller = UnthreadedController(inbox, "127.0.0.1", port, loop=asyncio.get_running_loop())
    server = await controller._create_server()
    try:
        yield inbox.messages
    finally:
        server.close()
        await server.wait_closed()


class _NoWebhook:
    """No HTTP goes out here, and whoever tries finds it broken."""

    async def post(self, url: str, *_: object) -> None:
        raise KeyError(url)


def _messenger(port: int, timeout_s: float = 10) -> Messenger:
    settings = IncidentsSettings(
        smtp_host="127.0.0.1", smtp_port=port, smtp_tls="none", smtp_from="c@example.com", outbound_timeout_s=timeout_s
    )
    return Messenger(settings, cast("Outbound", _NoWebhook()), Signing(b"key"))


def _said(channel: ChannelKind, subject: str = "s") -> Message:
    return Message(kind="page", channel=channel, person="ana", urgency="high", subject=subject, text="t")


async def test_an_alert_of_several_lines_is_a_subject_of_one() -> None:
    port = free_port()
    async with _mail_server(port) as inbox:
        said = _said("email", "INC-1: Carts\r\nBcc: all@example.com\u2028fail")
        answer = await _messenger(port).deliver("n", said, "ana@example.com", SystemClock().now(), ("",))
    assert (answer.said, answer.detail) == ("delivered", "")
    (message,) = inbox
    assert (message["Subject"], message["Bcc"]) == ("INC-1: Carts Bcc: all@example.com fail", None)


async def test_an_e_mail_server_has_one_time_for_all_of_its_answers() -> None:
    gone = asyncio.Event()

    async def tarpit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while await reader.readline():
            await asyncio.sleep(0.3)  # in time, each of them
            writer.write(b"250 go on\r\n")
        writer.close()
        gone.set()

    server = await asyncio.start_server(tarpit, "127.0.0.1", 0)
    async with server:
        messenger = _messenger(server.sockets[0].getsockname()[1], timeout_s=0.5)
        answer = await messenger.deliver("n", _said("email"), "ana@example.com", SystemClock().now(), ("",))
        await asyncio.wait_for(gone.wait(), 10)
    assert (answer.said, "cannot be reached" in answer.detail) == ("failed", True)


async def test_what_nobody_foresaw_is_an_answer_too(caplog: pytest.LogCaptureFixture) -> None:
    answer = await _messenger(9).deliver("n", _said("webhook"), "http://a.example", SystemClock().now(), ("",))
    assert (answer.said, answer.detail) == ("failed", "it could not be handed over: KeyError")
    assert "nobody foresaw" in caplog.text


@memory_is_enough
async def test_slow_and_failing_webhooks_are_tried_again_and_the_next_step_does_not_wait_for_them(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver
) -> None:
    tries, over = Counter[str](), asyncio.Event()

    async def answer(taken: Taken) -> web.StreamResponse:
        tries[taken.path] += 1
        if taken.path == "/ana" and tries["/ana"] == 1:
            await over.wait()  # slower than it may be
        return web.Response(status=500 if taken.path == "/ana" and tries["/ana"] <= 3 else 200)

    receiver.answer = answer
    async with calling(database, bus, clock, receiver, outbound_timeout_s=2) as incidents:
        await written(incidents)
        await declared(incidents)
        for made, pause in ((1, 5), (2, 10)):
            await _attempts_of(incidents, "ana", made)
            clock.advance(timedelta(seconds=pause))
        await _attempts_of(incidents, "ana", 3)
        assert (await _sent_to(incidents, "bo"))["state"] == "delivered"  # 15 s later, and not after five minutes
        clock.advance(timedelta(seconds=20))
        sent = await notifications(incidents, 2, incident="INC-1")
    over.set()

    assert {each["person"]: each["state"] for each in sent} == {"ana": "delivered", "bo": "delivered"}
    assert [each["outcome"] for each in sent[0]["attempts"]] == ["retry", "retry", "retry", "delivered"]
    assert [each["status"] for each in sent[0]["attempts"]] == [None, 500, 500, 200]
    assert len(told(receiver)) == 2


@memory_is_enough
async def test_a_call_waits_for_no_slow_reminder_and_for_no_other_channel(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver
) -> None:
    stuck, over = list[str](), asyncio.Event()

    async def answer(taken: Taken) -> web.StreamResponse:
        if taken.path == "/slack" or b"reminder" in taken.body:
            stuck.append(taken.path)
            await over.wait()
        return web.Response()

    receiver.answer = answer
    async with calling(database, bus, clock, receiver, outbound_timeout_s=30) as incidents:
        contact = {"contact": {"webhook": f"{receiver.url}/ana", "slack": f"{receiver.url}/slack"}}
        await incidents.call("PATCH", "/v1/people/ana", contact, if_match='"1"')
        await written(incidents)
        words = {"person": "ana", "subject": "x", "text": "x"}
        slow = (
            Message(kind="reminder", channel="webhook", urgency="low", **words),
            Message(kind="unassigned", channel="slack", urgency="high", **words),
        )
        context = Context.of_request(clock.now(), Metadata("sre"))
        for message in slow:
            await send(incidents.resources, {str(new_id()): message for _ in range(40)}, context)

        async def both_ways() -> bool:
            return set(stuck) == {"/ana", "/slack"}

        await eventually(both_ways)
        await declared(incidents)

        async def called() -> bool:
            return any(b'"incident.page"' in each.body for each in receiver.by("ana"))

        await eventually(called)
        over.set()


async def _sent_to(incidents: Running, person: str) -> Any:
    async def found() -> Any:
        answer = await incidents.client.get("/v1/notifications", params={"person": person, "state": "delivered"})
        return answer.json()["items"]

    return (await eventually(found))[0]


async def _attempts_of(incidents: Running, person: str, wanted: int) -> None:
    async def made() -> bool:
        answer = await incidents.client.get("/v1/notifications", params={"person": person})
        items = answer.json()["items"]
        attempts = items[-1]["attempts"] if items else []
        return len(attempts) >= wanted and attempts[wanted - 1]["outcome"] != "unknown"

    await eventually(made)


@memory_is_enough
async def test_nothing_is_sent_inside_and_redirects_are_not_followed(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver
) -> None:
    async def elsewhere(taken: Taken) -> web.StreamResponse:
        if taken.path == "/ana":
            return web.Response(status=307, headers={"location": f"{receiver.url}/inside"})
        return web.Response()

    receiver.answer = elsewhere
    async with calling(database, bus, clock, receiver) as incidents:
        await written(incidents)
        await declared(incidents)
        sent = await notifications(incidents, 2, incident="INC-1")
    assert [(each["person"], each["state"], each["status"]) for each in sent] == [
        ("ana", "failed", 307),
        ("bo", "delivered", 200),
    ]
    assert receiver.by("inside") == []


@memory_is_enough
async def test_a_webhook_inside_is_refused_where_that_is_not_allowed(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver
) -> None:
    receiver.url = receiver.url.replace("127.0.0.1", "localhost")  # a name is looked up when something is sent there
    async with calling(database, bus, clock, receiver, outbound_private=False) as incidents:
        await written(incidents, steps=CALL_ANA)
        await declared(incidents)
        (sent,) = await notifications(incidents, 1, incident="INC-1", person="ana")

    assert (sent["state"], receiver.taken) == ("failed", [])
    assert "private network" in sent["detail"]


@memory_is_enough
async def test_a_clock_set_back_an_hour_makes_nobody_wait_for_an_hour(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver
) -> None:
    async with calling(database, bus, clock, receiver) as incidents:
        await written(incidents)
        await declared(incidents)
        await escalation(incidents, "INC-1", due="2026-11-21T10:05:00Z")
        await notifications(incidents, 1, incident="INC-1")

        clock.advance(timedelta(hours=-1))
        await escalation(incidents, "INC-1", due="2026-11-21T09:05:00Z")
        clock.advance(timedelta(minutes=5))

        sent = await notifications(incidents, 2, incident="INC-1")
    assert [each["person"] for each in sent] == ["ana", "bo"]
    assert set(told(receiver).values()) == {1}


@memory_is_enough
async def test_a_rebuild_of_all_read_models_while_calls_wait_sends_nothing_and_loses_nothing(
    database: Database, bus: Bus, clock: FrozenClock, receiver: Receiver
) -> None:
    receiver.status = 500
    async with calling(database, bus, clock, receiver) as incidents:
        await written(incidents)
        await declared(incidents)
        await _attempts(incidents, 1)
        before = await escalation(incidents, "INC-1", state="climbing")

        async for _ in rebuilding(incidents.resources, *PROJECTIONS):
            pass

        assert len(receiver.taken) == 1
        assert await escalation(incidents, "INC-1") == before
        receiver.status = 200
        clock.advance(timedelta(seconds=5))
        await notifications(incidents, 1, incident="INC-1")
        clock.advance(timedelta(minutes=5))
        sent = await notifications(incidents, 2, incident="INC-1")

    assert [(each["person"], len(each["attempts"])) for each in sent] == [("ana", 2), ("bo", 1)]
    assert told(receiver) == {sent[0]["id"]: 2, sent[1]["id"]: 1}
