"""A source that is asked for demand day by day: set, working or failing, removed; and which days to ask it for."""

from dataclasses import replace
from datetime import date, timedelta

from services.lifecycle.domain.capacity.commands import NoteDemandSource, RemoveDemandSource, SetDemandSource
from services.lifecycle.domain.capacity.errors import CapacityFaultError, MetricChangedError, NoDemandSourceError
from services.lifecycle.domain.capacity.events import (
    DemandSourceFailed,
    DemandSourceRecovered,
    DemandSourceRemoved,
    DemandSourceSet,
)
from services.lifecycle.domain.capacity.state import Basis, Capacity

_DAY = timedelta(days=1)
_ASKED_AGAIN = 2 * _DAY  # the last days are asked for once more: samples may have come late
_AT_ONCE = 400 * _DAY  # of one question
_MOST_POINTS = 11_000  # of one answer, as Prometheus limits it
_MOST_BACK = timedelta(days=1_096)  # three years, as far as an import reaches

_Events = tuple[DemandSourceSet | DemandSourceRemoved | DemandSourceFailed | DemandSourceRecovered, ...]


def of_source(command: SetDemandSource | RemoveDemandSource | NoteDemandSource, state: Capacity) -> _Events:
    """What becomes of the source; nothing if it is so already.

    Raises:
        CapacityError: It cannot be.
    """
    was, metric = state.basis.source, state.basis.metric if state.basis.bound else ""  # the first has no name in events
    match command:
        case SetDemandSource():
            return _set(command, state)
        case RemoveDemandSource():
            if was is None:
                raise NoDemandSourceError
            return (DemandSourceRemoved(command.service, command.reason, command.by.name, command.at, metric),)
        case NoteDemandSource(service=service, source=source, failure=failure, at=at):
            told = state.failing.detail if state.failing else ""
            if source != was or failure == told:
                return ()
            if failure:
                return (DemandSourceFailed(service, failure, at, metric),)
            return (DemandSourceRecovered(service, at, metric),)


def days_to_ask(basis: Basis, today: date) -> tuple[date, date] | None:
    """The first and the last day that the source is to be asked for on *today*; None: all that is over is known."""
    source, yesterday = basis.source, today - _DAY
    if source is None or (basis.measured_until is not None and basis.measured_until >= yesterday):
        return None
    first = max(source.since, basis.measured_until - _ASKED_AGAIN) if basis.measured_until else source.since
    at_once = min(_AT_ONCE, timedelta(days=_MOST_POINTS * source.step_s // 86_400 - 1))
    return (first, min(yesterday, first + at_once)) if first <= yesterday else None


def _set(command: SetDemandSource, state: Capacity) -> _Events:
    source, before, today = command.source, state.basis.metric, command.at.date()
    if before and source.metric != before:
        raise MetricChangedError(source.metric, before)
    if not today - _MOST_BACK <= source.since < today:
        detail = f"{source.since} is no day that can be asked for; choose one of the {_MOST_BACK.days} before today"
        raise CapacityFaultError(detail, "/since")
    kind = source.credentials.kind
    if (kind == "none") != (not source.credentials.secret):
        detail = f"auth of kind {kind} needs {'no secret' if kind == 'none' else 'the name of a secret'}"
        raise CapacityFaultError(detail, "/auth/secret")
    was = state.basis.source
    if was and replace(was, since=source.since) == source and was.since <= source.since:
        return ()  # an earlier first day is news, a later one is known already
    return (DemandSourceSet(command.service, source, command.by.name, command.at),)
