"""What spent the error budget: incidents, deployments, hours. Shares add up exactly to what was spent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from services.slo.domain.error_budget import Target
from services.slo.domain.methods import Measured, Ratio
from services.slo.domain.series import Ints


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that may have spent budget while it lasted.

    Args:
        name: Such as the id of an incident or of a deployment.
        minutes: Since the epoch. For a deployment, as long as its effect is looked for: until its rollback, say.
    """

    name: str
    minutes: range


@dataclass(frozen=True, slots=True)
class Share:
    """What is laid at the door of one cause.

    Args:
        name: The cause's.
        consumed: Of the error budget; a bucket or slice that several causes touch is split evenly among them.
        touched: Of the error budget, all that was spent while the cause lasted, even if others share it: what a rule
            on a single incident asks for. These do not add up.
    """

    name: str
    consumed: Fraction
    touched: Fraction


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Where the error budget of a window went.

    Args:
        consumed: All of it: the shares and the remainder together.
        shares: Per cause, in the order given.
        remainder: Spent while none of the causes lasted.
    """

    consumed: Fraction
    shares: tuple[Share, ...]
    remainder: Fraction


@dataclass(frozen=True, slots=True)
class Spell:
    """Minutes since the epoch, and the share of the error budget spent in them."""

    minutes: range
    consumed: Fraction


def explain(measured: Measured, target: Target, window: range, causes: Sequence[Cause]) -> Breakdown | None:
    """Break the budget spent in *window* down by *causes* of one kind; None if the window's SLI is undefined.

    Incidents and deployments are two views of the same budget: ask twice.
    """
    starts, bad = measured.bad(window)
    budget = _budget(measured, target, window)
    if budget is None:
        return None
    spent = np.concatenate((np.zeros(1, bad.dtype), bad.cumsum()))
    places = [_touched(starts, cause.minutes, measured.key_min) for cause in causes]
    shares = [Fraction()] * len(causes)
    edges = sorted({edge for place in places for edge in place})
    for first, stop in pairwise(edges):
        active = [i for i, place in enumerate(places) if place[0] <= first < place[1]]
        for i in active:
            shares[i] += Fraction(spent.item(stop) - spent.item(first), len(active))
    whole = Fraction(spent.item(-1))
    return Breakdown(
        whole / budget,
        tuple(
            Share(cause.name, share / budget, (spent.item(stop) - spent.item(first)) / budget)
            for cause, share, (first, stop) in zip(causes, shares, places, strict=True)
        ),
        (whole - sum(shares)) / budget,
    )


def joined(
    causes: Iterable[Cause], parts: Iterable[tuple[Breakdown | None, Fraction]], consumed: Fraction | None
) -> Breakdown | None:
    """The breakdown of a composite from those of its components by the same *causes*, each with what it weighs.

    What was *consumed* besides, since measurements are missing and count as bad, is part of the remainder.
    """
    if consumed is None:
        return None
    shares = {cause.name: Share(cause.name, Fraction(), Fraction()) for cause in causes}
    for found, by in parts:
        for share in found.shares if found else ():
            before = shares[share.name]
            spent, touched = before.consumed + by * share.consumed, before.touched + by * share.touched
            shares[share.name] = Share(share.name, spent, touched)
    return Breakdown(consumed, tuple(shares.values()), consumed - sum(share.consumed for share in shares.values()))


def consumed_of(target: Target, sli: Ratio) -> Fraction | None:
    """What an SLI has spent of the error budget; None if it is undefined."""
    good, total = sli
    return Fraction((total - good) * target.q, total * target.budget) if total else None


def worst_of(parts: Iterable[tuple[Iterable[Spell], Fraction]], most: int) -> tuple[Spell, ...]:
    """The stretches of a composite that spent most, from all of its components', each with what it weighs."""
    spent: dict[range, Fraction] = {}
    for spells, by in parts:
        for spell in spells:
            spent[spell.minutes] = spent.get(spell.minutes, Fraction()) + by * spell.consumed
    ranked = sorted(spent.items(), key=lambda found: (-found[1], found[0].start))[:most]
    return tuple(Spell(minutes, consumed) for minutes, consumed in ranked)


def worst(
    measured: Measured, target: Target, window: range, step_min: int = 60, most: int | None = 10
) -> tuple[Spell, ...]:
    """The stretches of *step_min* (on a grid from the epoch) of *window* that spent most, worst first.

    A slice counts where it starts; stretches that spent nothing are left out.
    """
    starts, bad = measured.bad(window)
    budget = _budget(measured, target, window)
    if budget is None:
        return ()
    step = starts // step_min
    firsts = np.flatnonzero(np.diff(step, prepend=step[:1] - 1))
    found = zip(step[firsts].tolist(), np.add.reduceat(bad, firsts).tolist(), strict=True)
    ranked = sorted((s for s in found if s[1]), key=lambda s: (-s[1], s[0]))[:most]
    return tuple(Spell(range(s * step_min, (s + 1) * step_min), spent / budget) for s, spent in ranked)


def _budget(measured: Measured, target: Target, window: range) -> Fraction | None:
    """What the window may spend, in the units of `Measured.bad`."""
    _, total = measured.sli(window)
    return Fraction(total * target.budget, target.q) if total else None


def _touched(starts: Ints, minutes: range, key_min: int) -> tuple[int, int]:
    """Which places of *starts* share time with *minutes*."""
    edges: Iterable[int] = starts.searchsorted((minutes.start - key_min + 1, minutes.stop)).tolist()
    first, stop = edges
    return first, max(first, stop)
