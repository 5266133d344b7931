"""An escalation policy's rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.incidents.domain.errors import AbsentError
from services.incidents.domain.escalation.errors import EndedError, FaultyPolicyError
from services.incidents.domain.escalation_policy.commands import ChangePolicy, Command, EndPolicy, WritePolicy
from services.incidents.domain.escalation_policy.events import Event, PolicyEnded, PolicySet
from services.incidents.domain.escalation_policy.steps import Content
from services.incidents.domain.on_call.errors import NameTakenError, StillNeededError

KIND = "escalation policy"
SHORTEST, LONGEST = timedelta(seconds=30), timedelta(days=1)  # of a delay: who is called must be able to answer


@dataclass(frozen=True, slots=True)
class Policy:
    """What it says, and whether it still counts."""

    kind: ClassVar[str] = KIND

    name: str
    content: Content
    ended: bool = False


EscalationPolicy = Policy | None  # None: the name was never used


def decide(command: Command, state: EscalationPolicy) -> tuple[Event, ...]:
    """The facts *command* produces; none if they are so already.

    Raises:
        AbsentError: There is no such policy.
        NameTakenError: The name means, or meant, another policy.
        EndedError: It counts no more.
        FaultyPolicyError: It could not work; names each place.
        StillNeededError: Somebody is still paged by it.
    """
    match state, command:
        case None, WritePolicy():
            _check(command.policy, command.content)
            return (_set(command.policy, command),)
        case Policy(content=content, ended=False), WritePolicy() if content == command.content:
            return ()
        case Policy(), WritePolicy():
            raise NameTakenError("name", f"there is, or was, another {KIND} {command.policy!r}; choose another name")
        case None, _:
            raise AbsentError(KIND, "/v1/escalation-policies")
        case Policy(ended=True), EndPolicy():
            return ()
        case Policy(ended=True), ChangePolicy():
            raise EndedError(KIND, state.name)
        case Policy(name=name), ChangePolicy():
            _check(name, command.content)
            return () if command.content == state.content else (_set(name, command),)
        case Policy(name=name), EndPolicy():
            if command.needed_by:
                needed = ", ".join(command.needed_by)
                raise StillNeededError("", f"{needed} still page by {name!r}; have them name another policy first")
            return (PolicyEnded(policy=name, by=command.by, reason=command.reason, at=command.at),)


def evolve(state: EscalationPolicy, event: Event) -> EscalationPolicy:
    """The state after one more fact."""
    if isinstance(event, PolicySet):
        return Policy(event.policy, event.content)
    return None if state is None else Policy(state.name, state.content, ended=True)


def _set(name: str, command: WritePolicy | ChangePolicy) -> PolicySet:
    return PolicySet(policy=name, content=command.content, by=command.by, reason=command.reason, at=command.at)


def _check(name: str, content: Content) -> None:
    if faults := tuple(_faults(name, content)):
        raise FaultyPolicyError(faults)


def _faults(name: str, content: Content) -> Iterator[tuple[str, str]]:
    """Pointer and detail of everything that could not work."""
    if content.then == name:
        yield "/then", "a policy that goes on with itself never ends; name another, or raise repeat"
    for index, step in enumerate(content.steps):
        if not SHORTEST <= step.delay <= LONGEST:
            yield f"/steps/{index}/delay", "give people between 30 seconds and a day to answer"
        if len(set(step.targets)) < len(step.targets):
            yield f"/steps/{index}/targets", "a target is named twice; name it once"
    hours = content.hours
    if not _is_zone(hours.zone):
        yield "/hours/zone", f"there is no time zone {hours.zone!r}; use a name such as Europe/Madrid"
    if hours.begin >= hours.end:
        yield "/hours/end", "business hours end after they begin, on the same day"
    if not hours.days:
        yield "/hours/days", "business hours have a day; name one, such as monday"
    timeout = content.acknowledgement_timeout
    if timeout is not None and not timedelta(minutes=1) <= timeout <= timedelta(days=7):
        yield "/acknowledgement_timeout", "it lies between a minute and seven days"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
