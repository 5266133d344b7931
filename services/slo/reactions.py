"""What is said on the bus, and what an error-budget policy does about it.

Own events are heard too: where a service stands follows from what was said of its budgets. Reactions run once per
event, in no rebuild; ids of what they store follow from the event (or timer) and the version of the policy that was
looked at, so that acting again changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, select

from libs.events import codec
from libs.events.applied import applied
from libs.events.envelope import Context, Recorded
from libs.events.errors import ConflictError, StoreUnavailableError
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.slo.contract import AGREEMENT, CONTRACT, POLICY
from services.slo.domain.adjustments import clipped, merged
from services.slo.domain.agreement.commands import Expire
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.policy.commands import (
    Attribute,
    ClassSpending,
    Command,
    Fulfil,
    IncidentSpending,
    Observe,
    Remind,
)
from services.slo.domain.policy.events import (
    DisagreementSettled,
    ExemptionGranted,
    ExemptionRevoked,
    PolicySigned,
    PolicyWritten,
)
from services.slo.domain.policy.obligations import name_of, quarters
from services.slo.domain.policy.state import InForce, owed
from services.slo.domain.slo.events import SloDefined, SloEnded
from services.slo.domain.windows import minute_at
from services.slo.evaluation import spent_by_parts
from services.slo.measurements.book import Promised
from services.slo.projections.causes import IMPACTS, INCIDENTS, Happened, affected_by, incident_felt, incidents_of
from services.slo.projections.lessons import EVENTS as LESSONS_EVENTS
from services.slo.projections.lessons import LESSONS, ActionOpened, PostmortemPublished, learned_from
from services.slo.projections.slos import SLOS, budgets_of

OBSERVING: Final = "slo.error-budget-policy"  # never change: ids of events follow from them
INCIDENTS_HEARD: Final = "slo.incidents"
_INCIDENTS: Final = "incidents"
_TRIES = 8
_AS_IT_IS: Final = Fraction(1)
_MINUTES_KEPT: Final = timedelta(days=4)  # at the least; see CONCORDAT_MINUTES_KEPT_D
_EPOCH, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)

_Own = (
    BudgetAssessed
    | SloDefined
    | SloEnded
    | PolicyWritten
    | PolicySigned
    | ExemptionGranted
    | ExemptionRevoked
    | DisagreementSettled
)
_OWN: Final[Sequence[type[_Own]]] = (
    BudgetAssessed,
    SloDefined,
    SloEnded,
    PolicyWritten,
    PolicySigned,
    ExemptionGranted,
    ExemptionRevoked,
    DisagreementSettled,
)


@dataclass(frozen=True, slots=True)
class IncidentOver:
    """What is read when users feel an incident no more."""

    incident: str
    service: str


@dataclass(frozen=True, slots=True)
class IncidentUnderstood(IncidentOver):
    """What is read when somebody says of what class of outage an incident was, or when it really began or ended."""


class _Due(msgspec.Struct, frozen=True):
    service: str
    kind: Literal["exemption-expires", "follow-up", "revisit"] = "exemption-expires"
    key: str = ""


class _Lapsed(msgspec.Struct, frozen=True):
    slo: str
    proposal: str


_DUE: Final = codec.decoder(_Due)
_LAPSED: Final = codec.decoder(_Lapsed)


def observing(resources: Resources) -> Reaction:
    """Budgets, SLOs or the policy changed: see where the service stands now."""

    async def act(event: _Own, recorded: Recorded, context: Context) -> None:
        for service in await _concerned(resources, event, recorded):
            if (await resources.handler.load(POLICY, service)).state is not None:
                await applied(resources, SLOS, recorded, resources.service)
                await observe(resources, service, context)

    return Reaction(name=OBSERVING, source="slo", events=CONTRACT, act=dict.fromkeys(_OWN, act))


def incidents(resources: Resources) -> Reaction:
    """An incident spent budget, or was learned from.

    A large one makes a postmortem due, which fulfils that; one class of outage, an item in the quarterly plan.
    """

    async def act(
        event: IncidentOver | PostmortemPublished | ActionOpened, recorded: Recorded, context: Context
    ) -> None:
        for shown in (INCIDENTS, IMPACTS, LESSONS):
            if recorded.type in shown.events:
                await applied(resources, shown, recorded, _INCIDENTS)
        elsewhere = await resources.views.read(affected_by, event.incident)
        for service in (event.service, *elsewhere):
            if isinstance((await resources.handler.load(POLICY, service)).state, InForce):
                about = context if service == event.service else context.part(service)
                await _attribute(resources, service, event.incident, about)
                await _fulfil(resources, service, event.incident, about)

    events = {
        "io.concordat.incidents.incident.mitigated.v1": IncidentOver,
        "io.concordat.incidents.incident.resolved.v1": IncidentOver,
        "io.concordat.incidents.incident.classified.v1": IncidentUnderstood,
        "io.concordat.incidents.incident.milestone-corrected.v1": IncidentUnderstood,
        "io.concordat.incidents.incident.impact-changed.v1": IncidentUnderstood,
    }
    act_on: tuple[type, ...] = (IncidentOver, IncidentUnderstood, PostmortemPublished, ActionOpened)
    return Reaction(
        name=INCIDENTS_HEARD,
        source=_INCIDENTS,
        events=EventRegistry(events | LESSONS_EVENTS),
        act=dict.fromkeys(act_on, act),
    )


def timers(resources: Resources) -> Mapping[str, Fire]:
    """An exemption expires: see where the service stands then. Something is due: remind of it. A proposal lapses."""

    async def expire(timer: Timer, context: Context) -> None:
        lapsed = _LAPSED.decode(timer.payload)
        command = Expire(slo=lapsed.slo, proposal=lapsed.proposal, at=context.at)
        await resources.handler.handle(AGREEMENT, lapsed.slo, command, context)

    async def fire(timer: Timer, context: Context) -> None:
        due = _DUE.decode(timer.payload)
        if due.kind == "exemption-expires":
            await observe(resources, due.service, context)
        else:
            command = Remind(service=due.service, kind=due.kind, key=due.key, at=context.at)
            await resources.handler.handle(POLICY, due.service, command, context)

    return {POLICY.category: fire, AGREEMENT.category: expire}


async def observe(resources: Resources, service: str, context: Context) -> None:
    """Say where *service* stands, from the newest budgets of all its SLOs.

    Budgets are read after the policy that they are judged by, and what was said moves the policy on. So whoever read
    older ones loses the race and looks again, and the last to say something has seen everything.

    Raises:
        StoreUnavailableError: Others kept winning the race.
    """
    for _ in range(_TRIES):
        loaded = await resources.handler.load(POLICY, service)
        if loaded.state is None:
            return
        budgets = await resources.views.read(budgets_of, service)
        at = max(context.at, loaded.state.record.since)  # what expired for one clock has expired for all
        command = Observe(service=service, budgets=budgets, at=at)
        try:
            if not await _handle(resources, service, command, context, loaded.version):
                return
        except ConflictError:
            continue
    message = f"others keep changing the error-budget policy of {service}"
    raise StoreUnavailableError(message)


async def _concerned(resources: Resources, event: _Own, recorded: Recorded) -> list[str]:
    """The service that *event* is about, and the one whose SLO it was until then."""
    if not isinstance(event, SloDefined) or event.revision == 1:
        return [event.service]
    before = [each for each in await resources.store.load(recorded.stream) if each.version == recorded.version - 1]
    was: list[SloDefined | SloEnded] = [resources.registry.decode(each) for each in before]
    return list(dict.fromkeys((event.service, *(each.service for each in was))))


async def _attribute(resources: Resources, service: str, incident: str, context: Context) -> None:
    """See whether *incident*, or its class of outage, spent so much that something is due."""
    policy = (await resources.handler.load(POLICY, service)).state
    found = await resources.views.read(incident_felt, incident, service)
    if found is not None and isinstance(policy, InForce):
        days, at = policy.edition.document.incident_window_days.days, context.at
        shares = await resources.views.read_long(_spent_by_incident, service, found, at, days)
        classes = await resources.views.read_long(_spent_by_class, service, found, at)
        command = Attribute(service=service, incidents=tuple(shares), classes=tuple(classes), at=at)
        await _handle(resources, service, command, context)


async def _fulfil(resources: Resources, service: str, incident: str, context: Context) -> None:
    """See whether the postmortem that *incident* made due is there."""
    policy = (await resources.handler.load(POLICY, service)).state
    obligation = f"postmortem:{incident}"
    learned = await resources.views.read(learned_from, incident)
    if learned is None or not learned["postmortem"] or not learned["p0_action"]:
        return
    if any(each.obligation == obligation for each in owed(policy)):
        command = Fulfil(
            service=service,
            obligation=obligation,
            evidence=f"postmortem {learned['postmortem']} with P0 action {learned['p0_action']}",
            reason="",
            by=INCIDENTS_HEARD,
            at=context.at,
        )
        await _handle(resources, service, command, context)


def _spent_by_incident(
    connection: Connection, service: str, incident: Happened, at: datetime, window: timedelta
) -> list[IncidentSpending]:
    """What *incident* spent of the budget that each SLO of *service* has for the *window* up to the incident's end."""
    felt = _minutes(incident.since, incident.until or at)
    shares = _shares(connection, service, [felt], range(felt.stop - window // _MINUTE, felt.stop), at)
    number = incident.title.partition(" ")[0]
    return [IncidentSpending(incident.id, slo, share, number) for slo, share in shares]


def _spent_by_class(connection: Connection, service: str, incident: Happened, at: datetime) -> list[ClassSpending]:
    """What outages of the class of *incident* spent of each quarter's budget that it touched.

    A quarter that has not ended has the budget that it will have if traffic goes on as until now.
    """
    if not incident.outage_class:
        return []
    spendings: list[ClassSpending] = []
    for quarter in quarters(incident.since, max(incident.until or at, incident.since + _MINUTE)):
        outages = incidents_of(connection, service, quarter, incident.outage_class)
        whole = quarter.minutes
        passed = range(whole.start, min(whole.stop, minute_at(at)))
        felt = merged(clipped((_minutes(each.since, each.until or at) for each in outages), passed))
        shares = _shares(connection, service, felt, passed, at, Fraction(len(whole), max(len(passed), 1)))
        spendings += [ClassSpending(incident.outage_class, name_of(quarter), slo, share) for slo, share in shares]
    return spendings


def _shares(
    connection: Connection,
    service: str,
    felt: Sequence[range],
    whole: range,
    at: datetime,
    growth: Fraction = _AS_IT_IS,
) -> Iterator[tuple[str, float]]:
    """What the minutes *felt* spent of the budget that each SLO of *service* has for *whole*, times *growth*."""
    rows = select(SLOS.view).where(SLOS.view.c.service == service, SLOS.view.c.ended_at.is_(None))
    old = minute_at(at - _MINUTES_KEPT)
    for promised in map(Promised.of, connection.execute(rows).mappings().all()):
        parts = spent_by_parts(connection, promised, (*felt, *map(_hours, felt)), whole)
        target, lost = promised.terms.target, Fraction()
        for during, worth in parts:
            by_minute, by_hour = during[: len(felt)], during[len(felt) :]
            lost += worth * sum(
                (exact if exact.observed or minutes.stop > old else rough).bad
                for minutes, exact, rough in zip(felt, by_minute, by_hour, strict=True)
            )
        if parts:
            yield promised.slo, float(lost * target.q / (target.budget * growth))


def _hours(minutes: range) -> range:
    """The whole hours that *minutes* touch: what is left of them when minutes are not kept any more."""
    return range(minutes.start // 60 * 60, -(-minutes.stop // 60) * 60)


async def _handle(
    resources: Resources, service: str, command: Command, context: Context, expected: int | None = None
) -> bool:
    """Whether *command* said anything; *expected* is the version of the policy that it was made for."""
    version = (await resources.handler.load(POLICY, service)).version if expected is None else expected
    part = context.part(f"{type(command).__name__}@{version}")
    outcome = await resources.handler.handle(POLICY, service, command, part, expected=expected)
    return bool(outcome.events)


def _minutes(start: datetime, end: datetime) -> range:
    """The minutes that share time with [start, end)."""
    return range((start - _EPOCH) // _MINUTE, -((_EPOCH - end) // _MINUTE))
