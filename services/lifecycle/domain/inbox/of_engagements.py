"""What waits because of an engagement: its next steps, what it keeps track of, and both sides' word for a gathering."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.lifecycle.domain.engagement.charter import SIDES, Side
from services.lifecycle.domain.engagement.events import SeriesKind
from services.lifecycle.domain.engagement.next_steps import Step, steps
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.lives import LIVES, PATHS, State
from services.lifecycle.domain.engagement_item.lives import Kind as ItemKind
from services.lifecycle.domain.inbox.waiting import Teams, Waiting, Who, leads, one
from services.lifecycle.domain.team.structure import UNSAID

_GATHERINGS: Mapping[SeriesKind, str] = {
    "quarterly_update": "quarterly-updates",
    "service_review": "service-reviews",
}
_TOPICS: Mapping[Side, str] = {"sre": "the state of production", "dev": "the state of the product"}


@dataclass(frozen=True, slots=True)
class Pair:
    """The two teams of an engagement, and the services that it is about."""

    engagement: str
    dev_team: str
    sre_team: str
    services: tuple[str, ...]

    def team(self, side: Side) -> str:
        """Who stands on that side."""
        return self.dev_team if side == "dev" else self.sre_team

    @property
    def named(self) -> str:
        """As people call it."""
        return f"{self.sre_team} with {self.dev_team}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """Something that an engagement keeps track of, and that goes on."""

    item: str
    kind: ItemKind
    state: State
    title: str
    side: Side | None
    owner: str
    due: date | None
    services: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A gathering that was not held yet; *told* says who spoke for a side."""

    gathering: str
    kind: SeriesKind
    title: str
    told: Mapping[Side, str]
    since: datetime


def engagement(state: Engagement, teams: Teams, at: datetime) -> Iterator[Waiting]:
    """What an engagement waits for, once for each team that can do it."""
    pair = Pair(state.engagement, state.dev_team, state.sre_team, state.services)
    for step in steps(state, at):
        if step.kind == "note" or step.not_yet:
            continue
        for team, who in _asked(step, teams):
            due = step.due.date() if step.due else None
            yield Waiting(
                kind=step.kind,
                subject=f"/v1/engagements/{state.engagement}",
                title=f"{pair.named}: {step.next.what}",
                team=team,
                services=state.services,
                since=step.since,
                due=due,
                overdue=step.next.overdue,
                what=step.next.what,
                why=step.next.why,
                how=step.next.how,
                who=who,
            )


def item(found: OpenItem, pair: Pair, teams: Teams, at: datetime) -> Iterator[Waiting]:
    """An item waits for its owner; without one, for those who have to go on with what is new."""
    life, path = LIVES[found.kind], f"/v1/engagements/{pair.engagement}/{PATHS[found.kind]}/{found.item}"
    verb, *_ = life.allowed(found.state)
    overdue = found.due is not None and found.due < at.date()
    for team, who in _keepers(found, pair, teams):
        yield Waiting(
            kind=found.kind,
            subject=path,
            title=found.title,
            team=team,
            services=found.services or pair.services,
            since=found.since,
            due=found.due,
            overdue=overdue,
            what=f"go on by one of {', '.join(f':{each}' for each in life.allowed(found.state))}",
            why=f"it was due on {found.due}" if overdue else life.why,
            how=f"POST {path}:{verb}",
            who=who,
        )


def draft(found: Draft, pair: Pair, teams: Teams) -> Iterator[Waiting]:
    """An update or a review waits for the word of each side, and then for its end."""
    path = f"/v1/engagements/{pair.engagement}/{_GATHERINGS.get(found.kind, 'meetings')}/{found.gathering}"
    missing: list[Side] = [side for side in SIDES if side not in found.told] if found.kind != "meeting" else []
    for side in missing or SIDES:
        team = pair.team(side)
        spoken = tuple(by for other, by in found.told.items() if other != side) if missing else ()
        told = bool(missing)
        yield Waiting(
            kind="statement" if told else "gathering",
            subject=path,
            title=found.title,
            team=team,
            services=pair.services,
            since=found.since,
            due=None,
            overdue=False,
            what=f"tell {_TOPICS[side]}" if told else "hold it, and say what was decided",
            why="it is held when both sides have told" if told else "it is drafted, and was not held",
            how=f"POST {path}:{'tell' if told else 'hold'}",
            who=leads(teams, team, *spoken),
        )


def _asked(step: Step, teams: Teams) -> Iterator[tuple[str, Who]]:
    """The teams that a step waits for, and who of each; a breach waits for the owner of its rule."""
    owner = step.next.who
    if step.kind != "breach":
        own = ()
    elif not (own := tuple(team for team in step.teams if _is_of(owner, team, teams))):
        yield "", one(owner)  # in neither team; the leads of both see to it that it is answered
    for team in own or step.teams:
        yield team, one(owner) if own and owner != team else leads(teams, team, *step.but)


def _is_of(name: str, team: str, teams: Teams) -> bool:
    """Whether *name* is a team, or somebody in it."""
    structure = teams.get(team, UNSAID)
    return name == team or name in structure.members or name in structure.leads


def _keepers(found: OpenItem, pair: Pair, teams: Teams) -> Iterator[tuple[str, Who]]:
    sides = SIDES if found.side is None else (found.side,)
    if found.owner:
        own = [pair.team(side) for side in SIDES if _is_of(found.owner, pair.team(side), teams)]
        yield own[0] if own else pair.team(sides[0]), one(found.owner)
        return
    if found.kind == "insight" and found.side is not None:
        sides = ("dev" if found.side == "sre" else "sre",)  # the other side acts on it
    for side in SIDES if found.kind in {"win", "adjustment"} else sides:
        yield pair.team(side), leads(teams, pair.team(side))
