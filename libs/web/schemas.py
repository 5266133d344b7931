"""What the bodies of all services are made of."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError


class Body(BaseModel):
    """A request's body: a field it does not declare is refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def example(**body: Any) -> ConfigDict:  # noqa: ANN401  any JSON
    """`model_config` of a body that is sent like *body*."""
    return ConfigDict(json_schema_extra={"examples": [body]})


def never_null(what: str) -> Callable[[str | None], str]:
    """A validator of a field that a merge patch (RFC 7396) may leave out or change, and never take away from *what*."""

    def check(value: str | None) -> str:
        if value is None:
            kind, message = "null", "{what} has one; leave it out, or send another"
            raise PydanticCustomError(kind, message, {"what": what})
        return value

    return check


_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"  # RFC 1123 label, as in Kubernetes


def _label(name: str) -> str:
    if not re.fullmatch(_NAME, name, re.ASCII):
        kind, message = "name", "use 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last"
        raise PydanticCustomError(kind, message)
    return name


Name = Annotated[str, AfterValidator(_label), WithJsonSchema({"type": "string", "pattern": _NAME})]
Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),  # people read it in lists
]


def _lines(text: str) -> str:
    """*text* with ends of lines as they are stored; forms of browsers send others (HTML: CR LF)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


Text = Annotated[
    str,
    StringConstraints(max_length=10_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"),  # lines and tabs
    AfterValidator(_lines),
]
Filled = Annotated[Text, Field(min_length=1)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        kind, message = "moment", "use a time between the years 1 and 9999, also when it is put into UTC"
        raise PydanticCustomError(kind, message) from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
