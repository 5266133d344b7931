"""What both sides of an engagement agree on: proposed by one, acknowledged by both."""

from typing import Any, TypeVar

from services.lifecycle.domain.engagement.charter import (
    Definition,
    Entry,
    Goal,
    GroundRule,
    Part,
    Priority,
    Side,
    WorkingAgreement,
    validate,
)
from services.lifecycle.domain.engagement.commands import (
    Acknowledge,
    Propose,
)
from services.lifecycle.domain.engagement.errors import (
    BothSidesError,
    EditionSupersededError,
)
from services.lifecycle.domain.engagement.events import (
    DefinitionsProposed,
    EditionAcknowledged,
    Event,
    GoalsProposed,
    GroundRulesProposed,
    PrioritiesProposed,
    WorkingAgreementsProposed,
)
from services.lifecycle.domain.engagement.rights import require_speaker, require_standing, said_of
from services.lifecycle.domain.engagement.state import (
    Engagement,
)

T = TypeVar("T")


def proposed(command: Propose, state: Engagement) -> tuple[Event, ...]:
    """A new edition of a part; nothing if it says the same as the one before."""
    require_standing(state, "propose", "requested", "accepted", "active", "handback_pending")
    validate(command.part, command.entries, command.metrics)
    newest = state.chapter(command.part).newest
    if newest is not None and newest.entries == command.entries:
        return ()
    return (edition_of(command.part, newest.version + 1 if newest else 1, command.entries, said_of(command)),)


def acknowledged(command: Acknowledge, state: Engagement) -> tuple[Event, ...]:
    """A side agrees to an edition; it holds when both have."""
    require_standing(state, "acknowledge", "requested", "accepted", "active", "handback_pending")
    newest = state.chapter(command.part).newest
    if newest is None or newest.version != command.version:
        raise EditionSupersededError(command.part, command.version, newest.version if newest else 0)
    require_speaker(command.speaker)
    if any(each.side == command.side for each in newest.acknowledged):
        return ()
    if any(each.by == command.by for each in newest.acknowledged):
        raise BothSidesError(command.by)
    missing: tuple[Side, ...] = tuple(side for side in newest.missing if side != command.side)
    return (
        EditionAcknowledged(
            **said_of(command), part=command.part, version=command.version, side=command.side, missing=missing
        ),
    )


def edition_of(part: Part, version: int, entries: tuple[Entry, ...], said: dict[str, Any]) -> Event:
    """The event by which a part becomes what its entries say."""
    match part:
        case "priorities":
            return PrioritiesProposed(**said, version=version, entries=_of(Priority, entries))
        case "goals":
            return GoalsProposed(**said, version=version, entries=_of(Goal, entries))
        case "definitions":
            return DefinitionsProposed(**said, version=version, entries=_of(Definition, entries))
        case "ground_rules":
            return GroundRulesProposed(**said, version=version, entries=_of(GroundRule, entries))
        case "working_agreements":
            return WorkingAgreementsProposed(**said, version=version, entries=_of(WorkingAgreement, entries))


def _of(kind: type[T], entries: tuple[Entry, ...]) -> tuple[T, ...]:
    return tuple(entry for entry in entries if isinstance(entry, kind))
