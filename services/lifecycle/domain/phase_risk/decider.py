"""The rules of items about services at risk in their phase: one is open at a time, and none moves the service."""

from dataclasses import dataclass, replace

from services.lifecycle.domain.phase_risk.commands import Command, Lacking
from services.lifecycle.domain.phase_risk.events import (
    Event,
    Lack,
    PhaseAtRisk,
    PhaseRiskChanged,
    PhaseRiskClosed,
)


@dataclass(frozen=True, slots=True)
class Item:
    """What people have, or had, to do about a service."""

    opened: PhaseAtRisk
    newest: PhaseAtRisk | PhaseRiskChanged
    closed: PhaseRiskClosed | None = None


PhaseRisks = tuple[Item, ...]  # of one service, the oldest first; only the last may be open


def open_item(state: PhaseRisks) -> Item | None:
    """The one that is open."""
    return state[-1] if state and state[-1].closed is None else None


def decide(command: Command, state: PhaseRisks) -> tuple[Event, ...]:
    """The facts *command* produces; none if nothing has changed, or it is older than what is known."""
    item = open_item(state)
    if item is None:
        return _opened(command) if command.lacks or command.reasons else ()
    newest = item.newest
    if command.at < newest.at:
        return ()
    ident = item.opened.item
    if newest.phase is not command.phase:
        closed = PhaseRiskClosed(ident, command.service, newest.phase, "left_phase", command.at)
        return (closed, *(_opened(command) if command.lacks or command.reasons else ()))
    if not command.lacks and not command.reasons:
        return (PhaseRiskClosed(ident, command.service, newest.phase, "shown_again", command.at),)
    changed = PhaseRiskChanged(
        ident,
        command.service,
        command.phase,
        command.policy_version,
        _told(command, command.lacks, newest.lacks),
        _told(command, command.reasons, newest.reasons),
        command.at,
    )
    return () if _said(changed) == _said(newest) else (changed,)


def evolve(state: PhaseRisks, event: Event) -> PhaseRisks:
    """The items after one more fact."""
    match event:
        case PhaseAtRisk():
            return (*state, Item(event, event))
        case PhaseRiskChanged():
            return (*state[:-1], replace(state[-1], newest=event))
        case PhaseRiskClosed():
            return (*state[:-1], replace(state[-1], closed=event))


def _opened(command: Command) -> tuple[PhaseAtRisk]:
    return (
        PhaseAtRisk(
            command.item,
            command.service,
            command.phase,
            command.policy_version,
            _told(command, command.lacks, ()),
            _told(command, command.reasons, ()),
            command.at,
        ),
    )


def _told(command: Command, found: tuple[Lacking, ...], before: tuple[Lack, ...]) -> tuple[Lack, ...]:
    """What was found, each with the time since when it is so."""
    since = {lack.check: lack.since for lack in before}
    return tuple(
        Lack(
            check=each.check.id,
            result=each.check.result,
            since=since.get(each.check.id, command.at),
            detail=each.check.detail,
            how_to_fix=each.check.how_to_fix,
            who=each.who,
            source=each.check.source,
        )
        for each in found
    )


def _said(event: PhaseAtRisk | PhaseRiskChanged) -> object:
    """What is worth an event: who must do what; not the figures, which change from day to day."""
    return [(lack.check, lack.result, lack.how_to_fix, lack.who) for lack in (*event.lacks, *event.reasons)], len(
        event.lacks
    )
