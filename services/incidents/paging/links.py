"""Links that acknowledge an incident, and secrets of webhooks: both follow from one key of the installation.

A link names a notification and when it ends, and is signed; what it may do stands in the notification: once.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_bytes
from typing import Final

from sqlalchemy import Column, Connection, MetaData, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite

from libs.events.views import Views
from services.incidents.domain.escalation.errors import LinkError

LASTS: Final = timedelta(days=1)
_KEYS: Final = Table(
    "incidents_keys", MetaData(), Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)
_NAME: Final = "paging"


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs with the key of this installation."""

    key: bytes

    def link(self, notification: str, at: datetime) -> str:
        """The last part of a link's path, which acknowledges until a day after *at*."""
        said = f"{notification}.{int((at + LASTS).timestamp())}"
        return f"{said}.{self._mark(said)}"

    def read(self, link: str, at: datetime) -> str:
        """The notification that *link* is of.

        Raises:
            LinkError: Nobody here signed it, or it is over.
        """
        said, _, mark = link.rpartition(".")
        notification, _, until = said.rpartition(".")
        if not notification or not hmac.compare_digest(mark.encode(), self._mark(said).encode()):
            raise LinkError("the link is not one of ours, or was cut; copy all of it")
        if at >= datetime.fromtimestamp(int(until), UTC):
            raise LinkError("the link is over after a day; acknowledge with POST /v1/incidents/{id}:acknowledge")
        return notification

    def webhook_secret(self, holder: str, secret: str) -> str:
        """What signs the messages to the webhook of *holder*: the one that *secret* names (Standard Webhooks)."""
        said = f"webhook/{holder}/{secret}" if secret else f"webhook/{holder}"  # the first has no name
        return "whsec_" + base64.b64encode(self._digest(said)).decode()

    def _mark(self, said: str) -> str:
        return base64.urlsafe_b64encode(self._digest(f"link/{said}")[:24]).decode()

    def _digest(self, said: str) -> bytes:
        return hmac.new(self.key, said.encode(), sha256).digest()


async def signing(views: Views) -> Signing:
    """The key of this installation, made by whoever asks first."""
    kept = await views.read(_read)
    if kept is None:
        kept = await views.write(_make, base64.b64encode(token_bytes(32)).decode())
    try:
        return Signing(base64.b64decode(kept))
    except binascii.Error as error:
        message = f"the key {_NAME!r} in incidents_keys is damaged; restore it, or remove it to have another made"
        raise RuntimeError(message) from error


def _read(connection: Connection) -> str | None:
    found: str | None = connection.execute(select(_KEYS.c.value).where(_KEYS.c.name == _NAME)).scalar_one_or_none()
    return found


def _make(connection: Connection, value: str) -> str:
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_KEYS)
    connection.execute(insert.on_conflict_do_nothing(), {"name": _NAME, "value": value})
    return _read(connection) or value
