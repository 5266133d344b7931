"""The gateway's app: its own routes behind the front that everything passes."""

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware

from libs.events.resources import Resources
from libs.web import openapi
from libs.web.app import create_service_app
from libs.web.auth import principal
from services.gateway.api import api_keys, events, live, overview, stream
from services.gateway.api import services as services_api
from services.gateway.api.document import SELF, Document, merge, owners_documents
from services.gateway.api.errors import ERRORS
from services.gateway.api.front import Forwarder, Front
from services.gateway.api.routing import Operation, Routes, operations
from services.gateway.auth.keys import ApiKeys
from services.gateway.auth.tokens import Tokens
from services.gateway.clients import Owner
from services.gateway.config import GatewaySettings


def create_app(
    resources: Resources,
    settings: GatewaySettings,
    owners: Mapping[str, Owner],
    documents: Mapping[str, Document] | None = None,
) -> FastAPI:
    """The gateway's app; it opens and closes nothing.

    Args:
        resources: The gateway's adapters, open.
        settings: Its settings.
        owners: Whom it forwards to, by service.
        documents: The owners' OpenAPI documents; the committed ones unless given.
    """
    keys = ApiKeys(resources.handler, resources.clock, settings.api_key_refresh_s)
    forwarder = Forwarder(owners, Tokens(settings.internal_key, resources.clock), settings.owner_timeout_s)
    app = create_service_app(
        resources=resources,
        title="Concordat gateway",
        routers=[api_keys.router, overview.router, services_api.router, events.router, stream.router, live.router],
        errors=ERRORS,
        settings=settings,
        authenticate=principal,  # the front has put it there
    )
    app.state.keys = keys
    app.state.forwarder = forwarder
    app.state.streams = 0
    app.openapi = cache(lambda: merge(_documents(app, documents)))
    app.user_middleware += [
        Middleware(ExceptionMiddleware, handlers=app.exception_handlers),  # the front's refusals are problems too
        Middleware(
            Front,
            routes=Routes(_operations(_documents(app, documents))),
            keys=keys,
            forwarder=forwarder,
            request_bytes=settings.request_bytes,
        ),
    ]
    return app


def _documents(app: FastAPI, owners: Mapping[str, Document] | None) -> Mapping[str, Document]:
    """The document of each service; not kept, for they are large and seldom asked for."""
    return {SELF: openapi.document(app)} | dict(owners or owners_documents())


def _operations(documents: Mapping[str, Document]) -> Iterable[tuple[str, Operation]]:
    """All operations; a later one replaces an earlier one, so the gateway's own come last."""
    own_last = sorted(documents, key=SELF.__eq__)
    return chain.from_iterable(operations(service, documents[service]) for service in own_last)
