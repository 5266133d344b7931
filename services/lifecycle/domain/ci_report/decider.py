"""The rules of what CI reports: it is told once, and never changes."""

from dataclasses import replace
from datetime import timedelta

from services.lifecycle.domain.ci_report.commands import Command
from services.lifecycle.domain.ci_report.events import CiReported, Event
from services.lifecycle.domain.errors import InTheFutureError, RecordedOtherwiseError

_CLOCKS_DIFFER_BY = timedelta(minutes=5)  # the clock of a build machine may run ahead of ours

CiReport = CiReported | None  # None: nothing was reported under this id


def decide(command: Command, state: CiReport) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        InTheFutureError: It has not been counted yet.
        RecordedOtherwiseError: The id stands for another report.
    """
    what = command.what
    if state is None:
        if what.done_at > what.at + _CLOCKS_DIFFER_BY:
            raise InTheFutureError(what.done_at)
        return (what,)
    done_at = what.done_at if command.dated else state.done_at
    if replace(what, by=state.by, at=state.at, done_at=done_at) != state:
        raise RecordedOtherwiseError("report", what.report)
    return ()


def evolve(state: CiReport, event: Event) -> CiReport:  # noqa: ARG001  a decider's evolve has this shape
    """The report after one more fact."""
    return event
