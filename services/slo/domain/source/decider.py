"""A source's rules: which settings can work and are safe, and which news about its health is worth saying."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from services.slo.domain.errors import InvalidSourceError, NoSuchSourceError, SourceRetiredError
from services.slo.domain.source.commands import (
    Command,
    DefineSource,
    NoteFailure,
    NoteSuccess,
    RetireSource,
    Settings,
)
from services.slo.domain.source.events import Event, SourceDefined, SourceFailed, SourceRetired, SourceWorked

LATE: Final = "source-late"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
_SECRET = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}")  # a key of a Kubernetes secret, and no hidden file
_RANGES = {"concurrency": (1, 64), "timeout_s": (1, 300), "settle_s": (0, 3600), "late_s": (60, 86_400)}


@dataclass(frozen=True, slots=True)
class Working:
    """It gives measurements, since then."""

    since: datetime


@dataclass(frozen=True, slots=True)
class Failing:
    """It gives none: the first failure without a success since, and what is wrong now."""

    since: datetime
    code: str
    place: str


@dataclass(frozen=True, slots=True)
class Defined:
    """A source that is asked. Health is None until it was asked with these settings."""

    settings: Settings
    revision: int
    health: Working | Failing | None = None


@dataclass(frozen=True, slots=True)
class Retired:
    """A source that is asked no more; its name is not used again."""

    reason: str
    at: datetime


Source = Defined | Retired | None  # None: nothing defined yet


def decide(command: Command, state: Source) -> tuple[Event, ...]:
    """The facts *command* produces; none if they are said already.

    Raises:
        InvalidSourceError: The settings cannot work, or are not safe; names each place.
        NoSuchSourceError: Nothing is defined under the name.
        SourceRetiredError: `DefineSource` found a name that is not used again.
    """
    match state, command:
        case Retired(), DefineSource(source):
            raise SourceRetiredError(source)
        case Defined(settings=held), DefineSource(settings=settings) if held == settings:
            return ()
        case ((None | Defined()), DefineSource(source, settings, at)):
            if wrong := tuple(_wrong(source, settings)):
                raise InvalidSourceError(source, wrong)
            return (SourceDefined(source, 1 if state is None else state.revision + 1, settings, at),)
        case None, _:
            raise NoSuchSourceError(command.source)
        case Defined(), RetireSource(source, reason, at):
            return (SourceRetired(source, reason, at),)
        case Defined(), (NoteSuccess() | NoteFailure()):
            return _news(command, state)
        case Retired(), _:
            return ()  # a poll may end after its source did


def evolve(state: Source, event: Event) -> Source:
    """The state after one more fact."""
    match state, event:
        case _, SourceDefined(settings=settings, revision=revision):
            return Defined(settings, revision)
        case _, SourceRetired(reason=reason, at=at):
            return Retired(reason, at)
        case Defined(health=health), SourceFailed(code=code, place=place, at=at):
            return replace(state, health=Failing(_since(health) or at, code, place))
        case Defined(), SourceWorked(at=at):
            return replace(state, health=Working(at))
        case ((None | Retired()), _):
            return state


def _news(command: NoteSuccess | NoteFailure, state: Defined) -> tuple[Event, ...]:
    """What changed; nothing if the same is wrong at the same place as before, whatever the words."""
    health, late = state.health, timedelta(seconds=state.settings.late_s)
    match command:
        case NoteSuccess(source, until, at) if at - until <= late:
            return () if isinstance(health, Working) else (SourceWorked(source, until, _since(health), at),)
        case NoteSuccess(source, until, at):
            failure = _late(source, until, at)
        case NoteFailure():
            failure = command
    if isinstance(health, Failing) and (health.code, health.place) == (failure.code, failure.place):
        return ()
    return (SourceFailed(**{name: getattr(failure, name) for name in SourceFailed.__slots__}),)


def _late(source: str, until: datetime, at: datetime) -> NoteFailure:
    return NoteFailure(
        source,
        LATE,
        "address",
        f"it answers, and its newest minute ended at {until.isoformat()}, {int((at - until).total_seconds())} s ago",
        "look at how busy it is, and at the queries that fail; raise concurrency, or late_s if this is normal",
        at,
        at,
    )


def _since(health: Working | Failing | None) -> datetime | None:
    return health.since if isinstance(health, Failing) else None


def _wrong(source: str, settings: Settings) -> Iterator[tuple[str, str]]:
    """Pointer and detail of everything wrong."""
    if not _LABEL.fullmatch(source):
        yield "/source", f"{source!r} is no RFC 1123 label; use small letters, digits and dashes, at most 63"
    for name, (least, most) in _RANGES.items():
        if not least <= getattr(settings, name) <= most:
            yield f"/{name}", f"must be between {least} and {most}, not {getattr(settings, name)}"
    if settings.kind == "prometheus":
        yield from _wrong_address(settings.address)
        yield from _wrong_auth(settings)
        yield from _wrong_tls(settings)
    elif settings != Settings(settings.kind, late_s=settings.late_s):
        yield "", f"a source of kind {settings.kind} sends by itself; it takes late_s and no other setting"


def _wrong_address(address: str) -> Iterator[tuple[str, str]]:
    try:
        url = urlsplit(address)
        host, _ = url.hostname, url.port
    except ValueError:
        url, host = urlsplit(""), None
    if "@" in address:
        yield "/address", "holds a user or a password, which would be stored; name them in auth"
    elif url.scheme not in {"http", "https"} or not host or not address.isprintable() or " " in address:
        yield "/address", f"{address!r} is no address; write one such as https://prometheus.example.com:9090"
    elif "?" in address or "#" in address:
        yield "/address", f"{address!r} holds ? or #; write what comes before /api/v1 and no more"


def _wrong_auth(settings: Settings) -> Iterator[tuple[str, str]]:
    auth = settings.auth
    if (auth.kind == "basic") != bool(auth.username):
        yield "/auth/username", "belongs to basic authentication, which needs one"
    if ":" in auth.username or not auth.username.isprintable():
        yield "/auth/username", "must hold neither colons nor control characters"  # RFC 7617
    if (auth.kind == "none") == bool(auth.secret):
        yield "/auth/secret", "names the password or token; basic and bearer need one, none takes none"
    yield from _wrong_secret("/auth/secret", auth.secret)
    if auth.kind != "none" and _scheme(settings) == "http" and not settings.insecure:
        yield "/insecure", "credentials would travel in the clear; use https, or set insecure"


def _wrong_tls(settings: Settings) -> Iterator[tuple[str, str]]:
    tls = settings.tls
    for name in ("ca", "certificate", "key"):
        yield from _wrong_secret(f"/tls/{name}", getattr(tls, name))
    if bool(tls.certificate) != bool(tls.key):
        yield "/tls/key", "certificate and key belong together; name both"
    if (tls.ca or tls.certificate or tls.key) and _scheme(settings) != "https":
        yield "/tls", "has no effect over http; use an https address"
    if tls.ca and settings.insecure:
        yield "/insecure", "contradicts tls.ca: either it is verified, or not"


def _scheme(settings: Settings) -> str:
    return settings.address.partition(":")[0].lower()


def _wrong_secret(pointer: str, name: str) -> Iterator[tuple[str, str]]:
    if name and not _SECRET.fullmatch(name):
        yield pointer, "is the name of a secret, not the secret: letters, digits, dots, dashes; no dot first"
