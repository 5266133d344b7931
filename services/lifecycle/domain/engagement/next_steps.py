"""Who must do what next in an engagement, and why: derived, never stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lifecycle.domain.engagement.charter import Part
from services.lifecycle.domain.engagement.state import Engagement

_PARTS: Final[dict[Part, str]] = {
    "priorities": "both sides' priorities",
    "goals": "the goals that both sides share",
    "definitions": "what the metrics mean that both sides report",
    "ground_rules": "the ground rules",
}


@dataclass(frozen=True, slots=True)
class Next:
    """Something that waits for somebody.

    Args:
        who: The team or people it waits for.
        what: What they should do.
        why: What it is for, or what happens without it.
        how: The request that does it.
        overdue: Whether its time is over.
    """

    who: str
    what: str
    why: str
    how: str
    overdue: bool = False


def next_steps(state: Engagement, at: datetime) -> tuple[Next, ...]:
    """What waits for somebody at *at*, what is overdue first."""
    return tuple(sorted(_steps(state, at), key=lambda step: not step.overdue))


def _steps(state: Engagement, at: datetime) -> Iterator[Next]:
    here = f"/v1/engagements/{state.engagement}"
    match state.standing:
        case "requested":
            yield Next(
                state.sre_team,
                "accept or decline the request",
                "development waits for an answer",
                f"POST {here}:triage",
            )
        case "accepted":
            yield Next(state.sre_team, "begin", "nobody works for the services yet", f"POST {here}:activate")
        case "declined":
            yield Next(
                state.dev_team,
                f"use what was offered instead: {state.instead}",
                state.guidance or "the SRE team does not engage",
                f"GET {here}",
            )
        case "handback_pending":
            yield from _handback(state, at, here)
        case "handed_back" | "disengaged":
            if state.watch is not None and state.watch.figures is None and at < state.watch.until:
                yield Next(
                    state.handover.receiver if state.handover else state.dev_team,
                    f"watch until {state.watch.until.date()}",
                    "the time after is compared with as much time before",
                    f"GET {here}/handback",
                )
        case "active":
            pass
    if state.standing in {"accepted", "active", "handback_pending"}:
        yield from _charter(state, here)
    if state.works:
        yield from _sustaining(state, at, here)


def _handback(state: Engagement, at: datetime, here: str) -> Iterator[Next]:
    handover = state.handover
    if handover is None:
        return
    for item in handover.open_items:
        who = handover.receiver if item.needs_receiver else f"{state.sre_team} and {handover.receiver}"
        wait = f"; not before {item.not_before.date()}" if item.not_before and at < item.not_before else ""
        yield Next(
            who, f"settle {item.id}", f"{item.text} ({item.source}){wait}", f"POST {here}/handback/{item.id}:settle"
        )
    if not handover.open_items:
        yield Next(state.sre_team, "hand back", "everything on the list is settled", f"POST {here}:hand-back")


def _charter(state: Engagement, here: str) -> Iterator[Next]:
    for part, what in _PARTS.items():
        chapter, path = state.chapter(part), f"{here}/{part.replace('_', '-')}"
        newest = chapter.newest
        if newest is None:
            yield Next(
                f"{state.dev_team} and {state.sre_team}", f"write down {what}", "nothing is agreed yet", f"PUT {path}"
            )
            continue
        for side in newest.missing:
            yield Next(
                state.team(side),
                f"acknowledge version {newest.version} of {what}",
                "it holds when both sides have",
                f"POST {path}:acknowledge",
            )


def _sustaining(state: Engagement, at: datetime, here: str) -> Iterator[Next]:
    for series in state.series.values():
        path = {"quarterly_update": "quarterly-updates", "service_review": "service-reviews"}.get(
            series.kind, "meetings"
        )
        if series.overdue(at):
            yield Next(
                f"{state.dev_team} and {state.sre_team}",
                f"hold the {series.title.lower()}",
                f"it was due on {series.due.date()}: at least every {series.every_days:g} days ({series.source})",
                f"POST {here}/{path}",
                overdue=True,
            )
    for breach in state.breaches:
        if breach.closed is None and not breach.answers:
            told = breach.told
            yield Next(
                told.owner,
                f"choose a step of the ladder for {breach.key}",
                f"{told.rule}: {told.value:g} where {told.limit:g} is the limit; agreed was: {told.action}",
                f"POST {here}/breaches/{breach.key}:answer",
                overdue=True,
            )
