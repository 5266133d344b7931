"""How the gateway's own refusals look over HTTP."""

from typing import Final

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.gateway.domain.errors import (
    ApiKeyNotFoundError,
    ApiKeyTakenError,
    GrantExceededError,
    InvalidApiKeyError,
)

ERRORS: Final[Errors] = {
    ApiKeyNotFoundError: ErrorKind(404, "not-found", "There is no such API key"),
    ApiKeyTakenError: ErrorKind(409, "api-key-taken", "The id belongs to another key"),
    GrantExceededError: ErrorKind(403, "grant-exceeded", "You may not hand this out"),
    InvalidApiKeyError: ErrorKind(422, "invalid-api-key", "The key cannot be made like this"),
}
