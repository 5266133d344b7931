"""The one answer to who is on call: layers by priority, cut by restrictions, and overrides above all.

Paging, "who is on call", calendars, hand-offs, limits and reports all ask here.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import Final

from services.incidents.domain.on_call.roster import Layer, OnCall, Override, Roster, ScheduleRevision, Source
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
    found = _replaced(_covered(roster.schedule, _layered(roster, low, high), near), near)
    return sorted(
        (each for each in found if each.since < until and each.until > start),
        key=lambda each: (each.since, each.shadow, each.source.layer, each.person),
    )


def at_moment(roster: Roster, moment: datetime) -> tuple[OnCall, ...]:
    """Who is on call at a moment."""
    return tuple(resolve(roster, moment, moment + _MOMENT))


def holes(roster: Roster, start: datetime, until: datetime) -> list[Span]:
    """When nobody is on call although somebody should be."""
    duty = joined(Span(each.since, each.until) for each in resolve(roster, start, until) if not each.shadow)
    free = joined(chain(_off_duty(roster, start, until), (Span(each.start, each.end) for each in _free(roster))))
    begun = max(start, roster.revisions[0].effective_from) if roster.revisions else until
    if begun >= until:
        return []
    return [left for hole in without(Span(begun, until), duty) for left in without(hole, free)]


def _free(roster: Roster) -> Iterator[Override]:
    return (each for each in roster.overrides if each.kind == "off_duty" and each.start < each.end)


def _off_duty(roster: Roster, start: datetime, until: datetime) -> Iterator[Span]:
    for revision, force in in_force(roster.revisions):
        if revision.off_duty and force.start < until and force.end > start:
            for opening in openings(revision.off_duty, zone_named(revision.zone), start, until):
                yield from cut(opening, [force])


def in_force(revisions: Sequence[ScheduleRevision]) -> Iterator[tuple[ScheduleRevision, Span]]:
    """Each revision with the time in which it is in force."""
    ends = [each.effective_from for each in revisions[1:]]
    for revision, end in zip(revisions, [*ends, _FOR_EVER], strict=False):
        if revision.effective_from < end:
            yield revision, Span(revision.effective_from, end)


def _reach(roster: Roster, start: datetime, until: datetime) -> tuple[datetime, datetime]:
    """How far the stretches reach that touch the time asked for: what cuts them is looked for there too."""
    low, high = start, until
    ends = (start,) if until - start <= _MOMENT else (start, until)
    for piece in chain.from_iterable(_pieces(roster, end, end) for end in ends):
        low, high = min(low, piece.since), max(high, piece.until)
    for override in roster.overrides:
        if override.start < until and override.end > start:
            low, high = min(low, override.start), max(high, override.end)
    return low, high


def _layered(roster: Roster, start: datetime, until: datetime) -> Iterator[OnCall]:
    """The layers of all revisions, the lower cut by the higher; shadows cut nobody and are cut by nobody."""
    duty: list[tuple[int, OnCall]] = []
    for priority, piece in _ranked(roster, start, until):
        if piece.shadow:
            yield piece
        else:
            duty.append((priority, piece))
    taken: list[Span] = []
    left: list[OnCall] = []
    duty.sort(key=lambda each: -each[0])
    for _, group in groupby(duty, key=lambda each: each[0]):
        taken = joined(chain(taken, (Span(each.since, each.until) for each in left)))
        left = list(_outside([piece for _, piece in group], taken))
        yield from left


def _pieces(roster: Roster, start: datetime, until: datetime) -> Iterator[OnCall]:
    return (piece for _, piece in _ranked(roster, start, until))


def _ranked(roster: Roster, start: datetime, until: datetime) -> Iterator[tuple[int, OnCall]]:
    for revision, force in in_force(roster.revisions):
        if force.start <= until and force.end > start:
            for layer in revision.layers:
                for piece in _of_layer(roster, revision, layer, force, (start, until)):
                    yield layer.priority, piece


def _of_layer(
    roster: Roster, revision: ScheduleRevision, layer: Layer, force: Span, asked: tuple[datetime, datetime]
) -> Iterator[OnCall]:
    """The shifts of one layer that touch the time asked for, cut by its restrictions and by when it is in force."""
    revisions = roster.rotations.get(layer.rotation, ())
    ends = [each.effective_from for each in revisions[1:]]
    for turned, end in zip(revisions, [*ends, _FOR_EVER], strict=False):
        span = Span(max(force.start, turned.effective_from), min(force.end, end))
        start, until = max(asked[0], span.start), min(asked[1], span.end)
        if span.start >= span.end or start > until or span.end <= asked[0]:
            continue
        for piece in _of_rota(roster.schedule, layer, turned.rota, revision.zone, (start, until)):
            part = piece
            if piece.since < span.start or piece.until > span.end:
                part = _part(piece, max(piece.since, span.start), min(piece.until, span.end))
            if part.since < part.until and part.since <= asked[1] and part.until > asked[0]:
                yield part


def _of_rota(schedule: str, layer: Layer, rota: Rota, zone: str, asked: tuple[datetime, datetime]) -> Iterator[OnCall]:
    turns = list(shifts(rota, *asked))
    if not turns:
        return
    open_at: Sequence[Span] = (Span(turns[0].start, turns[-1].end),)
    if layer.restrictions:
        open_at = openings(layer.restrictions, zone_named(zone), turns[0].start, turns[-1].end)
    first = 0
    for turn in turns:
        source = Source("rotation", layer.name, layer.rotation, f"{layer.rotation}@{_stamp(turn.begins)}")
        while first < len(open_at) and open_at[first].end <= turn.start:
            first += 1
        for index in range(first, len(open_at)):
            opening = open_at[index]
            if opening.start >= turn.end:
                break
            start, end = max(turn.start, opening.start), min(turn.end, opening.end)
            yield OnCall(turn.participant, start, end, source, layer.shadow, schedule)


def _covered(schedule: str, pieces: Iterable[OnCall], overrides: Sequence[Override]) -> Iterator[OnCall]:
    """*pieces* where nobody alone is on call, or nobody at all, and who that is; such decisions never overlap."""
    alone = [each for each in overrides if not each.replaces]
    taken = joined(Span(each.start, each.end) for each in alone)
    held = list(pieces)
    yield from (piece for piece in held if piece.shadow)
    yield from _outside((piece for piece in held if not piece.shadow), taken)
    for each in alone:
        if each.kind == "cover":
            yield OnCall(each.person, each.start, each.end, Source("cover", override=each.override), schedule=schedule)


def _replaced(pieces: Iterable[OnCall], overrides: Sequence[Override]) -> Iterable[OnCall]:
    """*pieces* after those who stand in for somebody, in the order in which that was decided."""
    if not any(each.replaces for each in overrides):
        return pieces
    shadows: list[OnCall] = []
    theirs: dict[str, list[OnCall]] = {}
    for piece in pieces:
        (shadows if piece.shadow else theirs.setdefault(piece.person, [])).append(piece)
    for override in sorted(overrides, key=lambda each: (each.at, each.override)):
        if not override.replaces:
            continue
        span, held = [Span(override.start, override.end)], theirs.pop(override.replaces, [])
        theirs[override.replaces] = list(_outside(held, span))
        for piece in held:
            source = replace(piece.source, type=override.kind, override=override.override)
            theirs.setdefault(override.person, []).extend(
                replace(_part(piece, part.start, part.end), person=override.person, source=source)
                for part in cut(Span(piece.since, piece.until), span)
            )
    return chain(shadows, *theirs.values())


def _outside(pieces: Iterable[OnCall], taken: Sequence[Span]) -> Iterator[OnCall]:
    """What is left of *pieces* where nothing is *taken*, which is in order and apart."""
    if not taken:
        yield from pieces
        return
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
    if since == piece.since and until == piece.until:
        return piece
    return OnCall(piece.person, since, until, piece.source, piece.shadow, piece.schedule)


def _stamp(moment: datetime) -> str:
    """As 20261123T090000Z; `strftime` takes four times as long."""
    return f"{moment.astimezone(UTC).isoformat()[:19].replace('-', '').replace(':', '')}Z"
