"""The two reliability catalogues: what keeps services up, and what makes them fail again and again."""

from collections.abc import Iterator, Mapping, Sequence
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
        aliases: What else people call it; reviews may name it so.
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
    aliases: tuple[str, ...] = ()


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
        aliases: What else people call it; reviews and incidents may name it so.
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
    aliases: tuple[str, ...] = ()


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

    @cached_property
    def _by_name(self) -> Mapping[str, E]:
        """Its entries by all they are called."""
        return {**{alias: entry for entry in self.entries for alias in entry.aliases}, **self.by_id}

    def find(self, name: str) -> E | None:
        """The entry that is called so, by its id or an alias, however that is spelt."""
        return self._by_name.get("-".join(name.lower().replace("_", "-").split()))

    def nearest(self, name: str) -> tuple[str, ...]:
        """The ids that look most like *name*."""
        return tuple(get_close_matches(name.lower().replace("_", "-"), self.by_id, _NEAREST_AT_MOST, 0.4))


@dataclass(frozen=True)
class Catalogs:
    """Both catalogues."""

    patterns: Catalog[Pattern]
    antipatterns: Catalog[Antipattern]

    def pattern(self, name: str, pointer: str = "") -> Pattern:
        """The pattern of this id or alias.

        Raises:
            UnknownEntryError: There is none; names the nearest.
        """
        found = self.patterns.find(name)
        if found is None:
            raise _missing("pattern", name, self.patterns.nearest(name), pointer)
        return found

    def antipattern(self, name: str, pointer: str = "") -> Antipattern:
        """The antipattern of this id or alias.

        Raises:
            UnknownEntryError: There is none; names the nearest.
        """
        found = self.antipatterns.find(name)
        if found is None:
            raise _missing("antipattern", name, self.antipatterns.nearest(name), pointer)
        return found

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
        faults = [
            *entry_faults("/patterns/entries", self.patterns.entries),
            *entry_faults("/antipatterns/entries", self.antipatterns.entries),
            *unknown,
        ]
        if faults:
            raise InvalidPolicyError(faults)


def _missing(noun: str, name: str, nearest: tuple[str, ...], pointer: str) -> UnknownEntryError:
    return (UnknownEntryError if pointer else NoSuchEntryError)(noun, name, nearest, pointer)


def entry_faults(root: str, entries: Sequence[Pattern] | Sequence[Antipattern]) -> Iterator[Fault]:
    """What is wrong with *entries* that stand at *root*: they cannot be named, or say nothing."""
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        place = f"{root}/{index}"
        for spot, name in (("id", entry.id), *((f"aliases/{n}", alias) for n, alias in enumerate(entry.aliases))):
            if name in seen:
                yield Fault(f"{place}/{spot}", f"{name} stands here twice")
            seen.add(name)
            if not name.replace("-", "").isalnum() or name != name.lower():
                yield Fault(f"{place}/{spot}", f"{name!r} is no id: lower-case letters, digits and hyphens")
        says = entry.when_to_use if isinstance(entry, Pattern) else entry.symptom
        texts = (entry.name, says, entry.consequence, entry.remedy, entry.how_to_check, *entry.sources)
        if not all(text.strip() for text in texts):
            yield Fault(place, "one of its texts is empty")
        for name in ("groups", "sources"):
            if not getattr(entry, name):
                yield Fault(f"{place}/{name}", "is empty; name at least one")
