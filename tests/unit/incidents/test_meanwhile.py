"""What changes between the moment that something is looked up and the one in which it is decided."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events import codec
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Context, Metadata, Recorded
from libs.events.ids import new_id
from libs.events.memory import MemoryStore
from libs.events.resources import Resources
from libs.events.store import Appended, AppendRequest, Timer
from libs.events.testing import FrozenClock
from libs.events.timers import timer_context
from libs.events.views import open_views
from services.incidents.config import IncidentsSettings, load_learning
from services.incidents.contract import ALERT, CONTRACT, DUTY, ESCALATION, INCIDENT, SILENCE
from services.incidents.domain.alert.commands import RaiseUrgency, Resolve, Trigger
from services.incidents.domain.escalation.climbing import Climbed
from services.incidents.domain.escalation.commands import Begin, Climb, Hold
from services.incidents.domain.escalation.events import Called, EscalationBegun
from services.incidents.domain.escalation_policy.steps import Step, Target
from services.incidents.domain.incident.commands import Absorb, Cancel, Declare, MergeInto, Split
from services.incidents.domain.incident.events import IncidentAlertJoined
from services.incidents.domain.postmortem_duty.commands import Require
from services.incidents.domain.silence.commands import End, Make
from services.incidents.domain.who_is_paged import Rung
from services.incidents.grouping import Grouping
from services.incidents.intake import alert_effects
from services.incidents.paging.alarm import Alarm
from services.incidents.paging.ladder import Paging
from services.incidents.paging.taking import Taken
from services.incidents.paging.waking import waking
from services.incidents.projections.alerts import ALERTS
from services.incidents.projections.silences import SILENCES, ActiveSilence
from services.incidents.reactions import moving, urgency
from services.incidents.reminding import learning_reactions

CLOCK = FrozenClock()
AT = CLOCK.now()
MINUTE = timedelta(minutes=1)
SETTINGS = IncidentsSettings(internal_key="k" * 48)
HIGH = Trigger("a1", "pd", "disk/db-1", "checkout-api", "high", "the disk is full", CLOCK.now())
WHY: dict[str, Any] = {"by": "ana", "reason": "because", "at": CLOCK.now()}
SILENCED_UNTIL = CLOCK.now() + timedelta(hours=1)
PLAN = tuple(Rung("dev", "checkout", number, Step((Target("person", "ana"),), 5 * MINUTE)) for number in (1, 2, 3))
BEGUN = EscalationBegun(
    incident="1",
    number="INC-1",
    service="checkout-api",
    severity="sev2",
    title="x",
    phase="general_availability",
    team="checkout",
    quiet=False,
    why="because",
    plan=PLAN,
    rounds=1,
    acknowledgement_timeout=30 * MINUTE,
    at=AT,
)


class InterruptedStore(MemoryStore):
    """Lets something happen, once, between what was decided and its being stored."""

    def __init__(self) -> None:
        super().__init__(CLOCK)
        self._timer, self._meanwhile = "", _nothing

    def before(self, timer: str, meanwhile: Callable[[], Awaitable[object]]) -> None:
        """Let *meanwhile* happen before the next transaction that sets *timer* is stored."""
        self._timer, self._meanwhile = timer, meanwhile

    async def append(self, request: AppendRequest, *, deadline_s: float = 5.0) -> Appended:
        if self._timer in [each.key for each in request.schedule]:
            meanwhile, self._meanwhile, self._timer = self._meanwhile, _nothing, ""
            await meanwhile()
        return await super().append(request, deadline_s=deadline_s)


async def _nothing() -> None:
    """Nothing happens meanwhile."""


@pytest.fixture
def store() -> InterruptedStore:
    return InterruptedStore()


@pytest.fixture
async def resources(store: InterruptedStore) -> AsyncGenerator[Resources]:
    async with open_views("memory:") as views:
        await views.start([ALERTS, SILENCES])
        yield Resources("incidents", CONTRACT, store, views, EmbeddedLog(None, CLOCK), CLOCK)


def always(answer: object) -> Callable[..., object]:
    """What *answer*s whatever it is asked."""

    def answered(*_: object) -> object:
        return answer

    return answered


async def do(resources: Resources, decider: Any, key: str, command: Any, **more: Any) -> Any:
    context = Context.of_request(CLOCK.now(), Metadata("ana"))
    return (await resources.handler.handle(decider, key, command, context, **more)).state


async def state(resources: Resources, decider: Any, key: str) -> Any:
    return (await resources.handler.load(decider, key)).state


def grouping(resources: Resources) -> Grouping:
    return Grouping(resources, SETTINGS, Alarm(resources, SETTINGS))


async def heard(resources: Resources, after: int = 0) -> list[tuple[Any, Recorded]]:
    [reaction] = grouping(resources).reactions
    return reaction.heard(await resources.store.read(after, 1000))


async def incidents(resources: Resources) -> list[Any]:
    recorded = await resources.store.read(0, 1000)
    keys = dict.fromkeys(each.key for each in recorded if each.category == INCIDENT.category)
    return [await state(resources, INCIDENT, key) for key in keys]


async def declare(resources: Resources, incident: str, *alerts: str, **more: Any) -> None:
    for alert in alerts:
        await do(resources, ALERT, alert, replace(HIGH, alert=alert, dedup_key=alert), effects=alert_effects)
    number = f"INC-{incident}"
    fields: dict[str, Any] = {"service": "checkout-api", "title": "x", "severity": "sev2", "firing": alerts} | more
    await do(resources, INCIDENT, incident, Declare(**WHY, incident=incident, number=number, alerts=alerts, **fields))


async def merge(resources: Resources, incident: str, into: str) -> Recorded:
    """What is told of it."""
    record = (await state(resources, INCIDENT, incident)).record
    absorb = Absorb(
        **WHY,
        other=incident,
        other_number=record.number,
        impact_started=CLOCK.now(),
        detected=CLOCK.now(),
        alerts=record.alerts,
        firing=record.firing,
    )
    await do(resources, INCIDENT, into, absorb)
    await do(resources, INCIDENT, incident, MergeInto(**WHY, into=into, into_number=f"INC-{into}"))
    return (await resources.store.load(INCIDENT.stream(incident)))[-1]


async def moved(resources: Resources, recorded: Recorded) -> None:
    reaction = moving(resources)
    event = CONTRACT.decode(recorded)
    await reaction.act[type(event)](event, recorded, Context.of_reaction(recorded, reaction.name, CLOCK.now()))


async def test_an_alert_that_two_processes_hear_of_at_once_opens_one_incident(
    resources: Resources, store: InterruptedStore
) -> None:
    await do(resources, ALERT, "a1", HIGH, effects=alert_effects)
    triggered = await heard(resources)
    one, two = grouping(resources), grouping(resources)
    holds = store.holder

    async def late(scope: str, key: str) -> str | None:
        store.holder = holds  # type: ignore[method-assign]
        await two.hear(triggered)
        return await holds(scope, key)

    store.holder = late  # type: ignore[method-assign]  # asked for a number, after the alert was looked up
    await one.hear(triggered)

    [declared] = await incidents(resources)
    assert (await state(resources, ALERT, "a1")).opened.incident == declared.record.incident


async def test_a_silence_that_is_ended_while_it_is_to_hold_an_alert_holds_nothing(
    resources: Resources, store: InterruptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Make(**WHY, silence="s1", matchers=("integration=pd",), since=CLOCK.now(), until=SILENCED_UNTIL)
    await do(resources, SILENCE, "s1", make)
    known = [ActiveSilence("s1", ("integration=pd",), SILENCED_UNTIL, "ana", "because")]
    monkeypatch.setattr("services.incidents.quiet.active_silences", always(known))  # it knows of no end
    await do(resources, ALERT, "a1", HIGH, effects=alert_effects)
    triggered = [each for each in await heard(resources) if each[1].category == ALERT.category]
    store.before("alert-grouping/a1", lambda: do(resources, SILENCE, "s1", End(by="ana", at=CLOCK.now())))

    await grouping(resources).hear(triggered)

    [declared] = await incidents(resources)
    assert declared.record.firing == ("a1",)
    assert (await state(resources, ALERT, "a1")).silenced is None


async def test_alerts_go_where_their_incident_is_by_now_in_whatever_order_that_is_heard(resources: Resources) -> None:
    await declare(resources, "1", "a1")
    await declare(resources, "2")
    await declare(resources, "3")
    first = await merge(resources, "1", into="2")
    second = await merge(resources, "2", into="3")
    await do(resources, ALERT, "a1", Resolve(**WHY), effects=alert_effects)

    await moved(resources, second)
    await moved(resources, first)

    assert (await state(resources, ALERT, "a1")).opened.incident == "3"
    assert (await state(resources, INCIDENT, "3")).record.firing == ()


async def test_an_alert_that_was_split_off_is_not_taken_back_by_an_older_merge(resources: Resources) -> None:
    await declare(resources, "1", "a1", "a2")
    await declare(resources, "2")
    merged = await merge(resources, "1", into="2")
    await do(resources, INCIDENT, "2", Split(**WHY, into="3", into_number="INC-3", alerts=("a1",)))
    await declare(resources, "3", "a1", split_from="2")
    split = (await resources.store.load(INCIDENT.stream("2")))[-1]

    await moved(resources, split)
    await moved(resources, merged)

    assert [(await state(resources, ALERT, alert)).opened.incident for alert in ("a1", "a2")] == ["3", "2"]


async def test_a_ticket_that_another_incident_took_meanwhile_belongs_to_that_one_only(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await do(resources, ALERT, "low", replace(HIGH, alert="low", urgency="low", group="g"), effects=alert_effects)
    monkeypatch.setattr("services.incidents.reactions.queued", always(["low"]))  # it does not know yet

    async def shown(*_: object) -> None:
        """Nobody waits here."""

    monkeypatch.setattr("services.incidents.reactions.applied", shown)
    await do(resources, ALERT, "low", RaiseUrgency(**WHY, incident="1"))
    await declare(resources, "2", group="g")
    names: dict[str, Any] = {"incident": "2", "number": "INC-2", "service": "checkout-api", "severity": "sev2"}
    joined = IncidentAlertJoined(**names, by="pd", at=CLOCK.now(), alert="a9", summary="x")
    now = CLOCK.now()
    recorded = Recorded(1, "incident/2", 2, "", new_id(), now, now, b"{}", codec.encode(Metadata("pd")))
    reaction = urgency(resources)

    await reaction.act[IncidentAlertJoined](joined, recorded, Context.of_reaction(recorded, reaction.name, now))

    assert (await state(resources, INCIDENT, "2")).record.alerts == ()


def step(number: int, due: int, *, waits: bool = False) -> Climb:
    """That step of the plan, after which it goes on *due* minutes from now; or stays while it *waits*."""
    people = () if waits else (Called(page=f"p{number}", person="ana", side="dev", policy="checkout", step=number),)
    then = {"next_round": 1, "next_step": number if waits else number + 1, "due": AT + due * MINUTE}
    return Climb(climbed=Climbed(round=1, step=number, people=people, **then), cause="time", notifications={}, at=AT)


async def fire(resources: Resources, after: int) -> None:
    """The timer of the escalation, *after* some minutes."""
    at = AT + after * MINUTE
    paging = Paging(resources, SETTINGS, Alarm(resources, SETTINGS))
    context = Context.of_request(at, Metadata("timer"))
    await paging.timers["escalation"](Timer("escalation/1", at, "escalation"), context)


async def test_a_step_that_was_taken_meanwhile_is_not_followed_by_the_next_before_its_time(
    resources: Resources, store: InterruptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await do(resources, ESCALATION, "1", Begin(begun=BEGUN, first=step(1, due=5)), effects=waking)

    def take(*asked: Any) -> Taken:
        _, _, (_, number), *_ = asked
        return Taken(step(number, due=10), {})

    monkeypatch.setattr("services.incidents.paging.ladder.take", take)
    store.before("escalation/1", lambda: do(resources, ESCALATION, "1", step(2, due=10), effects=waking))

    await fire(resources, after=5)

    assert [call.page for call in (await state(resources, ESCALATION, "1")).record.called] == ["p1", "p2"]


async def test_a_step_that_was_taken_before_the_acknowledgement_was_heard_of_is_taken_anew_when_that_is_forgotten(
    resources: Resources, store: InterruptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(*asked: Any) -> Taken:
        _, _, (_, number), *_ = asked
        return Taken(step(number, due=60), {})

    monkeypatch.setattr("services.incidents.paging.ladder.take", take)
    fires = Paging(resources, SETTINGS, Alarm(resources, SETTINGS)).timers["escalation"]
    await do(resources, ESCALATION, "1", Begin(begun=BEGUN, first=step(1, due=30)), effects=waking)

    for _ in range(2):
        (same,) = await store.due(AT + 30 * MINUTE, 10)
        await fires(same, timer_context(same, AT + 30 * MINUTE))
        await do(resources, ESCALATION, "1", Hold(by="ana", at=AT), effects=waking)  # as long ago as the step was due

    assert [call.page for call in (await state(resources, ESCALATION, "1")).record.called] == ["p1", "p2", "p1"]


async def test_who_took_it_on_while_it_waited_for_somebody_on_call_is_reminded_after_the_timeout(
    resources: Resources, store: InterruptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await do(resources, ESCALATION, "1", Begin(begun=BEGUN, first=step(1, due=1, waits=True)), effects=waking)
    monkeypatch.setattr("services.incidents.paging.ladder.take", always(Taken(step(1, due=2, waits=True), {})))
    store.before("escalation/1", lambda: do(resources, ESCALATION, "1", Hold(by="ana", at=AT), effects=waking))

    await fire(resources, after=1)

    assert [timer.due_at for timer in await store.due(AT + timedelta(days=1), 10)] == [AT + 30 * MINUTE]


async def test_what_was_published_meanwhile_is_not_excused_and_no_dead_letter(resources: Resources) -> None:
    await declare(resources, "1")
    await do(resources, INCIDENT, "1", Cancel(**WHY))
    cancelled = (await resources.store.load(INCIDENT.stream("1")))[-1]
    policy = load_learning(SETTINGS.learning_policy)
    asked: dict[str, Any] = {"incident": "1", "number": "INC-1", "service": "checkout-api", "why": "on_request"}
    require = Require(**WHY, **asked, policy=policy, drafted=True, published=True)
    await do(resources, DUTY, "1", require)

    reaction = learning_reactions(resources, policy)[0]
    event = CONTRACT.decode(cancelled)
    await reaction.act[type(event)](event, cancelled, Context.of_reaction(cancelled, reaction.name, AT))

    assert (await state(resources, DUTY, "1")).state == "met"
