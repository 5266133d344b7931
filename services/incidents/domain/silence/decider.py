"""A silence's rules: it covers something but not everything, for some time, for a reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.incidents.domain.errors import AbsentError, IllegalTransitionError, ReasonMissingError, SilenceError
from services.incidents.domain.matchers import all_match, check_matchers
from services.incidents.domain.silence.commands import Command, End, Hold, Make
from services.incidents.domain.silence.events import Event, SilenceEnded, SilenceMade

LONGEST = timedelta(days=90)  # what is to be silent for longer is an alert that nobody wants
State = Literal["pending", "active", "ended"]


@dataclass(frozen=True, slots=True)
class Known:
    """A silence, and when it was ended if somebody did."""

    made: SilenceMade
    ended: SilenceEnded | None = None

    def state(self, at: datetime) -> State:
        """What it is at a time."""
        return state_of(self.made.since, self.made.until, self.ended.at if self.ended else None, at)


Silence = Known | None  # None: never made


def state_of(since: datetime, until: datetime, ended: datetime | None, at: datetime) -> State:
    """What a silence is at a time."""
    if ended is not None or at >= until:
        return "ended"
    return "active" if at >= since else "pending"


def decide(command: Command, state: Silence) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such silence.
        MatcherError: A condition cannot be read.
        SilenceError: It would cover everything, nothing, or last too long.
        ReasonMissingError: Nobody says why.
        IllegalTransitionError: It is over, and holds nothing any more.
    """
    match state, command:
        case None, Make():
            _check(command)
            fields = {name: getattr(command, name) for name in SilenceMade.__dataclass_fields__}
            return (SilenceMade(**fields),)
        case None, End() | Hold():
            raise AbsentError("silence")
        case Known(ended=None), End(by=by, reason=reason, at=at) if at < state.made.until:
            return (SilenceEnded(silence=state.made.silence, by=by, reason=reason, at=at),)
        case Known(), Hold(at=at) if state.state(at) == "ended":
            raise IllegalTransitionError("silence", "ended", command.verb, ())
        case _:
            return ()


def evolve(state: Silence, event: Event) -> Silence:
    """The state after one more fact."""
    match event:
        case SilenceMade():
            return Known(event)
        case SilenceEnded():
            return Known(state.made, event) if state else None


def _check(command: Make) -> None:
    check_matchers(command.matchers, "matchers")
    if all_match(command.matchers, {}):
        raise SilenceError("matchers", "match everything, even an alert without labels; name a value that it must have")
    if command.until <= max(command.since, command.at):
        raise SilenceError("until", "lies before its beginning or in the past; name a later time")
    if command.until - max(command.since, command.at) > LONGEST:
        raise SilenceError("until", f"is more than {LONGEST.days} days ahead; change the alert instead")
    if not command.reason.strip():
        raise ReasonMissingError("a silence")
