"""PagerDuty's Events API v2: what is in an event, and what is wrong with one.

Strict about what decides who is called, lenient about the rest: real clients send images without `src`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from libs.events.ids import derived_id
from services.incidents.senders.lenient import is_text, read_object
from services.incidents.senders.sorting import Said

MOST_BYTES: Final = 512 * 1024
_MOST_DEDUP_KEY: Final = 255
_MOST_SUMMARY: Final = 1024
_CHANGES: Final = UUID("2b9d5c4e-0f4b-5d0a-9a86-6c6a5d1e7f38")  # namespace of their ids; never changes
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)  # that an id can begin with
_KEY_LENGTH: Final = 32
_KEY: Final = re.compile(r"[A-Za-z0-9]+")
_DECIDES: Final = frozenset({"routing_key", "event_action", "dedup_key"})  # whom it is of, and which alert it is
Action = Literal["trigger", "acknowledge", "resolve"]
_ACTIONS: Final = ("trigger", "acknowledge", "resolve")
_SEVERITIES: Final = ("critical", "error", "warning", "info")
_BESIDE: Final = ("images", "links", "client", "client_url")
_LABELS: Final = ("source", "component", "group", "class")


class UnrecognizedError(Exception):
    """The body is no JSON object."""


class InvalidEventError(Exception):
    """The event cannot be taken; *errors* say what is wrong, where, and what to send instead."""

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class PagerDutyEvent:
    """An event that can be taken; *said* only of a trigger."""

    routing_key: str
    action: Action
    dedup_key: str
    said: Said | None


@dataclass(frozen=True, slots=True)
class PagerDutyChange:
    """A change event that can be taken."""

    routing_key: str
    summary: str
    at: datetime
    details: Mapping[str, Any]


def read_event(body: bytes, made_key: str, now: datetime) -> PagerDutyEvent:
    """The event in *body*; *made_key* is what a trigger without a key is called.

    Raises:
        UnrecognizedError: It is no JSON object.
        InvalidEventError: Something that decides is missing or wrong.
    """
    event = _object(body)
    errors: list[str] = []
    routing_key = _routing_key(event, errors)
    action: Any = event.get("event_action")
    if action not in _ACTIONS:
        errors.append("'event_action' is missing or unknown; send 'trigger', 'acknowledge' or 'resolve'")
    dedup_key = _dedup_key(event, action, made_key, errors)
    said = _said(event, dedup_key, now, errors) if action == "trigger" else None
    if errors:
        raise InvalidEventError(*errors)
    return PagerDutyEvent(routing_key, action, dedup_key, said)


def read_change(body: bytes, now: datetime) -> PagerDutyChange:
    """The change event in *body*.

    Raises:
        UnrecognizedError: It is no JSON object.
        InvalidEventError: It has no routing key or no summary.
    """
    event = _object(body)
    errors: list[str] = []
    routing_key = _routing_key(event, errors)
    payload = _payload(event, errors)
    summary = "" if payload is None else _line(payload, "summary", errors)
    if payload is None or errors:
        raise InvalidEventError(*errors)
    details = {name: event[name] for name in ("links", "images") if event.get(name)}
    details |= {name: payload[name] for name in ("source", "custom_details") if payload.get(name)}
    return PagerDutyChange(routing_key, summary, _time(payload.get("timestamp"), now), details)


def change_id(integration: str, change: PagerDutyChange) -> str:
    """What *change* of *integration* is called: the same when it is sent again with its time."""
    said = f"{integration}/{change.summary}/{msgspec.json.encode(change.details, order='deterministic').decode()}"
    return str(derived_id(max(change.at, _EARLIEST), _CHANGES, said, 0))


def _object(body: bytes) -> dict[str, Any]:
    try:
        return read_object(body, _DECIDES)
    except ValueError as error:
        raise UnrecognizedError from error


def _routing_key(event: Mapping[str, Any], errors: list[str]) -> str:
    key = event.get("routing_key")
    if not isinstance(key, str) or not key.strip():
        errors.append("'routing_key' is missing or blank; send the key that POST /v1/integrations answered")
    elif len(key) != _KEY_LENGTH:
        errors.append(f"Length of 'routing_key' is incorrect (should be {_KEY_LENGTH} characters)")  # PagerDuty's words
    elif not _KEY.fullmatch(key):
        errors.append("'routing_key' is invalid; it has 32 letters and digits")
    else:
        return key
    return ""


def _dedup_key(event: Mapping[str, Any], action: object, made_key: str, errors: list[str]) -> str:
    key = event.get("dedup_key")
    if key is None or key == "":
        if action == "trigger":
            return made_key
        errors.append("'dedup_key' is missing or blank; send the one that the trigger answered")
    elif not isinstance(key, str):
        errors.append("'dedup_key' is invalid; send a string")
    elif len(key) > _MOST_DEDUP_KEY:
        errors.append(f"'dedup_key' is too long; it has at most {_MOST_DEDUP_KEY} characters")
    elif not is_text(key):
        errors.append("'dedup_key' holds a NUL character or half a surrogate pair; leave it out")
    else:
        return key
    return ""


def _payload(event: Mapping[str, Any], errors: list[str]) -> Mapping[str, Any] | None:
    payload = event.get("payload")
    if isinstance(payload, dict):
        return payload
    errors.append("'payload' is missing or no object; send at least its 'summary'")
    return None


def _line(payload: Mapping[str, Any], name: str, errors: list[str]) -> str:
    text = payload.get(name)
    if not isinstance(text, str) or not text.strip():
        errors.append(f"'payload.{name}' is missing or blank; send a text")
        return ""
    if name == "summary" and len(text) > _MOST_SUMMARY:
        errors.append(f"'payload.{name}' is too long; it has at most {_MOST_SUMMARY} characters")
    return text


def _said(event: Mapping[str, Any], dedup_key: str, now: datetime, errors: list[str]) -> Said | None:
    payload = _payload(event, errors)
    if payload is None:
        return None
    summary, _ = _line(payload, "summary", errors), _line(payload, "source", errors)
    severity = payload.get("severity")
    if severity not in _SEVERITIES:
        errors.append("'payload.severity' is missing or unknown; send 'critical', 'error', 'warning' or 'info'")
    labels = {name: text for name in _LABELS if (text := _text(payload.get(name)))}
    details = {name: event[name] for name in _BESIDE if event.get(name)}
    if payload.get("custom_details"):
        details["custom_details"] = payload["custom_details"]
    return Said(
        dedup_key=dedup_key,
        summary=summary,
        severity=str(severity),
        fired=_time(payload.get("timestamp"), now),
        labels=labels,
        details=details,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def _time(value: object, now: datetime) -> datetime:
    """When it began, if that can be read and is not ahead of us; else now."""
    if not isinstance(value, str):
        return now
    try:
        read = datetime.fromisoformat(value)
        return min(read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC), now)
    except (ValueError, OverflowError):
        return now
