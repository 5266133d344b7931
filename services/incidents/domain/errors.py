"""What the rules of incidents refuse.

IncidentsError
├── AbsentError                 there is no such thing
├── UnknownReferenceError       what is asked names something that does not exist
├── IllegalTransitionError      not allowed in this state; names what is
├── AlertsFiringError           an incident does not resolve while alerts fire, unless forced
├── ReasonMissingError          what is asked needs a reason
├── RoleError                   a role of an incident is somebody else's, or nobody's
├── FieldError                  a typed field of incidents cannot be, or have, that
├── FieldsEmptyError            an incident leaves fields empty that it needs for what is asked
├── ImpactError                 a service cannot have been affected like that
├── MilestoneNotReachedError    a time that does not exist yet cannot be corrected
├── MilestoneOrderError         times that cannot have been in this order
├── IntegrationTakenError       there is an integration of that name
├── MatcherError                a condition on labels cannot be read
├── SilenceError                a silence that would be too wide or too long
├── PostmortemIncompleteError   a postmortem is not published before it says enough
├── OwnerLeftError              who is to own it is not here any more
├── UnknownVersionError         it has no such version
├── TemplateOutdatedError       a template was written from a version that is not the newest
└── OnCallError                 of people, rotations and schedules (`on_call/errors.py`)
"""

from collections.abc import Sequence
from typing import Final

_NAMED: Final = 10  # alerts, of thousands


class IncidentsError(Exception):
    """Anything these rules refuse."""


class AbsentError(IncidentsError):
    """There is no such thing."""

    def __init__(self, kind: str, path: str = "") -> None:
        super().__init__(f"there is no such {kind}; GET {path or f'/v1/{kind}s'} lists them")


class UnknownReferenceError(IncidentsError):
    """What is asked names something that does not exist; *place* is where, unless the field is called as the *kind*."""

    def __init__(self, kind: str, reference: str, remedy: str, place: str = "") -> None:
        super().__init__(f"there is no {kind} {reference!r}; {remedy}")
        self.field = place or kind


class IllegalTransitionError(IncidentsError):
    """Not allowed in this state; *remedy* says what to do where nothing is allowed any more."""

    def __init__(self, kind: str, state: str, verb: str, allowed: Sequence[str], remedy: str = "") -> None:
        choices = f"allowed now: {', '.join(allowed)}" if allowed else remedy or "nothing is allowed any more"
        super().__init__(f"the {kind} is {state}, which does not allow {verb}; {choices}")
        self.state, self.verb, self.allowed = state, verb, tuple(allowed)


class AlertsFiringError(IncidentsError):
    """An incident does not resolve while alerts fire, unless forced with a reason."""

    def __init__(self, alerts: Sequence[str]) -> None:
        self.alerts = tuple(alerts[:_NAMED])
        named = ", ".join(self.alerts) + (f" and {len(alerts) - _NAMED} more" if len(alerts) > _NAMED else "")
        super().__init__(f'alerts still fire: {named}; resolve them, or send {{"force": true, "reason": "..."}}')


class ReasonMissingError(IncidentsError):
    """What is asked needs a reason."""

    def __init__(self, verb: str) -> None:
        super().__init__(f"{verb} needs a reason that says why")
        self.verb = verb


class RoleError(IncidentsError):
    """A role of an incident is somebody else's, or nobody's; *holder* has it."""

    def __init__(self, role: str, why: str, holder: str) -> None:
        super().__init__(f"the role {role.replace('_', ' ')}: {why}")
        self.role, self.holder = role, holder


class FieldError(IncidentsError):
    """A typed field of incidents cannot be, or have, that."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"the field {field!r}: {why}")
        self.field = field


class FieldsEmptyError(IncidentsError):
    """An incident leaves fields empty that it needs for what is asked."""

    def __init__(self, verb: str, fields: Sequence[str]) -> None:
        super().__init__(f'to {verb} it, fill in {", ".join(fields)}: PATCH it with {{"fields": {{...}}}}')
        self.fields = tuple(fields)


class ImpactError(IncidentsError):
    """A service cannot have been affected like that; *index* says which of those that were sent."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index


class MilestoneNotReachedError(IncidentsError):
    """A time that does not exist yet cannot be corrected, nor entered by hand while its verb can still say it."""

    def __init__(self, milestone: str) -> None:
        super().__init__(f"the incident is not {milestone} yet; say so by its verb, then the time can be corrected")
        self.milestone = milestone


class MilestoneOrderError(IncidentsError):
    """Times that cannot have been in this order."""

    def __init__(self, milestone: str, rule: str) -> None:
        super().__init__(rule)
        self.milestone = milestone


class IntegrationTakenError(IncidentsError):
    """There is an integration of that name."""

    def __init__(self, integration: str, why: str, remedy: str = "") -> None:
        super().__init__(f"{integration!r} {why}; take another name{remedy}")
        self.field = "name"


class MatcherError(IncidentsError):
    """A condition on labels cannot be read."""

    def __init__(self, matcher: str, remedy: str, field: str = "matchers") -> None:
        super().__init__(f"{matcher[:100]!r} is no condition on a label; {remedy}")
        self.matcher, self.remedy, self.field = matcher, remedy, field


class SilenceError(IncidentsError):
    """A silence that would be too wide or too long; *field* says where."""

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(f"{field} {remedy}")
        self.field = field


class PostmortemIncompleteError(IncidentsError):
    """A postmortem is not published before it says enough."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            f"the postmortem does not say enough; still empty: {', '.join(missing)}"
            " (no_action_reason only counts where no action item follows)"
        )
        self.missing = tuple(missing)


class OwnerLeftError(IncidentsError):
    """Who is to own it, to help with it, or to read it, is not here any more; *place* names them."""

    def __init__(self, person: str, place: str) -> None:
        super().__init__(f"{person} is not here any more; name somebody who is (GET /v1/people)")
        self.place = place


class TemplateOutdatedError(IncidentsError):
    """A template was written from a version that is not the newest."""

    def __init__(self, template: str, newest: int) -> None:
        super().__init__(
            f"the newest version of {template!r} is {newest}; read it, put your changes in, and send it with"
            f" version: {newest}"
        )
        self.newest = newest


class UnknownVersionError(IncidentsError):
    """It has no such version."""

    def __init__(self, version: int, newest: int) -> None:
        super().__init__(f"there is no version {version}; the newest is {newest}, and /versions lists them")
