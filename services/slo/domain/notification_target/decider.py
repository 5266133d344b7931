"""A notification target's rules: which addresses are taken."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from services.slo.domain.errors import InvalidNotificationTargetError, NoSuchNotificationTargetError
from services.slo.domain.notification_target.commands import Address, Command, RemoveTarget, SetTarget
from services.slo.domain.notification_target.events import Event, TargetRemoved, TargetSet

NotificationTarget = Address | None  # None: nothing set, or removed

_SECRET = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}")  # a key of a Kubernetes secret, and no hidden file


def decide(command: Command, state: NotificationTarget) -> tuple[Event, ...]:
    """The facts *command* produces; none if they are so already.

    Raises:
        InvalidNotificationTargetError: The address cannot work, or is not safe; names each place.
        NoSuchNotificationTargetError: There is none to remove.
    """
    match command:
        case SetTarget(target, address, at):
            if wrong := tuple(_wrong(address)):
                raise InvalidNotificationTargetError(target, wrong)
            return () if state == address else (TargetSet(target, address, at),)
        case RemoveTarget(target, at):
            if state is None:
                raise NoSuchNotificationTargetError(target)
            return (TargetRemoved(target, at),)


def evolve(_: NotificationTarget, event: Event) -> NotificationTarget:
    """The state after one more fact."""
    return event.address if isinstance(event, TargetSet) else None


def _wrong(address: Address) -> Iterator[tuple[str, str]]:
    """Pointer and detail of everything wrong."""
    try:
        url = urlsplit(address.url)
        host, _ = url.hostname, url.port
    except ValueError:
        url, host = urlsplit(""), None
    if url.scheme not in {"http", "https"} or not host or not address.url.isprintable() or " " in address.url:
        yield "/url", "is no address; write one such as https://hooks.example.com/alerts"
    elif "@" in address.url or "?" in address.url or "#" in address.url:
        yield "/url", "holds @, ? or #, behind which secrets are written; name a secret that holds a bearer token"
    elif address.secret and url.scheme != "https":
        yield "/url", "the token would travel in the clear; use https"
    if address.secret and not _SECRET.fullmatch(address.secret):
        yield "/secret", "is the name of a secret, not the secret: letters, digits, dots, dashes; no dot first"
