"""How a team is set up: its people, sites, charter, duties and syncs, and what keeps it from being one."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from services.lifecycle.domain.team.kinds import TeamKind


@dataclass(frozen=True, slots=True)
class Charter:
    """What a team is for, and what it takes on: services by name, and technologies."""

    mission: str = ""
    services: tuple[str, ...] = ()
    technologies: tuple[str, ...] = ()


_NO_CHARTER = Charter()


@dataclass(frozen=True, slots=True)
class Site:
    """A place where people of the team sit."""

    name: str
    time_zone: str
    headcount: int


@dataclass(frozen=True, slots=True)
class Duty:
    """Something a site of the team does until it passes on; *holder* may be empty, the site too if there is none."""

    name: str
    site: str = ""
    holder: str = ""
    rotate_by: date | None = None


@dataclass(frozen=True, slots=True)
class Sync:
    """Sites that talk to each other again and again."""

    name: str
    sites: tuple[str, ...]
    every: timedelta
    last_held: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """How a team is set up; people by their labels.

    Args:
        members: Who belongs to it.
        leads: Those of them who lead it.
        product: Who speaks for the product; need not be a member. Empty when nobody does.
        headcount: How many people it has, listed here or not; None when not said.
        charter: What it is for.
        sites: Where it sits.
        duties: What its sites do in turn.
        syncs: How its sites keep together.
    """

    members: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    product: str = ""
    headcount: int | None = None
    charter: Charter = _NO_CHARTER
    sites: tuple[Site, ...] = ()
    duties: tuple[Duty, ...] = ()
    syncs: tuple[Sync, ...] = ()

    @property
    def size(self) -> int | None:
        """How many people the team has: as said, else the sum of its sites, else unknown."""
        if self.headcount is not None or not self.sites:
            return self.headcount
        return sum(site.headcount for site in self.sites)


UNSAID = Structure()  # nothing is known of how the team is set up


class Fault(NamedTuple):
    """One thing that cannot be: a stable code, the place in the structure, and what to do."""

    code: str
    pointer: str
    detail: str


def faults(structure: Structure, kind: TeamKind, least_at_site: int) -> tuple[Fault, ...]:
    """Why a team of *kind* cannot be set up like this; none when it can.

    Args:
        structure: How it would be set up.
        kind: What kind of team it is.
        least_at_site: How many people an SRE team has at a site at least; fewer are a singleton site.
    """
    return (
        *_named_twice(structure),
        *_people(structure),
        *_sites(structure, kind, least_at_site),
        *_references(structure),
    )


def without(structure: Structure, people: Collection[str], services: Collection[str]) -> Structure:
    """*structure* after *people* and *services* have left it."""
    charter = structure.charter
    return replace(
        structure,
        members=tuple(name for name in structure.members if name not in people),
        leads=tuple(name for name in structure.leads if name not in people),
        charter=replace(charter, services=tuple(name for name in charter.services if name not in services)),
        duties=tuple(replace(duty, holder="") if duty.holder in people else duty for duty in structure.duties),
    )


def joined(team: Structure, other: Structure) -> Structure:
    """*team* with all that *other* was; where both have something of the same name, what *team* has stays.

    People are added up, also at a site that both have; who was in both counts twice until somebody says otherwise.
    The product role stays with *team*, or passes on if it has none.
    """
    sites = {site.name: site for site in team.sites}
    for site in other.sites:
        held = sites.get(site.name)
        sites[site.name] = replace(held, headcount=held.headcount + site.headcount) if held else site
    known = team.size is not None or other.size is not None
    by_sites = bool(team.sites and other.sites) and team.headcount == other.headcount is None
    return Structure(
        members=_union(team.members, other.members),
        leads=_union(team.leads, other.leads),
        product=team.product or other.product,
        headcount=_people_of(team) + _people_of(other) if known and not by_sites else None,
        charter=Charter(
            mission=team.charter.mission or other.charter.mission,
            services=_union(team.charter.services, other.charter.services),
            technologies=_union(team.charter.technologies, other.charter.technologies),
        ),
        sites=tuple(sites.values()),
        duties=tuple({duty.name: duty for duty in (*other.duties, *team.duties)}.values()),
        syncs=tuple({sync.name: sync for sync in (*other.syncs, *team.syncs)}.values()),
    )


def _people_of(structure: Structure) -> int:
    return len(structure.members) if structure.size is None else structure.size


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _named_twice(structure: Structure) -> Iterator[Fault]:
    charter = structure.charter
    lists = {
        "/members": structure.members,
        "/leads": structure.leads,
        "/charter/services": charter.services,
        "/charter/technologies": charter.technologies,
        "/sites": tuple(site.name for site in structure.sites),
        "/duties": tuple(duty.name for duty in structure.duties),
        "/syncs": tuple(sync.name for sync in structure.syncs),
    }
    for pointer, names in lists.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield Fault("named-twice", pointer, f"{name!r} stands here {count} times; leave one")


def _people(structure: Structure) -> Iterator[Fault]:
    for index, lead in enumerate(structure.leads):
        if lead not in structure.members:
            detail = f"{lead!r} leads the team but is no member; add {lead!r} to members, or name another lead"
            yield Fault("lead-not-a-member", f"/leads/{index}", detail)
    size = structure.size
    if size is not None and len(structure.members) > size:
        detail = f"{len(structure.members)} members are named, but there are {size} people; raise the headcount"
        yield Fault("headcount-too-small", "/headcount", detail)


def _sites(structure: Structure, kind: TeamKind, least: int) -> Iterator[Fault]:
    for index, site in enumerate(structure.sites):
        if kind == "sre" and site.headcount < least:
            detail = (
                f"{site.name!r} would be a singleton site; put at least {least} people there, or join it to another"
            )
            yield Fault("singleton-site", f"/sites/{index}/headcount", detail)
    total = sum(site.headcount for site in structure.sites)
    if structure.headcount is not None and structure.headcount < total:
        detail = f"the sites have {total} people together; make headcount {total} or more, or leave it out"
        yield Fault("headcount-too-small", "/headcount", detail)


def _references(structure: Structure) -> Iterator[Fault]:
    known = {site.name for site in structure.sites}
    for index, duty in enumerate(structure.duties):
        if duty.site and duty.site not in known:
            yield _unknown_site(f"/duties/{index}/site", duty.site)
    for index, sync in enumerate(structure.syncs):
        for place, site in enumerate(sync.sites):
            if site not in known:
                yield _unknown_site(f"/syncs/{index}/sites/{place}", site)
        if len(set(sync.sites)) < 2:  # noqa: PLR2004  one site has nobody to talk to
            yield Fault("sync-of-one-site", f"/syncs/{index}/sites", "name at least two sites that talk to each other")


def _unknown_site(pointer: str, site: str) -> Fault:
    return Fault("unknown-site", pointer, f"the team has no site {site!r}; add it to sites, or name one of them")
