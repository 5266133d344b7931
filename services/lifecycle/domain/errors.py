"""What lifecycle refuses, and why.

LifecycleError
├── NameTakenError                 a team or service of this name exists, or did
├── UnknownError                   what the command is for does not exist
├── UnknownReferenceError          what the command names does not exist
├── ReferenceEndedError            what the command names has ended
├── NotUnsupportedError            only an unsupported service can be revived
├── StillSupportedError            only an unsupported service can be decommissioned
├── GrandfatheringError            an import asks for more grace than the policy gives
├── InTheFutureError               evidence of something that has not happened yet
├── ServiceUnsupportedError        phase 7 is terminal
├── TransitionError
│   ├── IllegalTransitionError     no way leads there from here
│   ├── GateNotPassedError         a blocking check is not met
│   ├── EvaluationOutdatedError    the evaluation no longer speaks for the service
│   ├── TransitionPendingError     another transition waits for approval
│   ├── TransitionDecidedError     it was decided otherwise before
│   ├── NotARequesterError         the policy names others who may ask for it
│   └── SecondPersonError          the approver must be another person
├── NotAnApproverError             the policy names other approvers
└── RecordedOtherwiseError         the same id already stands for something else
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from services.lifecycle.domain.phases import Move, Phase

if TYPE_CHECKING:
    from services.lifecycle.domain.gates import Verdict


class LifecycleError(Exception):
    """Anything that lifecycle refuses."""


class NameTakenError(LifecycleError):
    """A team or service of this name exists, or did: names are never used again."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"a {noun} named {name!r} exists already; names are never used again, choose another")
        self.noun, self.name = noun, name


class UnknownError(LifecycleError):
    """What the command is for does not exist."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"there is no {noun} {name!r}")
        self.noun, self.name = noun, name


class UnknownReferenceError(LifecycleError):
    """What a field of the command names does not exist."""

    def __init__(self, noun: str, name: str, field: str) -> None:
        super().__init__(f"there is no {noun} {name!r}; register it first, or name another")
        self.noun, self.name, self.field = noun, name, field


class ReferenceEndedError(LifecycleError):
    """What a field of the command names has ended: nothing new is tied to it."""

    def __init__(self, noun: str, name: str, field: str, onward: str = "") -> None:
        super().__init__(f"the {noun} {name!r} has ended; name {onward or 'another'}")
        self.noun, self.name, self.field = noun, name, field


class NotUnsupportedError(LifecycleError):
    """Only a service that has come to its end can be revived."""

    def __init__(self, service: str, phase: Phase) -> None:
        super().__init__(f"{service!r} is in phase {phase}; only an unsupported service can be revived")
        self.service, self.phase = service, phase


class StillSupportedError(LifecycleError):
    """Only a service that has come to its end can be decommissioned."""

    def __init__(self, service: str, phase: Phase) -> None:
        super().__init__(f"{service!r} is in phase {phase}; move it to unsupported first, then remove what is left")
        self.service, self.phase = service, phase


class GrandfatheringError(LifecycleError):
    """An import asks for more grace than the policy gives, or for grace it does not need."""

    def __init__(self, latest: datetime | None) -> None:
        super().__init__(
            f"grandfathered_until may be at most {latest.isoformat()}"
            if latest
            else "a service that starts in the first phase has nothing to be grandfathered for; leave it out"
        )
        self.latest = latest


class InTheFutureError(LifecycleError):
    """Evidence speaks of something that has not happened yet."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"{at.isoformat()} is in the future; say when it was done")
        self.at = at


class ServiceUnsupportedError(LifecycleError):
    """The last phase is terminal."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service!r} is unsupported, which is final; register a new service that revives it")
        self.service = service


class TransitionError(LifecycleError):
    """A service may not move as asked."""


class IllegalTransitionError(TransitionError):
    """No way leads there from here."""

    def __init__(self, phase: Phase, target: Phase, allowed: Mapping[Phase, Move]) -> None:
        ways = ", ".join(allowed) or "nowhere; register a new service that revives this one"
        super().__init__(f"no transition leads from {phase} to {target}; allowed: {ways}")
        self.phase, self.target, self.allowed = phase, target, allowed


class GateNotPassedError(TransitionError):
    """A blocking check is not met; each says how to fix it."""

    def __init__(self, verdict: "Verdict") -> None:
        failed = ", ".join(check.id for check in verdict.failed)
        super().__init__(f"the gate to {verdict.phase} is not passed: {failed}")
        self.verdict = verdict


class EvaluationOutdatedError(TransitionError):
    """The evaluation no longer speaks for the service."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"the gate evaluation cannot be used: {'; '.join(reasons)}; evaluate the gate again")
        self.reasons = tuple(reasons)


class TransitionPendingError(TransitionError):
    """Another transition waits for approval."""

    def __init__(self, transition: str) -> None:
        super().__init__(f"transition {transition} waits for approval; have it approved or declined first")
        self.transition = transition


class TransitionDecidedError(TransitionError):
    """It was decided otherwise before."""

    def __init__(self, transition: str, decision: str) -> None:
        super().__init__(f"transition {transition} was {decision}; ask for a new one")
        self.transition, self.decision = transition, decision


class SecondPersonError(TransitionError):
    """The approver must be a person other than the one who asked."""

    def __init__(self, requested_by: str) -> None:
        super().__init__(f"{requested_by!r} asked for this transition; another person, not a machine, approves it")
        self.requested_by = requested_by


class NotARequesterError(TransitionError):
    """The policy names others who may ask for it."""

    def __init__(self, name: str, people: Iterable[str], roles: Iterable[str]) -> None:
        who, what = ", ".join(sorted(people)), " or ".join(roles)
        super().__init__(f"{name!r} may not ask for this move; it takes {what}: {who}")
        self.people = tuple(sorted(people))


class RecordedOtherwiseError(LifecycleError):
    """The same id already stands for something else."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"{noun} {name} is recorded with other content")
        self.noun, self.name = noun, name


class NotAnApproverError(LifecycleError):
    """The policy names others."""

    def __init__(self, name: str, people: Iterable[str], roles: Iterable[str]) -> None:
        who, what = ", ".join(sorted(people)), " or ".join(roles)
        super().__init__(f"{name!r} may not approve this; it takes {what}: {who}")
        self.people = tuple(sorted(people))
