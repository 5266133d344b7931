"""An SLO's rules: every pair of state and command has one line below."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.errors import NoSuchSloError, SloExistsError
from services.slo.domain.openslo import Decoded, Definition, catalogue, decode, references, resolve
from services.slo.domain.openslo.encoding import encode, read
from services.slo.domain.slo.commands import Command, Define, End, Promise, Revise
from services.slo.domain.slo.events import Event, SloDefined, SloEnded


@dataclass(frozen=True, slots=True)
class Defined:
    """What is promised now, and since when."""

    promise: Promise
    revision: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """What was promised until somebody ended it."""

    last: Defined
    reason: str
    at: datetime


Slo = Defined | Ended | None  # None: nothing defined yet


def decide(command: Command, state: Slo) -> tuple[Event, ...]:
    """The facts *command* produces; none if the same is promised already.

    Raises:
        SloExistsError: `Define` found another definition under the name.
        NoSuchSloError: There is nothing to end.
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
        case Ended(last), (Define(promise, at) | Revise(promise, at)):
            return (_defined(promise, last.revision + 1, at),)
        case None, End(slo):
            raise NoSuchSloError(slo)
        case Defined(promise, revision), End(slo, reason, at):
            return (SloEnded(slo, promise.service, revision, reason, at),)
        case Ended(), End():
            return ()


def evolve(state: Slo, event: Event) -> Slo:
    """The state after one more fact."""
    match state, event:
        case _, SloDefined():
            promise = Promise(
                event.slo,
                event.service,
                event.display_name,
                event.target,
                event.window,
                event.method,
                event.document,
                definition_in(event),
                event.uses,
            )
            return Defined(promise, event.revision, event.at)
        case Defined(), SloEnded():
            return Ended(state, event.reason, event.at)
        case _, SloEnded():
            return state


def definition_of(defined: Defined | SloDefined) -> Definition:
    """What is promised, every reference followed."""
    return read(defined.promise.definition if isinstance(defined, Defined) else definition_in(defined))


def definition_in(event: SloDefined) -> dict[str, object]:
    """The encoded definition; the first version of this service left it out, and evaluated no alert policies."""
    if event.definition:
        return event.definition
    decoded = decode(event.document)
    if not isinstance(decoded, Decoded):
        return {}
    decoded.fields["spec"].pop("alertPolicies", None)
    sources = {name for kind, name in references(decoded) if kind == "DataSource"}
    found = resolve([decoded], catalogue((), {event.service}, sources)).definitions.get(0)
    return encode(found) if found else {}


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
        promise.definition,
        promise.uses,
    )
