"""The API keys, for the list; who may do what is decided on the folded key, not here."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Text

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.gateway.contract import CONTRACT
from services.gateway.domain.api_key.events import ApiKeyCreated, ApiKeyRevoked


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("key", Text, primary_key=True),
        Column("owner", Text, nullable=False),
        Column("owner_kind", Text, nullable=False),
        Column("description", Text, nullable=False),
        Column("scopes", Json(), nullable=False),
        Column("expires_at", Instant()),
        Column("created_by", Text, nullable=False),
        Column("created_at", Instant(), nullable=False),
        Column("revoked_by", Text),
        Column("revoked_at", Instant()),
        Column("revoked_reason", Text),
    )


def _keys(event: ApiKeyCreated | ApiKeyRevoked, _: Recorded) -> Sequence[Key]:
    return ((event.key,),)


def _created(_: Row | None, event: ApiKeyCreated, __: Recorded, ___: Key) -> Row:
    return {
        "key": event.key,
        "owner": event.owner,
        "owner_kind": event.owner_kind,
        "description": event.description,
        "scopes": list(event.scopes),
        "expires_at": event.expires_at,
        "created_by": event.by,
        "created_at": event.at,
        "revoked_by": None,
        "revoked_at": None,
        "revoked_reason": None,
    }


def _revoked(row: Row | None, event: ApiKeyRevoked, _: Recorded, __: Key) -> Row | None:
    ended = {"revoked_by": event.by, "revoked_at": event.at, "revoked_reason": event.reason}
    return row and row | ended


API_KEYS: Final = Projection(
    name="api_keys",
    columns=_columns,
    events=CONTRACT,
    folds={ApiKeyCreated: Fold(_keys, _created), ApiKeyRevoked: Fold(_keys, _revoked)},
    sources=("gateway",),
    indexes=(("owner",),),
)
