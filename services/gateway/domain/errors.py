"""What the gateway's rules refuse.

GatewayError
├── InvalidApiKeyError        the key cannot be made as described
├── GrantExceededError        the maker may not hand out what it asks for
├── ApiKeyNotFoundError       there is no such key
└── ApiKeyTakenError          the id belongs to a key with another secret
"""


class GatewayError(Exception):
    """Anything the gateway's rules refuse."""


class InvalidApiKeyError(GatewayError):
    """The key cannot be made as described."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field, self.detail = field, detail


class GrantExceededError(GatewayError):
    """The maker may not hand out what it asks for."""


class ApiKeyNotFoundError(GatewayError):
    """There is no such key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no API key {key}; `GET /v1/api-keys` lists them")


class ApiKeyTakenError(GatewayError):
    """The id belongs to a key with another secret."""
