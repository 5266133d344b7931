"""Which operation a request is for: the paths of the merged OpenAPI document as a tree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from libs.web.auth import SCOPE

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")  # of an OpenAPI path item


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Args:
        owner: The service that answers.
        path: As in the document, such as `/v1/services/{service}:transition`.
        scope: What the caller must hold; None: no key is needed.
    """

    owner: str
    path: str
    scope: str | None


Methods = Mapping[str, Operation]


@dataclass(slots=True)
class _Node:
    """One segment of a path: what may follow it, and what can be done with what ends here."""

    literals: dict[str, "_Node"] = field(default_factory=dict[str, "_Node"])
    suffixes: dict[str, "_Node"] = field(default_factory=dict[str, "_Node"])  # {name}:verb and {name}.json
    any: "_Node | None" = None
    methods: dict[str, Operation] = field(default_factory=dict[str, Operation])


class Routes:
    """Finds operations by path.

    A literal segment goes before a parameter with a suffix, and that before a bare parameter. A bare parameter
    takes no colon: what follows one is a verb, and an unknown verb is an unknown path.
    """

    def __init__(self, operations: Iterable[tuple[str, Operation]]) -> None:
        self._root = _Node()
        for method, operation in operations:
            node = self._root
            for segment in _segments(operation.path):
                node = _child(node, segment)
            node.methods[method] = operation

    def find(self, path: str) -> Methods:
        """Method to operation of the resource at *path*; empty if there is none."""
        return _find(self._root, _segments(path), 0) or {}


def operations(owner: str, document: Mapping[str, Any]) -> Iterable[tuple[str, Operation]]:
    """Method (in capitals) and operation, of all in an OpenAPI *document* that name their scope (None: public).

    What can be read can be asked for with HEAD (RFC 9110, section 9.1), unless it is a stream, which has no end.
    """
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and SCOPE in item[method]:
                operation = Operation(owner, path, item[method][SCOPE])
                yield method.upper(), operation
                if method == "get" and not _streams(item[method]):
                    yield "HEAD", operation


def _streams(described: Mapping[str, Any]) -> bool:
    return "text/event-stream" in described.get("responses", {}).get("200", {}).get("content", {})


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _child(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.literals.setdefault(segment, _Node())
    suffix = segment.partition("}")[2]
    if suffix:
        return node.suffixes.setdefault(suffix, _Node())
    node.any = node.any or _Node()
    return node.any


def _find(node: _Node, segments: list[str], depth: int) -> Methods | None:
    if depth == len(segments):
        return node.methods or None
    segment = segments[depth]
    literal = node.literals.get(segment)
    found = _find(literal, segments, depth + 1) if literal else None
    if found is None:
        for suffix, child in node.suffixes.items():
            if found is None and segment.endswith(suffix) and len(segment) > len(suffix):
                found = _find(child, segments, depth + 1)
    if found is None and node.any is not None and segment and ":" not in segment:
        found = _find(node.any, segments, depth + 1)
    return found
