"""API keys: make, look at, revoke; and whom one speaks for."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query
from sqlalchemy import RowMapping, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.clock import Clock
from libs.events.handler import Outcome
from libs.events.ids import new_id
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import PrincipalDep, needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.gateway.api.dependencies import KeysDep
from services.gateway.api.schemas import ApiKeyItem, CreatedApiKey, NewApiKey, Whoami
from services.gateway.auth.keys import WHOAMI
from services.gateway.auth.secrets import new_key
from services.gateway.contract import API_KEY
from services.gateway.domain.api_key.commands import CreateApiKey, RevokeApiKey
from services.gateway.domain.api_key.decider import ApiKey, Revoked, Valid
from services.gateway.domain.errors import ApiKeyNotFoundError
from services.gateway.projections.api_keys import API_KEYS

router = Router(prefix="/v1", tags=["api-keys"])


@router.get("/whoami", openapi_extra=needs(WHOAMI))
async def whoami(principal: PrincipalDep) -> Whoami:
    """Tell whom the key of this request speaks for."""
    return Whoami(
        name=principal.name,
        kind=principal.kind,
        scopes=sorted(principal.scopes - {WHOAMI}),
        auth_method=principal.auth_method,
        api_key=principal.client,
    )


@router.post(
    "/api-keys",
    status_code=201,
    response_model=CreatedApiKey,
    openapi_extra=needs("api-keys.write"),
    responses=responses(403),
)
async def create_api_key(body: NewApiKey, call: CallDep) -> Response:
    """Make a key. Its text is in this answer and nowhere else."""
    key = new_key(str(new_id()))
    principal, at = call.principal, call.context.at
    command = CreateApiKey(
        key=key.id,
        secret_hash=key.secret_hash,
        owner=body.owner,
        owner_kind=body.owner_kind,
        description=body.description,
        scopes=tuple(body.scopes),
        expires_at=body.expires_at,
        by=principal.name,
        by_kind=principal.kind,
        granted=principal.scopes,
        at=at,
    )

    def shown(outcome: Outcome[ApiKey]) -> dict[str, Any]:
        # The answer may be kept under an Idempotency-Key, and the secret must not be kept anywhere.
        return {**_item(key.id, outcome.state, call.resources.clock), "key": None}

    location = f"/v1/api-keys/{key.id}"
    answer = await call.handle(API_KEY, key.id, command, body=shown, status=201, location=location)
    if "Idempotency-Replayed" in answer.headers:
        return answer
    body_with_key = {**msgspec.json.decode(answer.body), "key": str(key)}
    del answer.headers["content-length"]
    return Response(msgspec.json.encode(body_with_key), 201, answer.headers)


@router.get("/api-keys", openapi_extra=needs("api-keys.read"), dependencies=[fresh(API_KEYS)])
async def list_api_keys(
    resources: ResourcesDep, page: PageDep, owner: Annotated[list[str] | None, Query()] = None
) -> Page[ApiKeyItem]:
    """List the keys, those that are over too."""
    view, now = API_KEYS.view, resources.clock.now()
    query = select(view).where(view.c.owner.in_(owner)) if owner else select(view)

    def item(row: RowMapping) -> ApiKeyItem:
        ended = "revoked" if row["revoked_at"] else "expired"
        over = row["revoked_at"] or (row["expires_at"] and row["expires_at"] <= now)
        return ApiKeyItem(id=row["key"], state=ended if over else "valid", **row)

    return await resources.views.read(page.fetch, query, key=view.c.key, item=item)


@router.get("/api-keys/{id}", response_model=ApiKeyItem, openapi_extra=needs("api-keys.read"), responses=responses(404))
async def get_api_key(id: str, resources: ResourcesDep, request: Request) -> Response:  # noqa: A002  as in the path
    """Look at a key."""
    loaded = await resources.handler.load(API_KEY, id)
    return etag.answer(request, _item(id, loaded.state, resources.clock), version=loaded.version)


@router.delete(
    "/api-keys/{id}", response_model=ApiKeyItem, openapi_extra=needs("api-keys.write"), responses=responses(404)
)
async def revoke_api_key(
    id: str,  # noqa: A002  as in the path
    call: CallDep,
    keys: KeysDep,
    reason: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """End a key for good; it stays readable."""
    command = RevokeApiKey(id, call.principal.name, reason, call.context.at)
    clock = call.resources.clock
    try:
        return await call.handle(API_KEY, id, command, body=lambda outcome: _item(id, outcome.state, clock))
    finally:
        keys.forget(id)


def _item(key: str, state: ApiKey, clock: Clock) -> dict[str, Any]:
    match state:
        case None:
            raise ApiKeyNotFoundError(key)
        case Valid():
            return _described(key, state, "expired" if state.expired(clock.now()) else "valid")
        case Revoked(was=was, by=by, reason=reason, at=at):
            return _described(key, was, "revoked") | {"revoked_by": by, "revoked_at": at, "revoked_reason": reason}


def _described(key: str, valid: Valid, state: Literal["valid", "expired", "revoked"]) -> dict[str, Any]:
    return {
        "id": key,
        "owner": valid.owner,
        "owner_kind": valid.owner_kind,
        "description": valid.description,
        "scopes": valid.scopes,
        "state": state,
        "expires_at": valid.expires_at,
        "created_by": valid.created_by,
        "created_at": valid.created_at,
        "revoked_by": None,
        "revoked_at": None,
        "revoked_reason": None,
    }
