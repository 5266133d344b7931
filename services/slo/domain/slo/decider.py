"""An SLO's rules: every pair of state and command has one line below."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.errors import SloExistsError
from services.slo.domain.slo.commands import Command, Define, Promise, Revise
from services.slo.domain.slo.events import Event, SloDefined


@dataclass(frozen=True, slots=True)
class Defined:
    """What is promised now, and since when."""

    promise: Promise
    revision: int
    at: datetime


Slo = Defined | None  # None: nothing defined yet


def decide(command: Command, state: Slo) -> tuple[Event, ...]:
    """The facts *command* produces; none if the same is promised already.

    Raises:
        SloExistsError: `Define` found another definition under the name.
    """
    match state, command:
        case None, (Define(promise, at) | Revise(promise, at)):
            return (_defined(promise, 1, at),)
        case Defined(promise=held), (Define(promise) | Revise(promise)) if held == promise:
            return ()
        case Defined(revision=revision), Define(promise):
            raise SloExistsError(promise.slo, revision)
        case Defined(revision=revision), Revise(promise, at):
            return (_defined(promise, revision + 1, at),)


def evolve(_: Slo, event: Event) -> Slo:
    """The state after one more fact."""
    promise = Promise(
        event.slo, event.service, event.display_name, event.target, event.window, event.method, event.document
    )
    return Defined(promise, event.revision, event.at)


def _defined(promise: Promise, revision: int, at: datetime) -> SloDefined:
    return SloDefined(
        promise.slo,
        promise.service,
        promise.display_name,
        revision,
        promise.target,
        promise.window,
        promise.method,
        promise.document,
        at,
    )
