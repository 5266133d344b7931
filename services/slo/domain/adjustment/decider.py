"""An adjustment's rules: every pair of state and command has one line below."""

from dataclasses import dataclass

from services.slo.domain.adjustment.commands import Agree, Command, End
from services.slo.domain.adjustment.events import AdjustmentAgreed, AdjustmentEnded, Event
from services.slo.domain.errors import NoSuchAdjustmentError, OneSideError, UnnamedSignerError


@dataclass(frozen=True, slots=True)
class Agreed:
    """It holds."""

    agreed: AdjustmentAgreed


@dataclass(frozen=True, slots=True)
class Ended:
    """It held until a time, which may have been before its first occurrence."""

    agreed: AdjustmentAgreed
    ended: AdjustmentEnded


State = Agreed | Ended | None  # None: never agreed on


def decide(command: Command, state: State) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        OneSideError: The same person cannot agree for both sides.
        UnnamedSignerError: The error-budget policy names others.
        NoSuchAdjustmentError: There is nothing to end.
    """
    match state, command:
        case None, Agree():
            _require_both_sides(command)
            return (_agreed(command),)
        case Agreed() | Ended(), Agree():
            return ()
        case None, End(adjustment=adjustment):
            raise NoSuchAdjustmentError(adjustment)
        case Ended(ended=ended), End(until=until) if until >= ended.until:
            return ()
        case Agreed() | Ended(), End(adjustment=adjustment, until=until, reason=reason, by=by, at=at):
            return (AdjustmentEnded(adjustment, until, reason, by, at),)


def evolve(state: State, event: Event) -> State:
    """The state after one more fact."""
    match state, event:
        case None, AdjustmentAgreed():
            return Agreed(event)
        case Agreed(agreed) | Ended(agreed), AdjustmentEnded():
            return Ended(agreed, event)
        case _, _:
            return state


def _require_both_sides(command: Agree) -> None:
    if command.development == command.sre:
        raise OneSideError(command.sre)
    for signers in command.signers:
        if command.development not in signers.development:
            raise UnnamedSignerError(command.development, "development", signers.development)
        if command.sre not in signers.sre:
            raise UnnamedSignerError(command.sre, "sre", signers.sre)


def _agreed(command: Agree) -> AdjustmentAgreed:
    time = command.time
    return AdjustmentAgreed(
        adjustment=command.adjustment,
        slos=command.slos,
        service=command.service,
        effect=time.effect,
        start=time.start,
        duration_s=time.duration.total_seconds(),
        zone=time.zone,
        rrule=time.rrule,
        reason=command.reason,
        development=command.development,
        sre=command.sre,
        by=command.by,
        at=command.at,
    )
