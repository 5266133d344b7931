"""The one answer to who is on call: layers by priority, cut by restrictions, and overrides above all.

Paging, "who is on call", calendars, hand-offs, limits and reports all ask here.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from services.incidents.domain.on_call.roster import (
    Layer,
    OnCall,
    Override,
    Roster,
    RotationRevision,
    ScheduleRevision,
    Source,
)
from services.incidents.domain.on_call.spans import Span, cut, joined, without
from services.incidents.domain.on_call.turns import Rota, shifts
from services.incidents.domain.on_call.wall_clock import zone_named
from services.incidents.domain.on_call.windows import openings

_FOR_EVER: Final = datetime(2300, 1, 1, tzinfo=UTC)
_MOMENT: Final = timedelta(microseconds=1)


def resolve(roster: Roster, start: datetime, until: datetime) -> list[OnCall]:
    """Who is on call between two moments, in order; stretches that reach beyond them are told whole."""
    low, high = _reach(roster, start, until)
    near = [it for it in roster.overrides if it.start < it.end and it.start < high and it.end > low]
    alone, instead = [it for it in near if not it.replaces], [it for it in near if it.replaces]
    found = _replaced(chain(_layered(roster, low, high, alone), _covers(roster.schedule, alone)), instead)
    return sorted(
        (each for each in found if each.since < until and each.until > start),
        key=lambda each: (each.since, each.shadow, each.source.layer, each.person),
    )


def at_moment(roster: Roster, moment: datetime) -> tuple[OnCall, ...]:
    """Who is on call at a moment."""
    return tuple(resolve(roster, moment, moment + _MOMENT))


def holes(roster: Roster, start: datetime, until: datetime) -> list[Span]:
    """When nobody is on call although somebody should be."""
    duty = (Span(each.since, each.until) for each in resolve(roster, start, until) if not each.shadow)
    decided = (Span(each.start, each.end) for each in roster.overrides if each.kind == "off_duty")
    taken = joined(chain(duty, _off_duty(roster, start, until), decided))
    asked = joined(force for revision, force in in_force(roster.revisions) if revision.layers)  # none: it has ended
    return [left for span in cut(Span(start, until), asked) for left in without(span, taken)]


def _off_duty(roster: Roster, start: datetime, until: datetime) -> Iterator[Span]:
    for revision, force in in_force(roster.revisions):
        for opening in openings(revision.off_duty, zone_named(revision.zone), start, until):
            yield from cut(opening, [force])


_R = TypeVar("_R", RotationRevision, ScheduleRevision)


def in_force(revisions: Sequence[_R]) -> Iterator[tuple[_R, Span]]:
    """Each revision with the time in which it is in force."""
    ends = [each.effective_from for each in revisions[1:]]
    for revision, end in zip(revisions, [*ends, _FOR_EVER], strict=False):
        if revision.effective_from < end:
            yield revision, Span(revision.effective_from, end)


def _reach(roster: Roster, start: datetime, until: datetime) -> tuple[datetime, datetime]:
    """How far the stretches reach that touch the time asked for: what cuts them is looked for there too."""
    low, high = start, until
    for end in (start,) if until - start <= _MOMENT else (start, until):
        for piece in chain.from_iterable(pieces for _, pieces in _layers(roster, end, end)):
            low, high = min(low, piece.since), max(high, piece.until)
    for override in roster.overrides:
        if override.start < until and override.end > start:
            low, high = min(low, override.start), max(high, override.end)
    return low, high


def _layered(roster: Roster, start: datetime, until: datetime, alone: Iterable[Override]) -> Iterator[OnCall]:
    """The layers of all revisions, cut where one is *alone* on call, or nobody, and the lower by the higher.

    Shadows cut nobody and are cut by nobody.
    """
    duty: dict[int, list[OnCall]] = {}
    for layer, pieces in _layers(roster, start, until):
        if layer.shadow:
            yield from pieces
        else:
            duty.setdefault(layer.priority, []).extend(pieces)
    taken = [Span(each.start, each.end) for each in alone]
    left: list[OnCall] = []
    for priority in sorted(duty, reverse=True):
        taken = joined(chain(taken, (Span(each.since, each.until) for each in left)))
        left = list(_outside(duty[priority], taken))
        yield from left


def _layers(roster: Roster, start: datetime, until: datetime) -> Iterator[tuple[Layer, Iterator[OnCall]]]:
    """The shifts of each layer that touch the time asked for, while it and a revision of its rotation are in force.

    A revision that leaves a layer as it was cuts no shift of it.
    """
    layers: dict[tuple[Layer, str], list[Span]] = {}
    for revision, force in in_force(roster.revisions):
        for layer in revision.layers:
            layers.setdefault((layer, revision.zone), []).append(force)
    for (layer, zone), forces in layers.items():
        whole = joined(forces)
        for turned, until_then in in_force(roster.rotations.get(layer.rotation, ())):
            for span in cut(until_then, whole):
                if span.start <= until and span.end > start:
                    yield layer, _of_rota(roster.schedule, layer, turned.rota, zone_named(zone), span, (start, until))


def _of_rota(
    schedule: str, layer: Layer, rota: Rota, zone: ZoneInfo, force: Span, asked: tuple[datetime, datetime]
) -> Iterator[OnCall]:
    """The shifts of one layer, cut by its restrictions and by when it is in force."""
    turns = list(shifts(rota, max(asked[0], force.start), min(asked[1], force.end)))
    if not turns:
        return
    open_at: Sequence[Span] = (force,)
    if layer.restrictions:
        open_at = [*cut(force, openings(layer.restrictions, zone, turns[0].start, turns[-1].end))]
    open_at = [each for each in open_at if each.start <= asked[1] and each.end > asked[0]]
    first = 0
    for turn in turns:
        source = Source("rotation", layer.name, layer.rotation, turn.begins)
        while first < len(open_at) and open_at[first].end <= turn.start:
            first += 1
        for index in range(first, len(open_at)):
            opening = open_at[index]
            if opening.start >= turn.end:
                break
            start, end = max(turn.start, opening.start), min(turn.end, opening.end)
            yield OnCall(turn.participant, start, end, source, layer.shadow, schedule)


def _covers(schedule: str, alone: Iterable[Override]) -> Iterator[OnCall]:
    for each in alone:
        if each.kind == "cover":
            yield OnCall(each.person, each.start, each.end, Source("cover", override=each.override), schedule=schedule)


def _replaced(pieces: Iterable[OnCall], overrides: Sequence[Override]) -> Iterable[OnCall]:
    """*pieces* after those who stand in for somebody, in the order in which that was decided."""
    if not overrides:
        return pieces
    shadows: list[OnCall] = []
    theirs: dict[str, list[OnCall]] = {}
    for piece in pieces:
        (shadows if piece.shadow else theirs.setdefault(piece.person, [])).append(piece)
    in_order = sorted(overrides, key=lambda each: (each.at, each.override))
    for _, halves in groupby(in_order, key=lambda each: each.decision):
        given: list[OnCall] = []  # by all halves, before anybody receives: two may swap the same time
        for it in halves:
            span, held = [Span(it.start, it.end)], theirs.pop(it.replaces, [])
            theirs[it.replaces] = list(_outside(held, span))
            given += (_instead(it, piece, part) for piece in held for part in cut(Span(piece.since, piece.until), span))
        for piece in given:
            theirs.setdefault(piece.person, []).append(piece)
    return chain(shadows, *theirs.values())


def _instead(override: Override, piece: OnCall, part: Span) -> OnCall:
    source = replace(piece.source, type=override.kind, override=override.override)
    return replace(_part(piece, part.start, part.end), person=override.person, source=source)


def _outside(pieces: Iterable[OnCall], taken: Sequence[Span]) -> Iterator[OnCall]:
    """What is left of *pieces* where nothing is *taken*, which is in order and apart."""
    ends = [span.end for span in taken]
    for piece in pieces:
        since, until = piece.since, piece.until
        for index in range(bisect_right(ends, since), len(ends)):
            other = taken[index]
            if other.start >= until:
                break
            if other.start > since:
                yield _part(piece, since, other.start)
            since = other.end
        if since == piece.since:
            yield piece
        elif since < until:
            yield _part(piece, since, until)


def _part(piece: OnCall, since: datetime, until: datetime) -> OnCall:
    return OnCall(piece.person, since, until, piece.source, piece.shadow, piece.schedule)
