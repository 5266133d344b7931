"""The text of an API key, `cc_<id>_<secret>`, and what is kept of it."""

from hashlib import sha256
from secrets import token_urlsafe
from typing import NamedTuple

_PREFIX = "cc"  # lets secret scanners find a key that was committed by accident
_SECRET_BYTES = 32  # 256 random bits: a plain hash is enough, there is nothing to guess


class KeyText(NamedTuple):
    """A key as its holder has it."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"{_PREFIX}_{self.id}_{self.secret}"

    @property
    def secret_hash(self) -> str:
        """What the gateway keeps."""
        return sha256(self.secret.encode()).hexdigest()


def new_key(key_id: str) -> KeyText:
    """A key nobody had before."""
    return KeyText(key_id, token_urlsafe(_SECRET_BYTES))


def parse_key(text: str) -> KeyText | None:
    """The parts of *text*; None if it is no key."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    return KeyText(key_id, secret) if prefix == _PREFIX and key_id and secret else None
