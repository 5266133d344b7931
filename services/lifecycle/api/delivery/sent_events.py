"""What CI/CD sends: JSON of this API, bare or as a CloudEvent, or CDEvents as they are."""

from collections.abc import Mapping
from typing import TypeVar, cast

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from libs.web.problems import Place, Problem
from services.lifecycle.exchange.cdevents import CdEvent, UnreadableEventError, is_cdevent, read_cdevent

M = TypeVar("M", bound=BaseModel)


def unwrapped(value: object) -> tuple[object, str]:
    """What a CloudEvent in structured mode is about, and where that stands; anything else as it is."""
    if isinstance(value, dict) and "specversion" in value:
        return cast("dict[str, object]", value).get("data"), "/data"
    return value, ""


def cdevent_in(value: object, pointer: str) -> CdEvent | None:
    """The CDEvent that *value* is; None: it is none.

    Raises:
        Problem: 422, it cannot be read.
    """
    if not is_cdevent(value):
        return None
    try:
        return read_cdevent(value, pointer)
    except UnreadableEventError as error:
        place = Place(error.detail, error.pointer)
        raise Problem(422, "unreadable-event", "The event cannot be read", error.detail, [place]) from error


def validated(model: type[M], value: object, defaults: Mapping[str, object]) -> M:
    """*value* as a body of this API; *defaults* are what it does not say.

    Raises:
        RequestValidationError: It is none; answered as for any body.
    """
    whole = {**defaults, **cast("dict[str, object]", value)} if isinstance(value, dict) else value
    try:
        return model.model_validate(whole)
    except ValidationError as error:
        raise RequestValidationError([{**found, "loc": ("body", *found["loc"])} for found in error.errors()]) from error
