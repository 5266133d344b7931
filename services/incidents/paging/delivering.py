"""Hands a message to its channel: a signed webhook, a Slack-compatible one, or an e-mail server."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from html import escape
from typing import Any, Final, Literal

from libs.events import codec
from libs.web.outbound import Outbound, OutboundError
from services.incidents.config import IncidentsSettings
from services.incidents.domain.notification.events import Message
from services.incidents.paging.links import Signing

_LOG = logging.getLogger(__name__)

_PASSES: Final = {408, 425, 429}  # of the 4xx; the others say that it never will be taken
_LINKED: Final = {"page", "unassigned", "exhausted"}
GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Said:
    """What a channel said; *final*: it never will take it; *pause_s*: so long it wants not to be asked."""

    said: Literal["delivered", "failed", "final"]
    status: int | None = None
    detail: str = ""
    pause_s: int = 0


class Messenger:
    """Delivers.

    Args:
        settings: Where the e-mail server is, and what links begin with.
        outbound: Sends HTTP requests.
        signing: Signs links and webhooks.
    """

    def __init__(self, settings: IncidentsSettings, outbound: Outbound, signing: Signing) -> None:
        self._settings, self._outbound, self._signing = settings, outbound, signing

    async def deliver(
        self, notification: str, message: Message, address: str, at: datetime, secrets: Sequence[str]
    ) -> Said:
        """Hand *message* to *address*; whatever happens is an answer. The *notification* tells it from all others.

        A webhook's message is signed with each of *secrets*.
        """
        link = self._link(notification, message, at)
        try:
            return await self._hand_over(notification, message, address, link, at, secrets)
        except Exception as error:  # noqa: BLE001  whatever it is, it is tried again, and others are called meanwhile
            _LOG.exception("notification %s failed in a way nobody foresaw", notification)
            return Said("failed", None, f"it could not be handed over: {type(error).__name__}")

    async def _hand_over(
        self, notification: str, message: Message, address: str, link: str, at: datetime, secrets: Sequence[str]
    ) -> Said:
        match message.channel:
            case "email":
                return await self._mail(notification, message, address, link)
            case "slack":
                return await self._post(address, codec.encode({"text": _slack(message, link)}), {})
            case "webhook":
                body = codec.encode({"type": f"incident.{message.kind}", "timestamp": at, "data": _data(message, link)})
                return await self._post(address, body, self._signed(notification, message, body, at, secrets))

    def _link(self, notification: str, message: Message, at: datetime) -> str:
        """Where one click acknowledges; empty where there is nothing to acknowledge, or nobody to do it."""
        if message.kind not in _LINKED or not message.person or not message.incident:
            return ""
        base = self._settings.public_url.rstrip("/")
        return f"{base}/v1/acknowledgements/{self._signing.link(notification, at)}"

    def _signed(
        self, notification: str, message: Message, body: bytes, at: datetime, secrets: Sequence[str]
    ) -> Mapping[str, str]:
        """The headers of Standard Webhooks: a signature for each secret, so that whoever knows one accepts it."""
        from standardwebhooks import Webhook  # noqa: PLC0415  it brings httpx, which takes long

        holder = f"person/{message.person}" if message.person else f"team/{message.team}"
        known = [Webhook(self._signing.webhook_secret(holder, secret)) for secret in secrets]
        return {
            "webhook-id": notification,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(each.sign(notification, at, body.decode()) for each in known),
        }

    async def _post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Said:
        try:
            sent = {"content-type": "application/json", "user-agent": "concordat", **headers}
            answered = await self._outbound.post(address, body, sent)
        except OutboundError as error:
            return Said("final" if error.refused else "failed", None, str(error))
        return replace(said_by(answered.status), pause_s=answered.retry_after_s)

    async def _mail(self, notification: str, message: Message, address: str, link: str) -> Said:
        import aiosmtplib  # noqa: PLC0415  most processes send nothing

        settings = self._settings
        if not settings.smtp_host:
            return Said("failed", None, "no e-mail server is set; set CONCORDAT_SMTP_HOST")
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = _line(message.subject), settings.smtp_from, address
        mail["Message-ID"] = f"<{notification}@{settings.smtp_from.partition('@')[2] or 'concordat'}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
        mail.set_content(message.text + (f"\n\nAcknowledge: {link}\n" if link else "\n"))
        try:
            async with asyncio.timeout(settings.outbound_timeout_s):  # for all of it: aiosmtplib bounds each answer
                await aiosmtplib.send(
                    mail,
                    hostname=settings.smtp_host,
                    port=settings.smtp_port,
                    username=settings.smtp_user or None,
                    password=settings.smtp_password or None,
                    use_tls=settings.smtp_tls == "tls",
                    start_tls=settings.smtp_tls == "starttls",
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = {refused.code for refused in error.recipients}
            final = all(500 <= code < 600 for code in codes)  # noqa: PLR2004  RFC 5321: permanent
            return Said("final" if final else "failed", max(codes, default=None), "the server refuses the address")
        except aiosmtplib.SMTPResponseException as error:
            return Said("failed", error.code, f"the server says {error.code}")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Said("failed", None, f"the server cannot be reached: {type(error).__name__}")
        return Said("delivered", 250)


def said_by(status: int) -> Said:
    """What an HTTP *status* says of a message."""
    if 200 <= status < 300:  # noqa: PLR2004  2xx
        return Said("delivered", status)
    if status == GONE:
        return Said("final", status, "answered 410, it is gone: the channel is switched off")
    if 300 <= status < 400:  # noqa: PLR2004  3xx
        return Said("final", status, f"answered {status}; redirects are not followed, name the last address")
    if 400 <= status < 500 and status not in _PASSES:  # noqa: PLR2004  4xx
        return Said("final", status, f"refused with {status}; correct the address")
    return Said("failed", status, f"answered {status}")


def _line(text: str) -> str:
    """*text* in one line: what senders call an alert may have several."""
    return " ".join(text.split())


def _slack(message: Message, link: str) -> str:
    """As Slack writes it; `&`, `<` and `>` of others stay what they are, and mention nobody."""
    subject, text = escape(_line(message.subject), quote=False), escape(message.text, quote=False)
    return f"*{subject}*\n{text}" + (f"\n<{link}|Acknowledge>" if link else "")


def _data(message: Message, link: str) -> dict[str, Any]:
    named = {
        name: value
        for name in ("person", "team", "urgency", "subject", "text", "incident", "number", "service", "page")
        if (value := getattr(message, name))
    }
    return named | ({"acknowledge_url": link} if link else {})
