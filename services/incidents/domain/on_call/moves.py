"""Whose shifts are others than before."""

from collections.abc import Iterator, Sequence

from services.incidents.domain.on_call.roster import OnCall
from services.incidents.domain.on_call.spans import Span, cut, joined, without


def moves(
    before: Sequence[OnCall], after: Sequence[OnCall], within: Span
) -> Iterator[tuple[str, tuple[Span, ...], tuple[Span, ...]]]:
    """Each person whose time changes, what they gain, and what they lose."""
    for person in sorted({each.person for each in (*before, *after)}):
        had, has = _theirs(before, person, within), _theirs(after, person, within)
        gained = tuple(part for span in has for part in without(span, had))
        lost = tuple(part for span in had for part in without(span, has))
        if gained or lost:
            yield person, gained, lost


def _theirs(duty: Sequence[OnCall], person: str, within: Span) -> list[Span]:
    spans = joined(Span(each.since, each.until) for each in duty if each.person == person and not each.shadow)
    return [part for span in spans for part in cut(span, [within])]
