"""Which sides must be on call for a service: those that are paged for it, which follows from its phase.

Lifecycle, phases: shared in limited availability, SRE and dev in general availability, dev alone where no SRE team
works for the service, nobody in the first two phases and when it is unsupported.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from services.incidents.domain.on_call.limits import Breach
from services.incidents.domain.on_call.roster import Sides
from services.incidents.domain.person.events import Side
from services.incidents.domain.who_is_paged import order_of

Mixture = Literal["any", "both", "alternating", "by_phase"]

_BOTH: Final[tuple[Side, Side]] = ("dev", "sre")
_NAMED: Final[Mapping[str, str]] = {"dev": "a developer", "sre": "an SRE"}
_SOURCE: Final = "SRE Workbook ch. 18: who is on call follows the phase of a service, and whether SRE is engaged"


@dataclass(frozen=True, slots=True)
class Covered:
    """A service that somebody answers for; *sre_team* is empty where none works for it."""

    service: str
    phase: str
    sre_team: str

    @property
    def sides(self) -> tuple[Side, ...]:
        """Who must be on call for it: whoever is paged, aloud, for an ordinary incident."""
        order = order_of(self.phase, "sev3", engaged=bool(self.sre_team))
        return () if order.quiet else order.sides


def wanted(rule: Sides | Mixture, services: Iterable[Covered]) -> tuple[Side, ...]:
    """The sides that a schedule or a rotation must have by its own rule."""
    if rule == "any":
        return ()
    asked = {side for each in services for side in each.sides} if rule == "by_phase" else _BOTH
    return tuple(side for side in _BOTH if side in asked)


def absent(sides: Iterable[str]) -> str:
    """Who is missing, in words."""
    return f"{' and '.join(_NAMED[side] for side in sides)} is missing"


def lacking(each: Covered, there: Collection[str]) -> Iterator[Breach]:
    """The sides that a service lacks among all who take turns in its schedules, each a limit of its own."""
    engaged = f"{each.sre_team} works for it" if each.sre_team else "no SRE team works for it"
    for side in each.sides:
        if side not in there:
            why = f"{each.service} is in {each.phase.replace('_', ' ')}, and {engaged}"
            detail = f"{why}: {absent([side])}; add one to a schedule of it"
            yield Breach(f"{side}_side", each.service, 0, 1, detail, _SOURCE)


def mixture_fault(
    rule: Mixture, participants: Sequence[str], sides: Mapping[str, str], services: Iterable[Covered] = ()
) -> tuple[str, str] | None:
    """Where *participants* are not mixed as *rule* says, and how to mend it; None if they are."""
    known = [(person, sides[person]) for person in participants if person in sides]
    missing = [side for side in wanted(rule, services) if side not in {side for _, side in known}]
    if missing:
        return "participants", f"{absent(missing)}; add one, or say sides: any"
    if rule == "alternating":
        for number, ((one, side), (other, same)) in enumerate(pairwise([*known, known[0]]), start=1):
            if side == same:
                detail = f"{one} and {other} follow each other and are both {side}; order them by turns"
                return f"participants/{number % len(known)}", detail
    return None
