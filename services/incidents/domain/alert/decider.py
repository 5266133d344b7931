"""An alert's rules: every pair of state and command has one line below.

A resolved alert never fires again: the same identity then opens a new alert.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

from services.incidents.domain.alert.commands import (
    Acknowledge,
    Command,
    Group,
    Move,
    RaiseUrgency,
    Resolve,
    Retrigger,
    Silence,
    Trigger,
)
from services.incidents.domain.alert.events import (
    AlertAcknowledged,
    AlertGrouped,
    AlertMoved,
    AlertResolved,
    AlertRetriggered,
    AlertSilenced,
    AlertTriggered,
    AlertUrgencyRaised,
    Event,
)
from services.incidents.domain.errors import AbsentError, IllegalTransitionError


@dataclass(frozen=True, slots=True)
class Triggered:
    """It fires, and nobody looks at it; *count* is how often its sender said so."""

    name: ClassVar[Literal["triggered"]] = "triggered"

    opened: AlertTriggered
    count: int = 1
    silenced: AlertSilenced | None = None
    follows: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """It fires, and somebody looks at it."""

    name: ClassVar[Literal["acknowledged"]] = "acknowledged"

    opened: AlertTriggered
    count: int
    acknowledged_at: datetime
    acknowledged_by: str
    silenced: AlertSilenced | None = None
    follows: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """It fires no more; *before* is what it was until then."""

    name: ClassVar[Literal["resolved"]] = "resolved"

    before: Triggered | Acknowledged
    resolved_at: datetime
    resolved_by: str

    @property
    def opened(self) -> AlertTriggered:
        """How it began."""
        return self.before.opened


Open = Triggered | Acknowledged
Known = Open | Resolved
Alert = Known | None  # None: never triggered


def decide(command: Command, state: Alert) -> tuple[Event, ...]:  # noqa: C901, PLR0911  one line per kind of command
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such alert.
        IllegalTransitionError: It is resolved, or another incident took it.
    """
    match state, command:
        case None, Trigger():
            return (_triggered(command),)
        case None, _:
            raise AbsentError("alert")
        case (Triggered() | Acknowledged(), Retrigger(summary=summary, at=at)):
            return (AlertRetriggered(state.opened.alert, summary, at),)
        case _, Group():
            return _put(state, command)
        case ((Triggered() | Acknowledged()), Silence()):
            return _silenced(state, command)
        case ((Triggered(opened=it) | Acknowledged(opened=it)), RaiseUrgency()) if it.urgency == "low":
            return (_raised(it, command),)
        case Triggered(opened=it), Acknowledge(by=by, reason=reason, at=at):
            return (AlertAcknowledged(it.alert, it.service, it.incident, by, reason, at),)
        case ((Triggered(opened=it) | Acknowledged(opened=it)), Resolve(by=by, reason=reason, at=at)):
            return (AlertResolved(it.alert, it.service, it.incident, by, reason, at),)
        case _, Move(incident=to, was=was, by=by, reason=reason, at=at) if state.opened.incident == was != to:
            return (AlertMoved(state.opened.alert, state.opened.service, to, by, reason, at),)
        case (
            (_, Trigger() | RaiseUrgency() | Move())
            | (Acknowledged(), Acknowledge())
            | (Resolved(), Resolve() | Silence())
        ):
            return ()
        case Resolved(), Retrigger():
            raise IllegalTransitionError("alert", state.name, "trigger", ())
        case Resolved(), Acknowledge(verb=verb):
            raise IllegalTransitionError("alert", state.name, verb, ())


def evolve(state: Alert, event: Event) -> Alert:  # noqa: C901, PLR0911  one line per kind of event
    """The state after one more fact."""
    match state, event:
        case _, AlertTriggered():
            return Triggered(event)
        case ((Triggered() | Acknowledged()), AlertRetriggered()):
            return replace(state, count=state.count + 1)
        case ((Triggered() | Acknowledged()), AlertSilenced()):
            return replace(state, silenced=event)
        case ((Triggered() | Acknowledged()), AlertGrouped()):
            return _grouped(state, event)
        case Resolved(before=before), AlertGrouped():
            return replace(state, before=_grouped(before, event))
        case ((Triggered() | Acknowledged()), AlertUrgencyRaised(urgency=urgency, incident=incident)):
            return replace(state, opened=replace(state.opened, urgency=urgency, incident=incident))
        case ((Triggered() | Acknowledged()), AlertMoved(incident=incident)):
            return _moved(state, incident)
        case Resolved(before=before), AlertMoved(incident=incident):
            return replace(state, before=_moved(before, incident))
        case Triggered(), AlertAcknowledged(by=by, at=at):
            return Acknowledged(state.opened, state.count, at, by, state.silenced, state.follows)
        case ((Triggered() | Acknowledged()), AlertResolved(by=by, at=at)):
            return Resolved(state, at, by)
        case _:
            return state


def _triggered(command: Trigger) -> AlertTriggered:
    return AlertTriggered(
        alert=command.alert,
        integration=command.integration,
        dedup_key=command.dedup_key,
        service=command.service,
        urgency=command.urgency,
        summary=command.summary,
        at=command.at,
        group=command.group,
        severity=command.severity,
        window_s=command.window_s,
        labels=command.labels,
        details=command.details,
    )


def _silenced(state: Open, command: Silence) -> tuple[Event, ...]:
    """Once for each silence, and again when that ends later."""
    known = state.silenced
    if known and (known.silence, known.until) == (command.silence, command.until):
        return ()
    alert, by, reason = state.opened.alert, command.by, command.reason
    return (AlertSilenced(alert, command.silence, command.until, by, reason, command.at),)


def _put(state: Known, command: Group) -> tuple[Event, ...]:
    """Once; who finds it elsewhere by now, or over without having paged anybody, opens no incident for it."""
    it = state.opened
    if it.incident == command.incident:
        return ()
    if it.incident or (isinstance(state, Resolved) and state.before.silenced):
        raise IllegalTransitionError("alert", state.name, command.verb, ())
    return (AlertGrouped(it.alert, command.incident, command.at, command.follows),)


def _grouped(state: Open, event: AlertGrouped) -> Open:
    return replace(state, opened=replace(state.opened, incident=event.incident), follows=event.follows)


def _moved(state: Open, incident: str) -> Open:
    return replace(state, opened=replace(state.opened, incident=incident))


def _raised(opened: AlertTriggered, command: RaiseUrgency) -> AlertUrgencyRaised:
    return AlertUrgencyRaised(
        alert=opened.alert,
        service=opened.service,
        urgency="high",
        incident=command.incident,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )
