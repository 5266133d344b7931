"""`/v1/people/{person}/channels` and `/v1/teams/{team}/channels`: how people and teams are reached, and what is off."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Name
from services.incidents.api.addresses import check_addresses
from services.incidents.api.notification_schemas import (
    ChannelAnswer,
    ChannelsAnswer,
    SecretAnswer,
    SecretRotation,
    TeamAddress,
)
from services.incidents.api.schemas import Label, Why
from services.incidents.contract import CHANNEL
from services.incidents.domain.channel.commands import (
    Command,
    RemoveChannel,
    RotateSecret,
    SetChannel,
    SwitchOff,
    SwitchOn,
)
from services.incidents.domain.channel.decider import Channel, key_of
from services.incidents.domain.channel.events import ChannelKind
from services.incidents.domain.errors import AbsentError, UnknownReferenceError
from services.incidents.paging.links import Signing, signing
from services.incidents.projections.channels import CHANNELS, channels_of_team, switched_off
from services.incidents.projections.contacts import drop_before, drop_contact, write_contact
from services.incidents.projections.known_teams import KNOWN_TEAMS, knows_team
from services.incidents.projections.people import PEOPLE, contact_of

router = Router(prefix="/v1", tags=["notifications"])


@router.get(
    "/people/{person}/channels",
    response_model=ChannelsAnswer,
    openapi_extra=needs("people.write"),  # the secret is for who may change it
    responses=responses(404),
    dependencies=[fresh(PEOPLE, CHANNELS)],
)
async def list_person_channels(request: Request, resources: ResourcesDep, person: Label) -> Response:
    """The channels through which somebody is reached; addresses are changed with the person."""

    def found(connection: Connection) -> list[ChannelAnswer] | None:
        contact = contact_of(connection, person)
        if contact is None:
            return None
        off = switched_off(connection, person)
        kinds: tuple[ChannelKind, ...] = ("webhook", "slack", "email")
        return [ChannelAnswer(kind=kind, off=off.get(kind, "")) for kind in kinds if getattr(contact, kind)]

    items = await resources.views.read(found)
    if items is None:
        raise AbsentError("person", "/v1/people")
    return etag.answer(request, await _channels(resources, items, person=person))


@router.post(
    "/people/{person}/channels/{kind}:switch-off", response_model=ChannelAnswer, openapi_extra=needs("people.write")
)
async def switch_person_channel_off(
    call: CallDep, person: Label, kind: ChannelKind, body: Why | None = None
) -> Response:
    """Send nothing through it until it is switched on again."""
    reason = (body.reason if body else "") or f"by {call.principal.name}"
    return await _carry(
        call, SwitchOff(person=person, kind=kind, by=call.principal.name, reason=reason, at=call.context.at)
    )


@router.post(
    "/people/{person}/channels/{kind}:switch-on", response_model=ChannelAnswer, openapi_extra=needs("people.write")
)
async def switch_person_channel_on(
    call: CallDep, person: Label, kind: ChannelKind, body: Why | None = None
) -> Response:
    """Send through it again, such as after its address was corrected."""
    reason = body.reason if body else ""
    return await _carry(
        call, SwitchOn(person=person, kind=kind, by=call.principal.name, reason=reason, at=call.context.at)
    )


@router.post(
    "/people/{person}/channels/webhook:rotate-secret",
    response_model=SecretAnswer,
    openapi_extra=needs("people.write"),
    responses=responses(404),
    dependencies=[fresh(PEOPLE)],
)
async def rotate_person_secret(call: CallDep, person: Label, body: SecretRotation | None = None) -> Response:
    """Sign the messages to somebody's webhook with another secret.

    Both sign until the overlap is over: who knows one of them accepts what is sent. Asked again before, it changes
    nothing, unless without any overlap: then another secret is made, and it alone signs at once.
    """
    if await call.resources.views.read(contact_of, person) is None:
        raise AbsentError("person", "/v1/people")
    return await _rotate(call, body or SecretRotation(), person=person)


@router.get(
    "/teams/{team}/channels",
    response_model=ChannelsAnswer,
    openapi_extra=needs("teams.write"),
    dependencies=[fresh(CHANNELS)],
)
async def list_team_channels(request: Request, resources: ResourcesDep, team: Name) -> Response:
    """The channels of a team: they hear what nobody could be called for, and its digests."""
    rows = await resources.views.read(channels_of_team, team)
    items = [ChannelAnswer(kind=row["kind"], off=row["off"]) for row in rows]
    return etag.answer(request, await _channels(resources, items, team=team))


@router.put(
    "/teams/{team}/channels/{kind}",
    response_model=ChannelAnswer,
    openapi_extra=needs("teams.write"),
    responses=responses(422),
    dependencies=[fresh(KNOWN_TEAMS)],
)
@retried_on_conflict
async def set_team_channel(
    request: Request, call: CallDep, team: Name, kind: ChannelKind, body: TeamAddress
) -> Response:
    """Reach a team at this address; it stands outside of the log, and is not shown again."""
    views = call.resources.views
    if not await views.read(knows_team, team):
        raise UnknownReferenceError("team", team, "register it first (POST /v1/teams)")
    if ("@" in body.address and "://" not in body.address) != (kind == "email"):
        detail = (
            f"a channel of the kind {kind} is reached at {'an e-mail' if kind == 'email' else 'an http(s)'} address"
        )
        raise Problem(422, "invalid", "The address does not fit", detail, [Place(detail, "/address")])
    check_addresses(request, {kind: body.address}, "/address")
    holder = key_of(kind, team=team)
    call = call.pinned(await call.resources.handler.load(CHANNEL, holder))  # of two at once one is refused
    contact = str(new_id())
    await views.write(write_contact, contact, holder, {"address": body.address})
    command = SetChannel(team=team, kind=kind, contact=contact, by=call.principal.name, at=call.context.at)
    try:
        answer = await _carry(call, command)
    except Exception:
        await views.write(drop_contact, contact)
        raise
    await views.write(drop_before, holder, contact)
    return answer


@router.delete(
    "/teams/{team}/channels/{kind}",
    response_model=ChannelAnswer,
    openapi_extra=needs("teams.write"),
    responses=responses(404),
)
@retried_on_conflict
async def remove_team_channel(call: CallDep, team: Name, kind: ChannelKind) -> Response:
    """Reach the team through it no more; its address is erased."""
    holder, now = key_of(kind, team=team), str(new_id())
    call = call.pinned(await call.resources.handler.load(CHANNEL, holder))
    answer = await _carry(call, RemoveChannel(team=team, kind=kind, by=call.principal.name, at=call.context.at))
    await call.resources.views.write(drop_before, holder, now)
    return answer


@router.post(
    "/teams/{team}/channels/webhook:rotate-secret",
    response_model=SecretAnswer,
    openapi_extra=needs("teams.write"),
    responses=responses(404),
)
async def rotate_team_secret(call: CallDep, team: Name, body: SecretRotation | None = None) -> Response:
    """Sign the messages to a team's webhook with another secret, as a person's are."""
    return await _rotate(call, body or SecretRotation(), team=team)


async def _rotate(call: Call, asked: SecretRotation, **whose: str) -> Response:
    signed, at = await signing(call.resources.views), call.context.at
    command = RotateSecret(
        **whose,
        kind="webhook",
        secret=new_id().hex,
        until=at + asked.overlap,
        by=call.principal.name,
        reason=asked.reason,
        at=at,
    )
    return await call.handle(
        CHANNEL,
        key_of("webhook", **whose),
        command,
        body=lambda outcome: SecretAnswer(**_secret(signed, outcome.state, at, **whose)),
    )


async def _channels(resources: Resources, items: list[ChannelAnswer], **whose: str) -> ChannelsAnswer:
    signed = await signing(resources.views)
    channel = (await resources.handler.load(CHANNEL, key_of("webhook", **whose))).state
    return ChannelsAnswer(items=items, **_secret(signed, channel, resources.clock.now(), **whose))


def _secret(signed: Signing, channel: Channel, at: datetime, **whose: str) -> dict[str, Any]:
    ((kind, name),) = whose.items()
    secret = signed.webhook_secret(f"{kind}/{name}", channel.secret)
    return {"webhook_secret": secret, "former_secret_until": channel.two_until(at)}


async def _carry(call: Call, command: Command) -> Response:
    key = key_of(command.kind, person=command.person, team=command.team)
    return await call.handle(
        CHANNEL, key, command, body=lambda outcome: ChannelAnswer(kind=command.kind, off=outcome.state.off)
    )
