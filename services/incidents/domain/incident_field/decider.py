"""A field's rules: a choice has choices, nothing else has any; what is retired is defined anew to be used again."""

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from services.incidents.domain.errors import AbsentError, FieldError
from services.incidents.domain.incident_field.commands import Command, DefineField, RetireField
from services.incidents.domain.incident_field.events import Event, IncidentFieldDefined, IncidentFieldRetired

_LINK: Final = re.compile(r"https?://[^\s\x00-\x1f\x7f]+")
_LIKE: Final[dict[str, str]] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "url": "a link that begins with http:// or https://, without blanks",
}


@dataclass(frozen=True, slots=True)
class Defined:
    """Incidents may have it."""

    name: ClassVar[Literal["defined"]] = "defined"

    as_of: IncidentFieldDefined


@dataclass(frozen=True, slots=True)
class Retired:
    """Incidents are given no value any more."""

    name: ClassVar[Literal["retired"]] = "retired"

    as_of: IncidentFieldDefined


Field = Defined | Retired | None  # None: never defined


def decide(command: Command, state: Field) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such field.
        FieldError: A choice without choices, or choices of something else.
    """
    match state, command:
        case _, DefineField():
            return _defined(command, state)
        case None, RetireField():
            raise AbsentError("incident-field")
        case Retired(), RetireField():
            return ()
        case Defined(), RetireField(field=field, by=by, reason=reason, at=at):
            return (IncidentFieldRetired(field=field, by=by, reason=reason, at=at),)


def evolve(state: Field, event: Event) -> Field:
    """The state after one more fact."""
    match event:
        case IncidentFieldDefined():
            return Defined(event)
        case IncidentFieldRetired():
            return state and Retired(state.as_of)


def check_value(name: str, state: Field, value: object) -> None:
    """Return if *value* is one that the field *name* takes.

    Raises:
        FieldError: There is no such field (any more), or it takes other values.
    """
    if not isinstance(state, Defined):
        raise FieldError(name, "there is no such field; PUT /v1/incident-fields/{field} defines one")
    said = state.as_of
    if said.type == "choice":
        if value not in said.choices:
            raise FieldError(name, f"it takes one of {', '.join(said.choices)}")
    elif not _fits(said.type, value):
        raise FieldError(name, f"it takes {_LIKE[said.type]}")


def _fits(kind: str, value: object) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str) and bool(_LINK.fullmatch(value))


def _defined(command: DefineField, state: Field) -> tuple[Event, ...]:
    if (command.type == "choice") != bool(command.choices):
        raise FieldError(command.field, "a choice needs choices, and nothing else has any")
    if isinstance(state, Defined) and _said(state.as_of) == _said(command):
        return ()
    return (
        IncidentFieldDefined(
            field=command.field,
            display_name=command.display_name,
            type=command.type,
            choices=command.choices,
            description=command.description,
            required_to=command.required_to,
            by=command.by,
            reason=command.reason,
            at=command.at,
        ),
    )


def _said(each: IncidentFieldDefined | DefineField) -> tuple[object, ...]:
    return each.display_name, each.type, each.choices, each.description, each.required_to
