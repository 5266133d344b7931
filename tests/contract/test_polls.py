"""How far sources are read, with several processes that would read them."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from libs.events.applied import all_applied
from services.slo.polling.polls import Done, Poll, ask_backfill, due, read, save
from services.slo.projections.polled_slos import POLLED_SLOS
from services.slo.projections.slos import SLOS
from services.slo.prometheus import Fault, Progress
from tests.fixtures.services import DEADLINE_S, Database, eventually
from tests.fixtures.slo import NAME, NOW, Slo, polled, running_slo

END = int(NOW.timestamp()) // 60
NOBODY = {"name": "prometheus", "address": "http://127.0.0.1:9"}


@pytest.fixture
async def slo(database: Database) -> AsyncGenerator[Slo]:
    """The slo service, an SLO that is polled, and another process that polls its source."""
    async with running_slo(database, source_hosts="127.0.0.1") as service:
        assert await service.running.resources.store.acquire("source/prometheus", "another", NOW, 10)
        await service.call("POST", "/v1/sources", NOBODY, expect=201)
        await service.running.client.post("/v1/slos", json=polled())
        await all_applied(service.running.resources, SLOS, POLLED_SLOS, patience_s=DEADLINE_S)
        yield service


async def test_while_another_process_polls_a_source_this_one_does_not_and_then_takes_over(slo: Slo) -> None:
    async def asked() -> bool:
        return (await slo.call("GET", "/v1/sources/prometheus"))["last_asked_at"] is not None

    assert await slo.running.resources.store.acquire("source/prometheus", "third", NOW, 10) is None
    assert not await asked()
    slo.clock.advance(timedelta(seconds=11))  # the other was killed: its lease is over
    await eventually(asked)


def whole(first: int, end: int) -> Progress:
    """Nothing read yet."""
    return Progress(first, end, first)


async def test_progress_moves_only_from_where_it_stood(slo: Slo) -> None:
    views = slo.running.resources.views
    await views.write(ask_backfill, NAME, whole(END - 100, END))
    early = Poll(NAME, "backfill", {}, whole(END - 100, END))
    await views.write(save, [Done(early, Progress(END - 100, END, END - 60), None)])

    await views.write(save, [Done(early, Progress(END - 100, END, END - 90), None)])

    assert (await views.read(read, NAME))["backfill"] == (Progress(END - 100, END, END - 60), None)


async def test_what_was_read_of_a_range_that_another_replaced_moves_nothing(slo: Slo) -> None:
    views = slo.running.resources.views
    await views.write(ask_backfill, NAME, whole(END - 100, END))
    early = Poll(NAME, "backfill", {}, whole(END - 100, END))
    await views.write(ask_backfill, NAME, whole(END - 100, END - 50))
    await views.write(save, [Done(early, Progress(END - 100, END, END), None)])
    assert (await views.read(read, NAME))["backfill"] == (whole(END - 100, END - 50), None)


async def test_a_fault_is_kept_until_something_is_read(slo: Slo) -> None:
    views = slo.running.resources.views
    fault = Fault("query-many-series", "ratioMetric.good", "gave 2 series")
    await views.write(ask_backfill, NAME, whole(END - 100, END))
    poll = Poll(NAME, "backfill", {}, whole(END - 100, END))
    await views.write(save, [Done(poll, poll.progress, fault)])
    assert (await views.read(read, NAME))["backfill"] == (poll.progress, fault)
    await views.write(save, [Done(poll, Progress(END - 100, END, END), None)])
    assert (await views.read(read, NAME))["backfill"] == (Progress(END - 100, END, END), None)


async def test_live_comes_first_and_what_is_read_is_not_due(slo: Slo) -> None:
    views = slo.running.resources.views
    await views.write(ask_backfill, NAME, whole(END - 3000, END))
    polls = await views.read(due, "prometheus", END)
    assert [poll.kind for poll in polls] == ["live", "backfill"]
    await views.write(save, [Done(poll, Progress(poll.progress.first, END, END), None) for poll in polls])
    assert await views.read(due, "prometheus", END) == []
    assert next(iter(await views.read(due, "prometheus", END + 2))).progress.done == END
