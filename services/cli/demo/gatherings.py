"""Quarterly updates and service reviews: drafted from what had happened, told by both sides, concluded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from services.cli.demo.world import World
from services.lifecycle.contract import ENGAGEMENT_ITEM
from services.lifecycle.domain.engagement.charter import Side
from services.lifecycle.domain.engagement.commands import Speaker
from services.lifecycle.domain.engagement.measures import measure
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.lives import Kind
from services.lifecycle.domain.gathering.commands import Command, Conclude, Draft, Note, Tell
from services.lifecycle.domain.gathering.events import Decision
from services.lifecycle.domain.gathering.pack import Tracked, pack

_PATHS = {
    "milestone": "plan",
    "insight": "insights",
    "training": "trainings",
    "win": "wins",
    "adjustment": "adjustments",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What was said: the state of production, the state of the product, and what both decided to change."""

    series: Literal["quarterly-update", "service-review"] = "quarterly-update"
    production: str
    product: str
    decision: Decision = "continue"
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


def drafted(  # noqa: PLR0913  what a gathering is made of
    world: World,
    state: Engagement,
    gathering: str,
    day: int,
    meeting: Meeting,
    items: Mapping[str, Kind],
    leads: Mapping[Side, Speaker],
) -> Iterator[tuple[datetime, Command]]:
    """What was asked of the gathering, and when."""
    series = state.series[meeting.series]
    yearly = series.kind == "service_review"
    at, met = world.at(day, 8), world.at(day + 7, 14)
    since = series.held[-1] if series.held else at - timedelta(days=series.every_days)
    told: dict[str, Any] = {"gathering": gathering, "engagement": state.engagement, "kind": series.kind}
    dev, sre = leads["dev"].name, leads["sre"].name

    def seen(days: float) -> Any:  # noqa: ANN401  of ground rules
        return world.seen(state.sre_team, state.services, at - timedelta(days=days), at)

    shown = pack(
        state,
        world.seen(state.sre_team, state.services, since, at),
        measure(state.rules, seen),
        [_tracked(world, state, item, kind) for item, kind in items.items() if _known(world, item)],
        [each.released for each in world.delivered(state.services, since, at)],
        {},
    )
    draft = Draft(**told, by=sre, at=at, series=series.series, title=series.title, since=since, until=at, pack=shown)
    yield at, draft
    reaches = world.terms.roadmap_months_least.value, world.terms.roadmap_months_most.value
    words: tuple[tuple[Side, str], ...] = (("sre", meeting.production), ("dev", meeting.product))
    for later, (side, text) in enumerate(words, 1):
        said = world.at(day + later)
        months = 12 if yearly else None
        yield (
            said,
            Tell(
                **told,
                by=leads[side].name,
                at=said,
                side=side,
                text=text,
                horizon_months=months,
                reaches=reaches,
                speaker=leads[side],
            ),
        )
    yield met, Note(**told, by=sre, at=met, notes="", start=meeting.start, stop=meeting.stop, keep=meeting.keep)
    yield (
        met,
        Conclude(**told, by=dev, at=met, reason="agreed by both leads", decision=meeting.decision, is_person=True),
    )


def _known(world: World, item: str) -> bool:
    return world.lifecycle.state(ENGAGEMENT_ITEM, item) is not None


def _tracked(world: World, state: Engagement, item: str, kind: Kind) -> Tracked:
    found = world.lifecycle.state(ENGAGEMENT_ITEM, item)
    if found is None:
        raise LookupError(item)
    content = found.content
    return Tracked(
        kind=kind,
        path=f"/v1/engagements/{state.engagement}/{_PATHS[kind]}/{item}",
        title=content.title,
        state=found.state,
        owner=content.owner,
        due=content.due,
        goes_on=bool(found.allowed),
        moved_at=found.moves[-1].at if found.moves else found.opened.at,
    )
