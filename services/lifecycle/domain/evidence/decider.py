"""Evidence's rules: every pair of state and command has one line below."""

from dataclasses import replace
from datetime import timedelta

from services.lifecycle.domain.errors import InTheFutureError, RecordedOtherwiseError
from services.lifecycle.domain.evidence.commands import Command
from services.lifecycle.domain.evidence.events import Event, EvidenceRecorded

_CLOCKS_DIFFER_BY = timedelta(minutes=5)  # the clock of a build machine may run ahead of ours

Evidence = EvidenceRecorded | None  # None: nothing recorded; what is recorded never changes


def decide(command: Command, state: Evidence) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        InTheFutureError: It has not been done yet.
        RecordedOtherwiseError: The id stands for other evidence.
    """
    recorded = EvidenceRecorded(
        evidence=command.evidence,
        service=command.service,
        kind=command.kind,
        at=command.done_at,
        url=command.url,
        by=command.by,
        recorded=command.at,
        outcome=command.outcome,
        figures=dict(command.figures),
    )
    match state:
        case None if command.done_at > command.at + _CLOCKS_DIFFER_BY:
            raise InTheFutureError(command.done_at)
        case None:
            return (recorded,)
        case EvidenceRecorded() if state == replace(recorded, recorded=state.recorded):
            return ()
        case EvidenceRecorded():
            raise RecordedOtherwiseError("evidence", command.evidence)


def evolve(state: Evidence, event: Event) -> Evidence:  # noqa: ARG001  a decider's evolve has this shape
    """The evidence after one more fact."""
    return event
