"""The two reliability catalogues: what keeps services up, and what makes them fail again and again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import ClassVar, Generic, Literal, TypeVar, get_args

from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.policy import Fault, InvalidPolicyError

Group = Literal["microservices", "containers", "cloud-native"]
GROUPS: tuple[Group, ...] = get_args(Group)
_STRICT = {"extra": "forbid"}
_NEAREST_AT_MOST = 3


class UnknownEntryError(LifecycleError):
    """A catalogue has no entry of this id."""

    def __init__(self, noun: str, name: str, nearest: tuple[str, ...], pointer: str) -> None:
        near = f"; the nearest: {', '.join(nearest)}" if nearest else ""
        super().__init__(f"the catalogue has no {noun} {name!r}{near}; GET /v1/catalogs/{noun}s lists all")
        self.nearest, self.pointer = nearest, pointer


class NoSuchEntryError(UnknownEntryError):
    """What was asked for is not in the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A way to keep a service up.

    Args:
        id: By which reviews name it.
        name: What people call it.
        when_to_use: When it is the right means.
        consequence: What it costs.
        remedy: How it is done.
        how_to_check: How one sees that it works.
        groups: Where it is at home.
        sources: Who describes it.
    """

    __pydantic_config__: ClassVar = _STRICT

    id: str
    name: str
    when_to_use: str
    consequence: str
    remedy: str
    how_to_check: str
    groups: tuple[Group, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Antipattern:
    """What makes services fail again and again; its id is also a class of incidents.

    Args:
        id: By which reviews and incidents name it.
        name: What people call it.
        symptom: By what one recognises it.
        consequence: What it leads to.
        remedy: What to do instead.
        how_to_check: How one finds out whether it is there.
        groups: Where it is at home.
        patterns: The entries of the other catalogue that help.
        sources: Who describes it.
    """

    __pydantic_config__: ClassVar = _STRICT

    id: str
    name: str
    symptom: str
    consequence: str
    remedy: str
    how_to_check: str
    groups: tuple[Group, ...]
    patterns: tuple[str, ...]
    sources: tuple[str, ...]


E = TypeVar("E", Pattern, Antipattern)


@dataclass(frozen=True)
class Catalog(Generic[E]):
    """A catalogue in one version."""

    __pydantic_config__: ClassVar = _STRICT

    version: str
    entries: tuple[E, ...]

    @cached_property
    def by_id(self) -> Mapping[str, E]:
        """Its entries by their ids."""
        return {entry.id: entry for entry in self.entries}

    def nearest(self, name: str) -> tuple[str, ...]:
        """The ids that look most like *name*."""
        return tuple(get_close_matches(name.lower().replace("_", "-"), self.by_id, _NEAREST_AT_MOST, 0.4))


@dataclass(frozen=True)
class Catalogs:
    """Both catalogues."""

    patterns: Catalog[Pattern]
    antipatterns: Catalog[Antipattern]

    def pattern(self, name: str, pointer: str = "") -> Pattern:
        """The pattern of this id.

        Raises:
            UnknownEntryError: There is none; names the nearest.
        """
        if name not in self.patterns.by_id:
            raise _missing("pattern", name, self.patterns.nearest(name), pointer)
        return self.patterns.by_id[name]

    def antipattern(self, name: str, pointer: str = "") -> Antipattern:
        """The antipattern of this id.

        Raises:
            UnknownEntryError: There is none; names the nearest.
        """
        if name not in self.antipatterns.by_id:
            raise _missing("antipattern", name, self.antipatterns.nearest(name), pointer)
        return self.antipatterns.by_id[name]

    def validate(self) -> None:
        """Refuse entries that cannot be named, say nothing, or are helped by what is not there.

        Raises:
            InvalidPolicyError: Names every place.
        """
        unknown = [
            Fault(f"/antipatterns/entries/{index}/patterns/{place}", f"{name} is no pattern of the other catalogue")
            for index, entry in enumerate(self.antipatterns.entries)
            for place, name in enumerate(entry.patterns)
            if name not in self.patterns.by_id
        ]
        faults = [*_faults("/patterns", self.patterns), *_faults("/antipatterns", self.antipatterns), *unknown]
        if faults:
            raise InvalidPolicyError(faults)


def _missing(noun: str, name: str, nearest: tuple[str, ...], pointer: str) -> UnknownEntryError:
    return (UnknownEntryError if pointer else NoSuchEntryError)(noun, name, nearest, pointer)


def _faults(root: str, catalog: Catalog[Pattern] | Catalog[Antipattern]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, entry in enumerate(catalog.entries):
        place = f"{root}/entries/{index}"
        if entry.id in seen:
            yield Fault(f"{place}/id", f"{entry.id} stands here twice")
        seen.add(entry.id)
        if not entry.id.replace("-", "").isalnum() or entry.id != entry.id.lower():
            yield Fault(f"{place}/id", f"{entry.id!r} is no id: lower-case letters, digits and hyphens")
        says = entry.when_to_use if isinstance(entry, Pattern) else entry.symptom
        texts = (entry.name, says, entry.consequence, entry.remedy, entry.how_to_check)
        if not all(text.strip() for text in texts):
            yield Fault(place, "one of its texts is empty")
        for name in ("groups", "sources"):
            if not getattr(entry, name):
                yield Fault(f"{place}/{name}", "is empty; name at least one")
