"""Reads typed fields out of plain values, and notes everything that is wrong, with its place."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from services.slo.domain.openslo import Complain, Fault, Path
from services.slo.exchange.promql import complainer

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")  # Prometheus before version 3
Spell = Callable[[str], str]


@dataclass(slots=True)
class Notes:
    """What is wrong in a document, and what is worth saying.

    Args:
        faults: What is wrong.
        unknown: Fields that the format does not know.
        warnings: What is worth saying.
        complain: Says what is wrong with a query.
    """

    faults: list[Fault] = field(default_factory=list[Fault])
    unknown: list[Fault] = field(default_factory=list[Fault])
    warnings: list[Fault] = field(default_factory=list[Fault])
    complain: Complain = field(default_factory=complainer)


class Reader:
    """The fields of one object in a document.

    What is wrong is noted, and something harmless is given instead, so that one reading finds every fault.

    Args:
        value: The object.
        path: Where it stands.
        notes: Where faults go.
        spell: How this kind of document writes the name of a field.
    """

    def __init__(self, value: object, path: Path, notes: Notes, spell: Spell = str) -> None:
        self.path, self.notes, self._spell = path, notes, spell
        self._children: dict[Path, Reader] = {}
        self._known: set[str] = set()
        if isinstance(value, Mapping):
            self._fields = cast("Mapping[str, object]", value)
        else:
            self._fields = {}
            notes.faults.append(Fault(path, "wrong_type", "must be an object"))

    def __contains__(self, name: str) -> bool:
        return self._fields.get(self._spell(name)) is not None

    def at(self, name: str) -> Path:
        """The path of a field."""
        return self.path / self._spell(name)

    def refuse(self, name: str, code: str, detail: str) -> None:
        """Note a fault of a field."""
        self.notes.faults.append(Fault(self.at(name), code, detail))

    def warn(self, name: str, code: str, detail: str) -> None:
        """Note what is not wrong but worth saying."""
        self.notes.warnings.append(Fault(self.at(name), code, detail))

    def take(self, name: str) -> object:
        """A field as it is; None if it is absent."""
        self._known.add(self._spell(name))
        return self._fields.get(self._spell(name))

    def text(self, name: str, *, required: bool = False) -> str:
        """A string; empty if it is absent."""
        value = self.take(name)
        if isinstance(value, str) and (value or not required):
            return value
        if value is not None and not isinstance(value, str):
            self.refuse(name, "wrong_type", "must be a string; quote it")
        elif required:
            self.refuse(name, "required", "is required")
        return ""

    def number(self, name: str) -> float | None:
        """A number; None if it is absent."""
        value = self.take(name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self.refuse(name, "wrong_type", "must be a number")
        return None

    def flag(self, name: str) -> bool:
        """A truth value; false if it is absent."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "wrong_type", "must be true or false")
        return value is True

    def strings(self, name: str) -> dict[str, str]:
        """A mapping of names to strings that Prometheus takes as labels or annotations."""
        value = self.take(name)
        if value is None:
            return {}
        section = Reader(value, self.at(name), self.notes)
        return {key: section.text(key, required=True) for key in section._fields if section._is_label(key)}

    def section(self, name: str) -> "Reader":
        """An object; an empty one if it is absent."""
        value = self.take(name)
        return self._child({} if value is None else value, self.at(name))

    def items(self, name: str) -> list["Reader"]:
        """The objects of a list; none if it is absent."""
        value = self.take(name)
        if value is not None and not isinstance(value, list):
            self.refuse(name, "wrong_type", "must be a list")
            return []
        listed = cast("list[object]", value or [])
        return [self._child(item, self.at(name) / index) for index, item in enumerate(listed)]

    def finish(self) -> None:
        """Note the fields that nobody asked for."""
        for name in self._fields:
            if name not in self._known:
                self.notes.unknown.append(Fault(self.path / name, "unknown_field", "is not a field of this document"))
        for child in self._children.values():
            child.finish()

    def _child(self, value: object, path: Path) -> "Reader":
        if path not in self._children:
            self._children[path] = Reader(value, path, self.notes, self._spell)
        return self._children[path]

    def _is_label(self, name: str) -> bool:
        if name in {"", "__name__"}:
            self.refuse(name, "label_invalid", "is not a name a label can have")
            return False
        if not _LABEL.fullmatch(name):
            self.warn(name, "label_needs_prometheus_3", "older Prometheus takes letters, digits and _ only")
        return True
