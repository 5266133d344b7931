"""Texts, YAML or JSON, as plain values: what YAML hides is refused with the place where it stands.

Refused are duplicate and non-string keys, tags, merge keys, and aliases that blow a small text up.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

MOST_BYTES = 1024 * 1024
_MOST_DOCUMENTS = 1_000
_MOST_VALUES = 100_000  # after aliases are followed; the largest real documents hold a few hundred
_DEEPEST = 64
_LARGEST = 2**53  # what every JSON reader keeps exactly

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TAG = "tag:yaml.org,2002:"
_CONSTANTS: Mapping[str, bool | None] = {"": None, "~": None} | {
    spelt: value
    for value, words in ((None, ("null",)), (True, ("true", "yes", "on")), (False, ("false", "no", "off")))
    for word in words
    for spelt in (word, word.capitalize(), word.upper())
}


class UnreadableError(Exception):
    """The text is no YAML or JSON that holds documents.

    Args:
        detail: What is wrong.
        line: Where, from 1.
        column: Where in the line, from 1.
    """

    def __init__(self, detail: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {detail}")
        self.detail, self.line, self.column = detail, line, column


def read_documents(text: bytes) -> list[object]:
    """The documents in *text*: one JSON value, or any number of YAML documents; a list counts as its items.

    Raises:
        UnreadableError: It is neither, holds nothing, or holds what is refused.
    """
    if len(text) > MOST_BYTES:
        detail = (
            f"the text has {len(text)} bytes, at most {MOST_BYTES} are read; send the documents in several requests"
        )
        raise UnreadableError(detail)
    values = [item for value in _values(text) for item in (value if isinstance(value, list) else [value])]
    if not values:
        raise UnreadableError("there is no document")
    if len(values) > _MOST_DOCUMENTS:
        detail = f"there are {len(values)} documents; send at most {_MOST_DOCUMENTS} at once"
        raise UnreadableError(detail)
    return values


def write_documents(values: Iterable[object]) -> str:
    """*values* as YAML that `read_documents` reads back as what they are; keys keep their order."""
    return yaml.dump_all(values, Dumper=_Writer, sort_keys=False, allow_unicode=True, explicit_start=True)


def _values(text: bytes) -> list[object]:
    if text.lstrip()[:1] in {b"{", b"["}:
        try:
            msgspec.json.decode(text)  # strict, where Python's own reader takes NaN and lone surrogates
            return [json.loads(text, object_pairs_hook=_unique)]
        except (msgspec.DecodeError, ValueError, RecursionError):
            pass  # flow-style YAML looks the same; and its reader knows the place of what is wrong
    try:
        return list(_Reader().documents(text.decode()))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise UnreadableError(error.problem or error.context or "is no YAML", *where) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        detail = f"is no text: {error}"
        raise UnreadableError(detail) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


class _Writer(yaml.CSafeDumper):
    """Quotes the texts that our reader would take for numbers, and writes what is equal as often as it is there."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  PyYAML asks so
        return True


def _text_node(writer: _Writer, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar(_TAG + "str", text, style='"' if _NUMBER.fullmatch(text) else None)


_Writer.add_representer(str, _text_node)


@dataclass(slots=True)
class _Built:
    """A value that is being built, or is: how many values it holds with itself, and how deep they nest."""

    event: yaml.NodeEvent
    value: object
    size: int = 1
    height: int = 1
    key: str | None = None

    def add(self, item: "_Built") -> None:
        """Take *item* in: the next one of a list; of a mapping, a key and its value in turn."""
        self.size += item.size
        self.height = max(self.height, item.height + 1)
        if isinstance(self.value, list):
            self.value.append(item.value)
        elif isinstance(self.value, dict):
            if self.key is None:
                self.key = _key(item, self.value)
            else:
                self.value[self.key], self.key = item.value, None


class _Reader:
    """Builds values from YAML events: without recursion, and aliases share what they stand for."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES
        self._open: list[_Built] = []
        self._anchors: dict[str | None, _Built] = {}

    def documents(self, text: str) -> Iterator[object]:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            built = self._built(event)
            if built is None:
                continue
            if self._open:
                self._open[-1].add(built)
            elif built.value is not None:  # an empty document, as after a last ---
                yield built.value

    def _built(self, event: yaml.Event) -> _Built | None:
        """The value that *event* ends; None if it ends none."""
        match event:
            case yaml.ScalarEvent():
                return self._kept(_Built(event, _scalar(event)))
            case yaml.CollectionStartEvent():
                opened = _Built(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
                self._count(opened)
                self._open.append(opened)
            case yaml.CollectionEndEvent():
                return self._kept(self._open.pop())
            case yaml.AliasEvent():
                return self._aliased(event)
            case yaml.DocumentStartEvent():
                self._anchors = {}
            case _:
                pass
        return None

    def _kept(self, built: _Built) -> _Built:
        if built.event.anchor:
            self._anchors[built.event.anchor] = built
        if isinstance(built.event, yaml.ScalarEvent):
            self._count(built)
        return built

    def _aliased(self, event: yaml.AliasEvent) -> _Built:
        named = self._anchors.get(event.anchor)
        if named is None:
            raise _refusal(event, f"the alias {event.anchor} names nothing that is complete before it")
        built = _Built(event, named.value, named.size, named.height)
        self._count(built)
        return built

    def _count(self, built: _Built) -> None:
        self._left -= built.size
        if self._left < 0:
            raise _refusal(built.event, f"more than {_MOST_VALUES} values, aliases followed")
        if len(self._open) + built.height > _DEEPEST + 1:
            raise _refusal(built.event, f"nested more than {_DEEPEST} deep")


def _key(item: _Built, mapping: Mapping[str, object]) -> str:
    if item.value == "<<" and isinstance(item.event, yaml.ScalarEvent) and item.event.implicit[0]:
        raise _refusal(item.event, "merge keys (<<) are not read; write the fields out")
    if not isinstance(item.value, str):
        raise _refusal(item.event, "a key must be a string; quote it")
    if item.value in mapping:
        raise _refusal(item.event, f"the key {item.value!r} stands here twice")
    return item.value


def _refusal(event: yaml.Event, detail: str) -> UnreadableError:
    mark = event.start_mark
    return UnreadableError(detail, *((mark.line + 1, mark.column + 1) if mark else (1, 1)))


def _scalar(event: yaml.ScalarEvent) -> object:
    """A scalar as JSON has it: no dates, no octal or sexagesimal numbers; 1e5 is a number."""
    text: str = event.value
    if event.tag is not None and event.tag != _TAG + "str":
        raise _refusal(event, f"the tag {event.tag.removeprefix(_TAG)} is not read; give plain values")
    if event.tag is not None or not event.implicit[0]:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return _number(event, text) if _NUMBER.fullmatch(text) else text


def _number(event: yaml.Event, text: str) -> float:
    number = float(text)
    if abs(number) > _LARGEST:
        raise _refusal(event, f"{text[:20]} is too large a number")
    return int(text) if text.lstrip("+-").isdigit() else number
