"""The rules of an installation's catalogue: versions never change, and none of its entries shadows silently."""

from collections.abc import Iterable, Iterator

from services.lifecycle.domain.catalogs import Antipattern, Catalog, Catalogs, Pattern, entry_faults
from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.own_catalog.commands import Command
from services.lifecycle.domain.own_catalog.events import CatalogPublished, Event, OwnCatalog
from services.lifecycle.domain.policy import Fault

Published = tuple[CatalogPublished, ...]  # the oldest first


class OwnCatalogFaultyError(LifecycleError):
    """It contradicts itself, or the catalogue of the program."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in self.faults))


class OwnCatalogOutdatedError(LifecycleError):
    """It was written from a version that is not the newest."""

    def __init__(self, newest: int) -> None:
        super().__init__(f"version {newest} was published meanwhile; read it, and send your change of that")
        self.newest = newest


def decide(command: Command, state: Published) -> tuple[Event, ...]:
    """The facts *command* produces; none if the newest version holds the same.

    Raises:
        OwnCatalogFaultyError: Names every place.
        OwnCatalogOutdatedError: Somebody was faster.
    """
    newest = state[-1] if state else None
    if newest is not None and newest.catalog == command.catalog:
        return ()
    version = newest.version if newest else 0
    if command.based_on not in {None, version}:
        raise OwnCatalogOutdatedError(version)
    if newest is None and command.catalog == OwnCatalog():
        raise OwnCatalogFaultyError(
            [Fault("/patterns", "a first version has an entry; write a pattern or antipattern")]
        )
    if faults := list(_faults(command.catalog, command.shipped)):
        raise OwnCatalogFaultyError(faults)
    return (CatalogPublished(version + 1, command.catalog, command.reason, command.by, command.at),)


def evolve(state: Published, event: Event) -> Published:
    """The versions after one more."""
    return (*state, event)


def in_force(shipped: Catalogs, state: Published) -> Catalogs:
    """The entries of the program and those of the installation, which stand in the place of what they replace."""
    if not state:
        return shipped
    newest = state[-1]
    return _merged(shipped, newest.catalog, f"{shipped.patterns.version}+{newest.version}")


def _merged(shipped: Catalogs, own: OwnCatalog, version: str) -> Catalogs:
    patterns = [each for each in shipped.patterns.entries if each.id not in own.replaces]
    antipatterns = [each for each in shipped.antipatterns.entries if each.id not in own.replaces]
    return Catalogs(Catalog(version, (*patterns, *own.patterns)), Catalog(version, (*antipatterns, *own.antipatterns)))


def _faults(own: OwnCatalog, shipped: Catalogs) -> Iterator[Fault]:
    yield from entry_faults("/patterns", own.patterns)
    yield from entry_faults("/antipatterns", own.antipatterns)
    yield from _shadows("/patterns", own.patterns, shipped.patterns, own.replaces)
    yield from _shadows("/antipatterns", own.antipatterns, shipped.antipatterns, own.replaces)
    kinds = ((shipped.patterns.by_id, own.patterns), (shipped.antipatterns.by_id, own.antipatterns))
    for index, name in enumerate(own.replaces):
        here = [{each.id for each in entries} for there, entries in kinds if name in there]
        if not here:
            yield Fault(f"/replaces/{index}", f"{name} is no entry of the program")
        elif name not in here[0]:
            yield Fault(
                f"/replaces/{index}", f"no entry of its kind here has the id {name}; write it, or leave this out"
            )
    known = _merged(shipped, own, "").patterns
    for index, entry in enumerate(own.antipatterns):
        for place, name in enumerate(entry.patterns):
            if name not in known.by_id:
                yield Fault(f"/antipatterns/{index}/patterns/{place}", f"{name} is no pattern, here or of the program")


def _shadows(
    root: str,
    entries: tuple[Pattern, ...] | tuple[Antipattern, ...],
    shipped: Catalog[Pattern] | Catalog[Antipattern],
    replaces: tuple[str, ...],
) -> Iterator[Fault]:
    taken = {name: each.id for each in shipped.entries for name in (each.id, *each.aliases) if each.id not in replaces}
    for index, entry in enumerate(entries):
        for place, name in (("id", entry.id), *((f"aliases/{n}", alias) for n, alias in enumerate(entry.aliases))):
            if name in taken:
                detail = f"{name} means {taken[name]} of the program; name that in `replaces` to stand in its place"
                yield Fault(f"{root}/{index}/{place}", detail)
