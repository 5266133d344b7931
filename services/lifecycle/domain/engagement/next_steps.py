"""Who must do what next in an engagement, and why: derived, never stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.lifecycle.domain.engagement.charter import Part
from services.lifecycle.domain.engagement.state import Engagement

StepKind = Literal[
    "engagement_request",
    "engagement_start",
    "engagement_empty",
    "charter_part",
    "acknowledgement",
    "gathering",
    "breach",
    "handback",
    "note",
]
"""A `note` asks for nothing."""
_PARTS: Final[dict[Part, str]] = {
    "priorities": "both sides' priorities",
    "goals": "the goals that both sides share",
    "definitions": "what the metrics mean that both sides report",
    "ground_rules": "the ground rules",
    "working_agreements": "how both sides go about releases, incidents and reviews",
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


@dataclass(frozen=True, slots=True)
class Step:
    """Something that waits, and for whom in terms of the engagement.

    Args:
        kind: What kind of thing.
        next: As people are told.
        teams: Any of whom can do it.
        since: Since when it waits.
        due: By when.
        but: People who may not: nobody speaks for both sides.
        not_yet: Whether it cannot be done today.
    """

    kind: StepKind
    next: Next
    teams: tuple[str, ...]
    since: datetime
    due: datetime | None = None
    but: tuple[str, ...] = ()
    not_yet: bool = False


def next_steps(state: Engagement, at: datetime) -> tuple[Next, ...]:
    """What waits for somebody at *at*, what is overdue first."""
    return tuple(sorted((step.next for step in steps(state, at)), key=lambda step: not step.overdue))


def steps(state: Engagement, at: datetime) -> Iterator[Step]:
    """What waits for somebody at *at*."""
    here = f"/v1/engagements/{state.engagement}"
    sre, dev, since = (state.sre_team,), (state.dev_team,), state.since
    match state.standing:
        case "requested":
            yield Step(
                "engagement_request",
                Next(
                    state.sre_team,
                    "accept or decline the request",
                    "development waits for an answer",
                    f"POST {here}:triage",
                ),
                sre,
                since,
            )
        case "accepted":
            begin = Next(state.sre_team, "begin", "nobody works for the services yet", f"POST {here}:activate")
            yield Step("engagement_start", begin, sre, since)
        case "declined":
            instead = Next(
                state.dev_team,
                f"use what was offered instead: {state.instead}",
                state.guidance or "the SRE team does not engage",
                f"GET {here}",
            )
            yield Step("note", instead, dev, since)
        case "handback_pending":
            yield from _handback(state, at, here)
        case "handed_back" | "disengaged":
            if state.watch is not None and state.watch.figures is None and at < state.watch.until:
                receiver = state.handover.receiver if state.handover else state.dev_team
                watch = Next(
                    receiver,
                    f"watch until {state.watch.until.date()}",
                    "the time after is compared with as much time before",
                    f"GET {here}/handback",
                )
                yield Step("note", watch, (receiver,), state.watch.since, state.watch.until)
        case "active":
            yield from _empty(state, here)
    if state.standing in {"accepted", "active", "handback_pending"}:
        yield from _charter(state, here)
    if state.works:
        yield from _sustaining(state, at, here)


def _empty(state: Engagement, here: str) -> Iterator[Step]:
    if state.services:
        return
    who = f"{state.dev_team} and {state.sre_team}"
    end = Next(who, "end it, or take a service in", "no service is left in it", f"POST {here}:disengage")
    yield Step("engagement_empty", end, (state.dev_team, state.sre_team), state.since)


def _handback(state: Engagement, at: datetime, here: str) -> Iterator[Step]:
    handover = state.handover
    if handover is None:
        return
    for item in handover.open_items:
        who = handover.receiver if item.needs_receiver else f"{state.sre_team} and {handover.receiver}"
        early = item.not_before is not None and at < item.not_before
        wait = f"; not before {item.not_before.date()}" if item.not_before and early else ""
        settle = Next(
            who, f"settle {item.id}", f"{item.text} ({item.source}){wait}", f"POST {here}/handback/{item.id}:settle"
        )
        teams = (handover.receiver,) if item.needs_receiver else (state.sre_team, handover.receiver)
        since = item.not_before or handover.started_at
        yield Step("handback", settle, teams, since, not_yet=early)
    if not handover.open_items:
        done = Next(state.sre_team, "hand back", "everything on the list is settled", f"POST {here}:hand-back")
        settled_at = max((each.at for each in handover.settled.values()), default=handover.started_at)
        yield Step("handback", done, (state.sre_team,), settled_at)


def _charter(state: Engagement, here: str) -> Iterator[Step]:
    both = (state.dev_team, state.sre_team)
    for part, what in _PARTS.items():
        chapter, path = state.chapter(part), f"{here}/{part.replace('_', '-')}"
        newest = chapter.newest
        if newest is None:
            who = f"{state.dev_team} and {state.sre_team}"
            write = Next(who, f"write down {what}", "nothing is agreed yet", f"PUT {path}")
            yield Step("charter_part", write, both, state.stays[0].since)
            continue
        for side in newest.missing:
            acknowledge = Next(
                state.team(side),
                f"acknowledge version {newest.version} of {what}",
                "it holds when both sides have",
                f"POST {path}:acknowledge",
            )
            but = tuple(each.by for each in newest.acknowledged)
            yield Step("acknowledgement", acknowledge, (state.team(side),), newest.at, but=but)


def _sustaining(state: Engagement, at: datetime, here: str) -> Iterator[Step]:
    both = (state.dev_team, state.sre_team)
    for series in state.series.values():
        path = {"quarterly_update": "quarterly-updates", "service_review": "service-reviews"}.get(
            series.kind, "meetings"
        )
        if series.overdue(at):
            hold = Next(
                f"{state.dev_team} and {state.sre_team}",
                f"hold the {series.title.lower()}",
                f"it was due on {series.due.date()}: at least every {series.every_days:g} days ({series.source})",
                f"POST {here}/{path}",
                overdue=True,
            )
            yield Step("gathering", hold, both, series.due, series.due)
    for breach in state.breaches:
        if breach.closed is None and not breach.answers:
            told = breach.told
            answer = Next(
                told.owner,
                f"choose a step of the ladder for {breach.key}",
                f"{told.rule}: {told.value:g} where {told.limit:g} is the limit; agreed was: {told.action}",
                f"POST {here}/breaches/{breach.key}:answer",
                overdue=True,
            )
            yield Step("breach", answer, both, told.at, told.at)
