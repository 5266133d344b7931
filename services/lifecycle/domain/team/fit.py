"""How well a service fits a team: three terms, each shown, and one sum of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.lifecycle.domain.policy import Number
from services.lifecycle.domain.team.policy import FitWeights


@dataclass(frozen=True, slots=True)
class Term:
    """One reason why a service fits a team: between 0 and 1, or None when it cannot be told, and why it is that."""

    name: str
    value: float | None
    weight: float
    source: str
    detail: str


@dataclass(frozen=True, slots=True)
class Fit:
    """The weighted mean of the terms that are known; None when none is. *known_weight* says how much it rests on."""

    score: float | None
    known_weight: float
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What counts of a service that a team might take on; empty is not known."""

    product: str
    technologies: Collection[str]
    owner_team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """What a team works for and knows already."""

    products: Collection[str]
    technologies: Collection[str]
    dev_teams: Collection[str]


def fit(service: Candidate, team: Takes, weights: FitWeights) -> Fit:
    """How well *service* fits *team*."""
    terms = (
        _same_product(service, team, weights.same_product),
        _similar_stack(service, team, weights.similar_stack),
        _same_dev_teams(service, team, weights.same_dev_teams),
    )
    return Fit(*_mean(terms), terms)


def _mean(terms: Sequence[Term]) -> tuple[float | None, float]:
    known = [(term.value, term.weight) for term in terms if term.value is not None]
    weight = sum(weight for _, weight in known)
    return (sum(value * weight for value, weight in known) / weight if weight else None), weight


def _same_product(service: Candidate, team: Takes, weight: Number) -> Term:
    if not service.product:
        return Term("same_product", None, weight.value, weight.source, "the service names no product")
    same = service.product in team.products
    detail = f"the team {'works' if same else 'does not work'} for the product {service.product} already"
    return Term("same_product", float(same), weight.value, weight.source, detail)


def _similar_stack(service: Candidate, team: Takes, weight: Number) -> Term:
    if not service.technologies or not team.technologies:
        side = "service" if not service.technologies else "team"
        return Term("similar_stack", None, weight.value, weight.source, f"the {side} names no technologies")
    known = sorted({*service.technologies} & {*team.technologies})
    value = len(known) / len({*service.technologies})
    detail = f"the team knows {len(known)} of {len({*service.technologies})}: {', '.join(known) or 'none'}"
    return Term("similar_stack", value, weight.value, weight.source, detail)


def _same_dev_teams(service: Candidate, team: Takes, weight: Number) -> Term:
    if not service.owner_team:
        return Term("same_dev_teams", None, weight.value, weight.source, "the service has no owner")
    same = service.owner_team in team.dev_teams
    detail = f"the team {'works' if same else 'does not work'} with {service.owner_team} already"
    return Term("same_dev_teams", float(same), weight.value, weight.source, detail)
