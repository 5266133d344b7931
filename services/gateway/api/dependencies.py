"""What the gateway's own routes ask for."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from services.gateway.api.front import Forwarder
from services.gateway.auth.keys import ApiKeys
from services.gateway.config import GatewaySettings


async def _keys(request: Request) -> ApiKeys:
    found: ApiKeys = request.app.state.keys
    return found


async def _forwarder(request: Request) -> Forwarder:
    found: Forwarder = request.app.state.forwarder
    return found


async def _settings(request: Request) -> GatewaySettings:
    found: GatewaySettings = request.app.state.settings
    return found


KeysDep = Annotated[ApiKeys, Depends(_keys)]
ForwarderDep = Annotated[Forwarder, Depends(_forwarder)]
SettingsDep = Annotated[GatewaySettings, Depends(_settings)]
