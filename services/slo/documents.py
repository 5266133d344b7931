"""OpenSLO texts, YAML or JSON, as plain values: what YAML hides is refused with the place where it stands.

Refused are duplicate and non-string keys, tags, merge keys, and aliases that blow a small text up.
"""

import json
import re
from collections.abc import Iterable, Iterator
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
        return list(_Reader(text).documents())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise UnreadableError(error.problem or error.context or "is no YAML", *where) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        detail = f"is no text: {error}"
        raise UnreadableError(detail) from error
    except RecursionError as error:
        raise UnreadableError("is nested too deeply") from error


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


class _Reader:
    """Turns YAML nodes into values, counting them."""

    def __init__(self, text: bytes) -> None:
        decoded = text.decode()
        _check_depth(decoded)
        self._loader = yaml.CSafeLoader(decoded)
        self._left = _MOST_VALUES

    def documents(self) -> Iterator[object]:
        try:
            while self._loader.check_node():
                value = self._value(self._loader.get_node(), 0)
                if value is not None:  # an empty document, as after a last ---
                    yield value
        finally:
            self._loader.dispose()

    def _value(self, node: yaml.Node | None, depth: int) -> object:
        self._left -= 1
        if node and self._left < 0:
            raise _refusal(node, f"more than {_MOST_VALUES} values, aliases followed")
        if node and depth > _DEEPEST:
            raise _refusal(node, f"nested more than {_DEEPEST} deep")
        match node:
            case yaml.MappingNode():
                return self._mapping(node, depth)
            case yaml.SequenceNode():
                return [self._value(item, depth + 1) for item in node.value]
            case yaml.ScalarNode():
                return _scalar(node)
            case _:
                return None

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key, item in node.value:
            name = _scalar(key) if isinstance(key, yaml.ScalarNode) else None
            if not isinstance(name, str):
                raise _refusal(key, "a key must be a string; quote it")
            if name in mapping:
                raise _refusal(key, f"the key {name!r} stands here twice")
            mapping[name] = self._value(item, depth + 1)
        return mapping


def _check_depth(text: str) -> None:
    """Refuse what nests too deep before nodes are made of it: the C loader recurses without a limit, and crashes."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        match event:
            case yaml.CollectionStartEvent():
                if depth > _DEEPEST:
                    mark = event.start_mark
                    where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
                    detail = f"nested more than {_DEEPEST} deep"
                    raise UnreadableError(detail, *where)
                depth += 1
            case yaml.CollectionEndEvent():
                depth -= 1
            case _:
                pass


def _refusal(node: yaml.Node, detail: str) -> UnreadableError:
    return UnreadableError(detail, node.start_mark.line + 1, node.start_mark.column + 1)


def _scalar(node: yaml.ScalarNode) -> object:
    """A scalar as JSON has it: no dates, no octal or sexagesimal numbers; 1e5 is a number."""
    text: str = node.value
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() in {"true", "yes", "on"}
        case "int" | "float" | "str" | "timestamp":
            plain = not node.style or node.style not in "'\"|>"
            return _number(node, text) if plain and _NUMBER.fullmatch(text) else text
        case "merge":
            raise _refusal(node, "merge keys (<<) are not read; write the fields out")
        case tag:
            raise _refusal(node, f"the tag {tag} is not read; give plain values")


def _number(node: yaml.Node, text: str) -> float:
    number = float(text)
    if abs(number) > _LARGEST:
        raise _refusal(node, f"{text[:20]} is too large a number")
    return int(text) if text.lstrip("+-").isdigit() else number
