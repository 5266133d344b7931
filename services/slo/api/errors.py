"""How the refusals of slo look over HTTP."""

from typing import Any

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.slo.documents import UnreadableError
from services.slo.domain.errors import (
    InvalidSourceError,
    InvalidWindowError,
    NoSuchObjectError,
    NoSuchSloError,
    NoSuchSourceError,
    SloExistsError,
    SourceRetiredError,
)


def _place(error: UnreadableError) -> dict[str, Any]:
    return {"line": error.line, "column": error.column, "errors": [{"detail": str(error), "pointer": ""}]}


def _wrong(error: InvalidSourceError) -> dict[str, Any]:
    return {"errors": [{"detail": detail, "pointer": pointer} for pointer, detail in error.wrong]}


ERRORS: Errors = {
    NoSuchSloError: ErrorKind(404, "not-found", "There is no such SLO"),
    NoSuchObjectError: ErrorKind(404, "not-found", "There is no such object"),
    SloExistsError: ErrorKind(
        409, "slo-exists", "The name has another definition", extra=lambda error: {"revision": error.revision}
    ),
    InvalidWindowError: ErrorKind(422, "invalid-window", "The window cannot be laid out"),
    NoSuchSourceError: ErrorKind(404, "not-found", "There is no such source"),
    SourceRetiredError: ErrorKind(409, "source-retired", "The source was retired"),
    InvalidSourceError: ErrorKind(422, "invalid-source", "The source cannot be asked like that", extra=_wrong),
    UnreadableError: ErrorKind(422, "unreadable-document", "The text holds no documents", extra=_place),
}
