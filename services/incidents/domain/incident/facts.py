"""How an event of an incident is made: it names the incident whole, and is never earlier than what came before."""

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.errors import IllegalTransitionError
from services.incidents.domain.incident.state import Closed, Final, Known, Merged, Open, Origin, Record, Source
from services.incidents.domain.incident.terms import IncidentFact

F = TypeVar("F", bound=IncidentFact)


def fact(event: type[F], record: Record, command: Asked, **more: Any) -> F:  # noqa: ANN401  the event's own fields
    """One *event*; never earlier than what must lie before it, even when a clock was set back."""
    said: dict[str, Any] = {
        "incident": record.incident,
        "number": record.number,
        "service": record.service,
        "severity": record.severity,
        "by": command.by,
        "reason": command.reason,
        "at": max(command.at, *record.reached),
    }
    return event(**said | more)


def stamped(record: Record, event: IncidentFact, source: Source, **times: datetime | None) -> Record:
    """*record* with *times* that *event* says."""
    return record.at(Origin(source, event.by, event.reason, event.at), **times)


def open_record(state: Known, verb: str) -> Record:
    """What is known of an incident that somebody still works on.

    Raises:
        IllegalTransitionError: It is over.
    """
    if isinstance(state, Open):
        return state.record
    raise refusal(state, verb)


def living_record(state: Known, verb: str) -> Record:
    """What is known of an incident that is not final: a closed one is not changed, a new one links to it.

    Raises:
        IllegalTransitionError: It is closed, cancelled or merged.
    """
    if isinstance(state, Final):
        raise refusal(state, verb)
    return state.record


def refusal(state: Known, verb: str) -> IllegalTransitionError:
    """Why *verb* is not allowed; of what is over for good, where it goes on."""
    match state:
        case Merged(into_number=number):
            remedy = f"it goes on in {number}"
        case Closed(record):
            remedy = f'declare another one that {{"follows": "{record.number}"}}'
        case _:
            remedy = ""
    return IllegalTransitionError("incident", state.name, verb, state.allowed, remedy)


def with_record(state: Known, record: Record) -> Known:
    """*state*, of which *record* is known."""
    return replace(state, record=record)
