"""What people look up about a service: what it is, what it is built of, where its code is and who answers for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to look: a dashboard, a runbook, a design."""

    title: str
    url: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CodePath:
    """A part of a repository, and the team that answers for it; the whole repository when *path* is empty."""

    repository: str
    path: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What people look up about a service.

    Args:
        description: What it does.
        product: The product that it is a part of; services of one product share their goals.
        technologies: What it is built of.
        labels: Whatever else others sort services by.
        links: Where to look.
        code: Where its code is, and who answers for which part.
        stateful: Whether it keeps data that could be lost; None while nobody has said so.
    """

    description: str = ""
    product: str = ""
    technologies: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    links: tuple[Link, ...] = ()
    code: tuple[CodePath, ...] = ()
    stateful: bool | None = None


EMPTY = Catalogue()


def enriched(catalogue: Catalogue, other: Catalogue) -> Catalogue:
    """*catalogue* with what *other* says besides: its texts and labels win, nothing that is there is taken away."""
    links = {link.url: link for link in (*catalogue.links, *other.links)}
    return Catalogue(
        description=other.description or catalogue.description,
        product=other.product or catalogue.product,
        technologies=tuple(dict.fromkeys((*catalogue.technologies, *other.technologies))),
        labels={**catalogue.labels, **other.labels},
        links=tuple(links.values()),
        code=catalogue.code,
        stateful=catalogue.stateful if other.stateful is None else other.stateful,
    )


def handed_over(catalogue: Catalogue, team: str, heir: str) -> Catalogue:
    """*catalogue* after *heir* has taken over the code that *team* answered for."""
    code = tuple(replace(path, owner=heir) if path.owner == team else path for path in catalogue.code)
    return replace(catalogue, code=code)
