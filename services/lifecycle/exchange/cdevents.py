"""CDEvents about services that run, as continuous delivery sends them (https://cdevents.dev, 0.4 and later).

A CDEvent is a JSON object with `context` and `subject`. It arrives as it is (a CloudEvent in binary mode, whose
attributes repeat the context), or as the `data` of a CloudEvent in structured mode.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec

_TYPE = re.compile(r"dev\.cdevents\.([a-z]+\.[a-z]+)\.[0-9]")
_CUSTOM = re.compile(r"dev\.cdeventsx\.[a-z0-9]+-([a-z]+\.[a-z]+)\.[0-9]")  # of a tool: custom events, CDEvents 0.4.1
_VERSION = re.compile(r"(\d+)\.(\d+)")
_EARLIEST = (0, 4)


class UnreadableEventError(Exception):
    """What was sent is no event that can be read.

    Args:
        detail: What is wrong, and what to send.
        pointer: Where.
    """

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail)
        self.detail, self.pointer = detail, pointer


@dataclass(frozen=True, slots=True)
class CdEvent:
    """What is read of a CDEvent.

    Args:
        id: Unique together with *source*.
        source: Who sent it.
        type: In full.
        kind: Such as `service.deployed`.
        at: When it was so.
        subject: What it is about.
        environment: Where, or empty.
        version: Of the artifact: what stands behind the @ of its package URL, or empty.
        custom: What the sender added.
    """

    id: str
    source: str
    type: str
    kind: str
    at: datetime
    subject: str
    environment: str
    version: str
    custom: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The last part of the subject: `service/checkout-api` is about checkout-api."""
        return self.subject.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class _Context:
    id: str
    source: str
    type: str
    timestamp: datetime
    version: str = ""
    specversion: str = ""  # what some later drafts call the version


@dataclass(frozen=True, slots=True)
class _Environment:
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Content:
    environment: _Environment = _Environment()
    artifactId: str = ""  # noqa: N815  its name on the wire


@dataclass(frozen=True, slots=True)
class _Subject:
    id: str
    content: _Content = _Content()


@dataclass(frozen=True, slots=True)
class _Event:
    context: _Context
    subject: _Subject
    customData: Any = None  # noqa: N815  its name on the wire


def is_cdevent(value: object) -> bool:
    """Whether *value* has the shape of a CDEvent."""
    return isinstance(value, dict) and {"context", "subject"} <= value.keys()


def read_cdevent(value: object, pointer: str = "") -> CdEvent:
    """The CDEvent in *value*, which stands at *pointer*.

    Raises:
        UnreadableEventError: It is none, or of a version before 0.4.
    """
    try:
        event = msgspec.convert(value, _Event)
    except msgspec.ValidationError as error:
        detail, _, place = str(error).partition(" - at `$")
        raise UnreadableEventError(detail, pointer + place.rstrip("`").replace(".", "/")) from error
    context, subject = event.context, event.subject
    kind, version = (
        _TYPE.match(context.type) or _CUSTOM.match(context.type),
        _VERSION.match(context.version or context.specversion),
    )
    if kind is None:
        raise UnreadableEventError(
            "a CDEvent's type begins with dev.cdevents. or dev.cdeventsx.", f"{pointer}/context/type"
        )
    if version is None or tuple(map(int, version.groups())) < _EARLIEST:
        detail = "CDEvents of 0.4 and later are read; update the sender"
        raise UnreadableEventError(detail, f"{pointer}/context/version")
    if context.timestamp.tzinfo is None:
        raise UnreadableEventError("say the time with its offset, such as Z", f"{pointer}/context/timestamp")
    environment = subject.content.environment
    return CdEvent(
        id=context.id,
        source=context.source,
        type=context.type,
        kind=kind[1],
        at=context.timestamp,
        subject=subject.id,
        environment=environment.name or environment.id,
        version=_version(subject.content.artifactId),
        custom=event.customData if isinstance(event.customData, dict) else {},
    )


def _version(package_url: str) -> str:
    """The version of a package URL: between the @ and what qualifies it (purl specification)."""
    bare = re.split(r"[?#]", package_url, maxsplit=1)[0]
    return unquote(bare.rpartition("@")[2]) if "@" in bare else ""
