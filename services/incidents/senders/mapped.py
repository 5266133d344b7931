"""Generic senders and CloudEvents: JMESPath expressions find in a body of any shape what an alert needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from services.incidents.domain.integration.events import Mapped
from services.incidents.senders.pagerduty import Action
from services.incidents.senders.sorting import Said

_LONGEST: Final = 1024
_MOST_DEDUP_KEY: Final = 255
_ACTIONS: Final[Mapping[str, Action]] = {
    "trigger": "trigger",
    "acknowledge": "acknowledge",
    "resolve": "resolve",
    "firing": "trigger",
    "alerting": "trigger",
    "resolved": "resolve",
    "ok": "resolve",
}
_PLAIN: Final = ("action", "dedup_key", "summary", "severity", "fired")
_DEFAULT: Final = Mapped(
    action="action || status",
    dedup_key="dedup_key || id",
    summary="summary || title || message",
    severity="severity",
    fired="fired || time",
)


class MappingError(Exception):
    """A mapping cannot be used, or a body has not what it asks for; *places* are (JSON pointer, what to do)."""

    def __init__(self, *places: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{pointer}: {detail}" for pointer, detail in places))
        self.places = places


@dataclass(frozen=True, slots=True)
class MappedEvent:
    """What a body says by a mapping; *said* only of a trigger."""

    action: Action
    dedup_key: str
    said: Said | None


def check(mapping: Mapped) -> None:
    """Refuse what cannot be used.

    Raises:
        MappingError: An expression cannot be read, or a word is translated into what is no action.
    """
    places: list[tuple[str, str]] = []
    for pointer, expression in _expressions(mapping):
        try:
            _compiled(expression)
        except ValueError as error:
            places.append((f"/mapping/{pointer}", str(error)))
    for word, action in mapping.actions.items():
        if action not in {"trigger", "acknowledge", "resolve"}:
            places.append((f"/mapping/actions/{word}", f"{action!r} is no action; use trigger, acknowledge or resolve"))
    if places:
        raise MappingError(*places)


def read_mapped(mapping: Mapped | None, body: object, made_key: str, now: datetime) -> MappedEvent:
    """What *body* says by *mapping*, or by the names that it might use itself where there is none.

    Raises:
        MappingError: What an alert needs is not found; it names the expression that finds nothing.
    """
    it = mapping or _DEFAULT
    found = {name: _find(getattr(it, name), body) for name in _PLAIN}
    places: list[tuple[str, str]] = []
    action = _action(it, found["action"], places)
    key = _text(found["dedup_key"]) or (made_key if action == "trigger" else "")
    if not key:
        places.append(("/mapping/dedup_key", f"{it.dedup_key!r} finds nothing, and only a trigger can do without"))
    if len(key) > _MOST_DEDUP_KEY:
        places.append(("/mapping/dedup_key", f"finds {len(key)} characters, at most {_MOST_DEDUP_KEY} are a key"))
    summary = _text(found["summary"])
    if action == "trigger" and not summary.strip():
        places.append(("/mapping/summary", f"{it.summary!r} finds no text"))
    if places:
        raise MappingError(*places)
    if action != "trigger":
        return MappedEvent(action, key, None)
    word = _text(found["severity"])
    labels = {name: _text(value) for name, each in it.labels.items() if (value := _find(each, body)) is not None}
    severity = it.severities.get(word, word)
    said = Said(
        dedup_key=key,
        summary=summary[:_LONGEST],
        severity=severity,
        fired=_time(found["fired"], now),
        labels=labels,
        details={"body": body},
    )
    return MappedEvent(action, key, said)


def _expressions(mapping: Mapped) -> list[tuple[str, str]]:
    plain = [(name, text) for name in _PLAIN if (text := getattr(mapping, name))]
    return [*plain, *((f"labels/{name}", text) for name, text in mapping.labels.items())]


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:  # noqa: ANN401  jmespath tells no types
    """The expression, ready to search.

    Raises:
        ValueError: It is none, or too long.
    """
    import jmespath  # noqa: PLC0415  only generic senders need it
    import jmespath.exceptions  # noqa: PLC0415  likewise

    if len(expression) > _LONGEST:
        message = f"is longer than {_LONGEST} characters"
        raise ValueError(message)
    try:
        return jmespath.compile(expression)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        message = f"is no JMESPath expression: {str(error).splitlines()[0]}"
        raise ValueError(message) from error


def _find(expression: str, body: object) -> Any:  # noqa: ANN401  whatever was sent
    if not expression:
        return None
    import jmespath.exceptions  # noqa: PLC0415  as above

    try:
        return _compiled(expression).search(body)
    except (jmespath.exceptions.JMESPathError, RecursionError, TypeError, ValueError):
        return None  # a function on what is not of its type finds nothing


def _action(mapping: Mapped, word: object, places: list[tuple[str, str]]) -> Action:
    text = _text(word)
    if not text:
        return "trigger"
    action = _ACTIONS.get(mapping.actions.get(text, text).lower())
    if action is None:
        places.append(("/mapping/action", f"finds {text[:100]!r}; translate it in actions"))
    return action or "trigger"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else ""


def _time(value: object, now: datetime) -> datetime:
    try:
        if isinstance(value, int | float):
            return min(datetime.fromtimestamp(value, UTC), now)
        if isinstance(value, str) and value:
            read = datetime.fromisoformat(value)
            return min(read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC), now)
    except (ValueError, OverflowError, OSError):
        pass
    return now
