"""What an incident does with its alerts: they join and clear, go on in another one, or become one of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from services.incidents.domain.errors import UnknownReferenceError
from services.incidents.domain.incident.commands import (
    Absorb,
    ClearAlert,
    JoinAlert,
    MergeInto,
    Split,
    TakeGroup,
    TellOfAlerts,
)
from services.incidents.domain.incident.events import (
    Event,
    IncidentAbsorbed,
    IncidentAlertCleared,
    IncidentAlertJoined,
    IncidentAlertsTold,
    IncidentGroupTaken,
    IncidentMerged,
    IncidentMilestoneCorrected,
    IncidentResolved,
    IncidentSplit,
    IncidentStageChanged,
)
from services.incidents.domain.incident.facts import fact, living_record, open_record, refusal
from services.incidents.domain.incident.state import Active, Known, Merged, Mitigated, Open, Triage
from services.incidents.domain.milestones import Milestone

INTERVAL: Final = timedelta(minutes=5)  # of telling who works on it of further alerts; Alertmanager's group_interval
MOST_NAMED: Final = 5_000  # alerts that one event names, each maybe twice: 390 KB of the 768 KiB that an event may have


def joined(state: Known, command: JoinAlert) -> tuple[Event, ...]:
    """A resolved incident never swallows a new alert."""
    new = without((command.alert, *command.others), state.record.alerts)
    if not new:
        return ()
    record = open_record(state, "a further alert")
    alert, *others = new
    worked_on = not isinstance(state, Triage)
    notify = worked_on and (record.told is None or command.at - record.told >= INTERVAL)
    more: dict[str, Any] = {"alert": alert, "summary": command.summary, "others": tuple(others), "notify": notify}
    return (fact(IncidentAlertJoined, record, command, **more),)


def alerts_told(state: Known, command: TellOfAlerts) -> tuple[Event, ...]:
    """Once, of all that joined since whoever works on it was last told; there may be nobody, or nothing to tell."""
    record = state.record
    if not record.untold or not isinstance(state, Active | Mitigated):
        return ()
    return (fact(IncidentAlertsTold, record, command, alerts=record.untold, summary=record.untold_last),)


def cleared(state: Known, command: ClearAlert) -> tuple[Event, ...]:
    """When all alerts are resolved: what nobody took on resolves by itself, the rest is monitored."""
    record = state.record
    named = {command.alert, *command.others}
    gone = tuple(alert for alert in record.firing if alert in named)
    if not gone or isinstance(state, Merged):
        return ()
    clears = fact(IncidentAlertCleared, record, command, alert=gone[0], others=gone[1:])
    return (clears,) if len(gone) < len(record.firing) else (clears, *_silenced(state, command))


def merged(state: Known, command: MergeInto) -> tuple[Event, ...]:
    """It ends here, and goes on in the other."""
    if isinstance(state, Merged) and state.into == command.into:
        return ()
    record = living_record(state, command.verb)
    if command.into == record.incident:
        remedy = "an incident is not merged into itself; name another"
        raise UnknownReferenceError("other incident", command.into_number, remedy, place="into")
    into, number = command.into, command.into_number
    return (
        fact(
            IncidentMerged,
            record,
            command,
            into=into,
            into_number=number,
            alerts=record.alerts[:MOST_NAMED],
            groups=record.groups,
        ),
    )


def absorbed(state: Known, command: Absorb) -> tuple[Event, ...]:
    """It began, and was noticed, when the other was, if that was earlier."""
    if command.other in state.record.absorbed:
        return ()
    record = open_record(state, "taking another one in")
    who: dict[str, Any] = {"other": command.other, "other_number": command.other_number}
    firing = set(command.firing)
    events = [
        fact(IncidentAbsorbed, record, command, **who, alerts=part, firing=tuple(filter(firing.__contains__, part)))
        for part in in_parts(without(command.alerts, record.alerts), MOST_NAMED) or [()]
    ]
    why = replace(command, reason=f"{command.other_number} was a part of it, and was earlier")
    times: Mapping[Milestone, datetime] = {"impact_started": command.impact_started, "detected": command.detected}
    earlier = {name: time for name, time in times.items() if time < getattr(record.milestones, name)}
    moved = (fact(IncidentMilestoneCorrected, record, why, milestone=name, time=at) for name, at in earlier.items())
    return (*events, *moved)


def group_taken(state: Known, command: TakeGroup) -> tuple[Event, ...]:
    """An incident that is over takes none."""
    if not isinstance(state, Open) or command.group in state.record.groups:
        return ()
    return (fact(IncidentGroupTaken, state.record, command, group=command.group),)


def without(alerts: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Those of *alerts* that are not *known*, each once; there may be ten thousands of both."""
    seen = set(known)
    return tuple(alert for alert in dict.fromkeys(alerts) if alert not in seen)


def in_parts(alerts: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """*alerts* in their order, at most so many together; none of none."""
    return [tuple(alerts[start : start + most]) for start in range(0, len(alerts), most)]


def split(state: Known, command: Split) -> tuple[Event, ...]:
    """Some of its alerts leave it.

    Raises:
        UnknownReferenceError: One of them is not its.
        IllegalTransitionError: It is over.
    """
    record = open_record(state, command.verb)
    for alert in without(command.alerts, record.alerts):
        alerts = ", ".join(record.alerts[:10])
        remedy = f"name some of {alerts}" if alerts else "it has none"
        raise UnknownReferenceError("alert of it", alert, remedy, place="alerts")
    if not command.alerts:
        raise refusal(state, "a split without alerts")
    into, number = command.into, command.into_number
    leave = fact(IncidentSplit, record, command, into=into, into_number=number, alerts=command.alerts)
    kept, fire = without(record.alerts, command.alerts), without(record.firing, command.alerts)
    return (leave, *_silenced(state, command)) if kept and record.firing and not fire else (leave,)


def _silenced(state: Known, command: ClearAlert | Split) -> tuple[Event, ...]:
    """What follows when the last of its alerts that fired does so no more."""
    silent = replace(command, reason="none of its alerts fires any more")
    match state:
        case Triage(record):
            return (fact(IncidentResolved, record, silent),)
        case Active(record, stage) if stage != "monitoring":
            return (fact(IncidentStageChanged, record, silent, stage="monitoring"),)
        case _:
            return ()
