"""How each kind of item lives: where it begins, which verbs lead on, and what has to be said with them.

| kind | life |
|---|---|
| milestone | planned > in_progress > done, dropped |
| insight | open > accepted > concluded; dismissed |
| training | planned > held, cancelled |
| win | proposed > confirmed, dismissed |
| adjustment | proposed > agreed, when both leads have > ended; declined |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["milestone", "insight", "training", "win", "adjustment"]
State = Literal[
    "planned",
    "in_progress",
    "done",
    "dropped",
    "open",
    "accepted",
    "concluded",
    "dismissed",
    "held",
    "cancelled",
    "proposed",
    "confirmed",
    "agreed",
    "declined",
    "ended",
]
Speaks = Literal["anybody", "either", "both"]
Need = Literal["reason", "outcome", "owner", "due", "people"]


@dataclass(frozen=True, slots=True)
class Move:
    """A verb: from where it leads where, what has to be said, and by whom: for `both`, one after the other."""

    origins: tuple[State, ...]
    to: State
    needs: tuple[Need, ...] = ()
    by: Speaks = "anybody"


@dataclass(frozen=True, slots=True)
class Life:
    """How one kind of item lives.

    Args:
        begins: Its first state.
        moves: By verb.
        who: Who has to go on when it is new.
        why: What for.
    """

    begins: State
    moves: Mapping[str, Move]
    who: str
    why: str

    def allowed(self, state: State) -> tuple[str, ...]:
        """The verbs that lead on from *state*; none when it is over."""
        return tuple(verb for verb, move in self.moves.items() if state in move.origins)


PATHS: Final[Mapping[Kind, str]] = {
    "milestone": "plan",
    "insight": "insights",
    "training": "trainings",
    "win": "wins",
    "adjustment": "adjustments",
}
"""Where the items of a kind stand under their engagement."""

LIVES: Final[Mapping[Kind, Life]] = {
    "milestone": Life(
        "planned",
        {
            "start": Move(("planned",), "in_progress"),
            "complete": Move(("planned", "in_progress"), "done"),
            "drop": Move(("planned", "in_progress"), "dropped", ("reason",)),
        },
        "its owner",
        "both sides plan with it",
    ),
    "insight": Life(
        "open",
        {
            "accept": Move(("open",), "accepted", ("owner", "due")),
            "conclude": Move(("open", "accepted"), "concluded", ("outcome",)),
            "dismiss": Move(("open", "accepted"), "dismissed", ("reason",)),
        },
        "the other side",
        "an insight is tracked until it led to something",
    ),
    "training": Life(
        "planned",
        {
            "hold": Move(("planned",), "held", ("people", "outcome")),
            "cancel": Move(("planned",), "cancelled", ("reason",)),
        },
        "its owner",
        "say who attended, and what changed",
    ),
    "win": Life(
        "proposed",
        {
            "confirm": Move(("proposed",), "confirmed", by="either"),
            "dismiss": Move(("proposed",), "dismissed", ("reason",), by="either"),
        },
        "somebody of either team",
        "a win is worth telling when those who were there say that it is one",
    ),
    "adjustment": Life(
        "proposed",
        {
            "agree": Move(("proposed",), "agreed", ("outcome", "owner"), by="both"),
            "decline": Move(("proposed",), "declined", ("reason",), by="either"),
            "end": Move(("proposed", "agreed"), "ended", ("reason",)),
        },
        "both leads",
        "what follows from the budget is for people to agree on",
    ),
}
