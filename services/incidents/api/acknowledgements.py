"""`/v1/acknowledgements/{link}`: one click in a message takes an incident on. The link itself is the permission.

A GET shows a page with a button and changes nothing: mail scanners and previews of links follow links too.
"""

from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from libs.events.envelope import Context, Metadata
from libs.events.handler import Step
from libs.events.resources import Resources
from libs.web.app import ResourcesDep
from libs.web.auth import PUBLIC
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.contract import INCIDENT, NOTIFICATION
from services.incidents.domain.errors import IllegalTransitionError
from services.incidents.domain.escalation.errors import LinkError
from services.incidents.domain.incident.commands import Acknowledge
from services.incidents.domain.notification.commands import UseLink
from services.incidents.domain.notification.decider import Sent
from services.incidents.effects import incident_effects
from services.incidents.paging.links import signing
from services.incidents.paging.waking import reassuring

router = Router(prefix="/v1/acknowledgements", tags=["notifications"])

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_HTML: Final = {"content": {"text/html": {}}, "description": "A page."}


@router.get("/{link}", openapi_extra=PUBLIC, response_class=HTMLResponse, responses={200: _HTML, **responses(404, 410)})
async def show_acknowledgement(resources: ResourcesDep, link: str) -> Response:
    """Show what would be acknowledged, with a button that does it."""
    sent = await _sent(resources, link)
    said = "It was used already." if sent.used else '<form method="post"><button autofocus>Acknowledge</button></form>'
    return _page(sent, said)


@router.post(
    "/{link}", openapi_extra=PUBLIC, response_class=HTMLResponse, responses={200: _HTML, **responses(404, 409, 410)}
)
async def acknowledge_by_link(request: Request, resources: ResourcesDep, link: str) -> Response:
    """Take the incident on, in the name of whom the message was for; a link does so once."""
    sent = await _sent(resources, link)
    message, at = sent.message, resources.clock.now()
    metadata = Metadata(
        actor=message.person, auth_method="acknowledgement-link", request_id=request.scope["state"]["request_id"]
    )
    command = Acknowledge(by=message.person, reason=f"by the link in a {message.channel} message", at=at)
    use = UseLink(at=at)
    try:
        outcome = await resources.handler.handle(
            INCIDENT,
            message.incident,
            command,
            Context.of_request(at, metadata),
            effects=incident_effects,
            also=(Step(NOTIFICATION, sent.notification, use), reassuring(message.incident, command)),
        )
    except IllegalTransitionError as error:
        return _page(sent, f"It cannot be acknowledged any more: {escape(str(error))}.", 409)
    before = outcome.state.record.acknowledged_by if outcome.state else ""
    others = f" {escape(before)} took it on before." if before and before != message.person else ""
    return _page(sent, f"Acknowledged by {escape(message.person)}.{others}")


async def _sent(resources: Resources, link: str) -> Sent:
    """The notification that *link* came with.

    Raises:
        LinkError: It is none of ours, over, or for nobody.
    """
    signed = await signing(resources.views)
    state = (await resources.handler.load(NOTIFICATION, signed.read(link, resources.clock.now()))).state
    if state is None or not state.message.person:
        raise LinkError("the link is of no notification here")
    return state


def _page(sent: Sent, said: str, status: int = 200) -> Response:
    """A page that needs nothing but itself."""
    subject = escape(sent.message.subject)
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{subject}</title>"
        "<style>body{font:1.1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}"
        "button{font:inherit;padding:.6rem 2rem}</style>"
        f"<h1>{subject}</h1>{said}</html>"
    )
    return HTMLResponse(body, status, _HEADERS)
