"""A gathering's rules: drafted > held; an update or a review needs both sides' word and a decision."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from services.lifecycle.domain.engagement.charter import SIDES, Side
from services.lifecycle.domain.engagement.errors import (
    BothSidesError,
    EngagementStateError,
    IncompleteError,
    NotASpeakerError,
)
from services.lifecycle.domain.engagement.rights import require_speaker
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.gathering.commands import Command, Conclude, Draft, Note, Tell
from services.lifecycle.domain.gathering.events import (
    Event,
    GatheringConcluded,
    GatheringDrafted,
    NotesTaken,
    StatementMade,
)


@dataclass(frozen=True, slots=True)
class Gathering:
    """A meeting, an update or a review: the draft, what both sides said, the notes, and the end."""

    drafted: GatheringDrafted
    statements: Mapping[Side, StatementMade] = field(default_factory=dict[Side, StatementMade])
    notes: NotesTaken | None = None
    concluded: GatheringConcluded | None = None

    @property
    def missing(self) -> tuple[Side, ...]:
        """The sides that have not said how things stand, where they have to."""
        asked = SIDES if self.drafted.kind != "meeting" else ()
        return tuple(side for side in asked if side not in self.statements)


def decide(command: Command, state: Gathering | None) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused.
    """
    if isinstance(command, Draft):
        if state is not None:
            return ()
        if command.since > command.until:
            raise IncompleteError([("/since", "the time that it is about must begin before it ends")])
        said = _said(command)
        told = {name: getattr(command, name) for name in ("series", "title", "since", "until", "pack")}
        return (GatheringDrafted(**said, **told),)
    if state is None or (state.drafted.engagement, state.drafted.kind) != (command.engagement, command.kind):
        raise UnknownError(command.kind.replace("_", " "), command.gathering)
    if isinstance(command, Conclude) and state.concluded is not None:
        return ()
    if state.concluded is not None:
        raise EngagementStateError("change", "held", ())
    match command:
        case Tell():
            return _told(command, state)
        case Note(notes=notes, start=start, stop=stop, keep=keep):
            return (NotesTaken(**_said(command), notes=notes, start=start, stop=stop, keep=keep),)
        case Conclude():
            return _concluded(command, state)


def evolve(state: Gathering | None, event: Event) -> Gathering | None:
    """The gathering after one more fact."""
    if isinstance(event, GatheringDrafted):
        return Gathering(event)
    if state is None:
        return None
    match event:
        case StatementMade(side=side):
            return replace(state, statements={**state.statements, side: event})
        case NotesTaken():
            return replace(state, notes=event)
        case GatheringConcluded():
            return replace(state, concluded=event)


def _told(command: Tell, state: Gathering) -> tuple[Event, ...]:
    who, least, most = command.speaker, *command.reaches
    require_speaker(who)
    if any(said.by == command.by for side, said in state.statements.items() if side != command.side):
        raise BothSidesError(command.by)
    months = command.horizon_months
    if command.kind == "service_review" and (months is None or not least <= months <= most):
        raise IncompleteError(
            [("/horizon_months", f"a roadmap of a service review reaches {least:g} to {most:g} months")]
        )
    held = state.statements.get(command.side)
    if held is not None and (held.text, held.horizon_months, held.by) == (command.text, months, command.by):
        return ()
    return (StatementMade(**_said(command), side=command.side, text=command.text, horizon_months=months),)


def _concluded(command: Conclude, state: Gathering) -> tuple[Event, ...]:
    if not command.is_person:
        raise NotASpeakerError(command.by, "the engagement", ())
    faults = list(_open(command, state))
    if faults:
        raise IncompleteError(faults)
    return (GatheringConcluded(**_said(command), series=state.drafted.series, decision=command.decision),)


def _open(command: Conclude, state: Gathering) -> Iterator[tuple[str, str]]:
    what = {"sre": "the state of production", "dev": "the state of the product"}
    for side in state.missing:
        yield f"/statements/{side}", f"{side} has not said {what[side]}; POST :tell"
    if command.kind != "meeting" and command.decision is None:
        yield "/decision", "decide: continue, change_model, demote or disengage"
    if command.kind == "meeting" and (state.notes is None or not state.notes.notes):
        yield "/notes", "write down what was said; PATCH notes"


def _said(command: Command) -> dict[str, Any]:
    return {
        "gathering": command.gathering,
        "engagement": command.engagement,
        "kind": command.kind,
        "by": command.by,
        "reason": command.reason,
        "at": command.at,
    }
