"""What can be asked of an engagement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.lifecycle.domain.engagement.charter import Entry, Part, Side
from services.lifecycle.domain.engagement.events import (
    Ending,
    EngagementEvidence,
    Figure,
    Instead,
    Item,
    Links,
    Model,
    SeriesKind,
    Step,
)
from services.lifecycle.domain.engagement.state import Standing


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who asks, and who may speak for the team in question.

    Args:
        name: Who asks.
        is_person: A machine speaks for nobody.
        team: For whom.
        speakers: Its leads, or else its members; anybody where it has named none.
    """

    name: str
    is_person: bool
    team: str = ""
    speakers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    engagement: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(_Asked):
    """Ask an SRE team to engage with a development team over services of the latter."""

    sre_team: str
    dev_team: str
    services: tuple[str, ...]
    model: Model
    trackers: Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(_Asked):
    """Say for the SRE team that it will engage."""

    speaker: Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline(_Asked):
    """Say for the SRE team that it will not, and what it offers instead."""

    speaker: Speaker
    instead: Instead
    guidance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate(_Asked):
    """Begin, begin again, or give up a hand-back."""

    model: Model | None
    reviews: tuple[str, ...]
    series: tuple["Cadence", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeModel(_Asked):
    """Work together in another way."""

    model: Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(_Asked):
    """Take one more service in."""

    service: str
    review: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(_Asked):
    """Let services go."""

    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowTeam(_Asked):
    """Go on with the team that one of the two became a part of."""

    team: str
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver(_Asked):
    """Begin where another engagement stands, for services that a cut team's part answers for now.

    Args:
        sre_team: Who helps.
        dev_team: Whose services they are.
        services: Which.
        model: How the teams work together.
        trackers: Where both sides plan their work.
        standing: Where the other one stands.
        charter: What held there; nobody has agreed to it here.
        series: Their meetings.
    """

    sre_team: str
    dev_team: str
    services: tuple[str, ...]
    model: Model
    trackers: Links
    standing: Standing
    charter: Mapping[Part, tuple[Entry, ...]]
    series: tuple["Cadence", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose(_Asked):
    """Propose a new edition of one part of the charter."""

    part: Part
    entries: tuple[Entry, ...]
    metrics: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge(_Asked):
    """Agree for one side to the edition that was read."""

    part: Part
    version: int
    side: Side
    speaker: Speaker


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often the teams meet for what, and why so often."""

    series: str
    kind: SeriesKind
    title: str
    every_days: float
    source: str

    @property
    def every(self) -> timedelta:
        """As a span of time."""
        return timedelta(days=self.every_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSeries(_Asked):
    """Meet at least so often."""

    cadence: Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSeries(_Asked):
    """Meet no more."""

    series: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(_Asked):
    """Note that they met."""

    series: str
    gathering: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What a ground rule came to; None when nothing was heard that would tell, which is never "kept"."""

    rule: str
    value: float | None
    evidence: tuple[EngagementEvidence, ...] = ()
    why_unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(_Asked):
    """See what is overdue and which ground rules are broken; says each once per window."""

    measured: tuple[Measured, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(_Asked):
    """Choose a step of the ladder for a breach."""

    breach: str
    step: Step
    engineers: tuple[str, ...]
    is_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseBreach(_Asked):
    """Say what was done about a breach, and that it is enough."""

    breach: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartHandback(_Asked):
    """Begin to give the services to another team, or back."""

    receiver: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(_Asked):
    """Say that a line of the hand-back list is done, or why it does not apply."""

    item: str
    applies: bool
    evidence: str
    speaker: Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBack(_Asked):
    """Give the services away, for as long as nothing asks for a re-entry."""

    re_entry: tuple[str, ...]
    watch: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Disengage(_Asked):
    """End it for good."""

    ending: Ending
    watch: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class EndWatch(_Asked):
    """Keep how the time after the hand-back compares with the time before."""

    figures: tuple[Figure, ...]


Command = (
    Request
    | Accept
    | Decline
    | Activate
    | ChangeModel
    | Join
    | Leave
    | FollowTeam
    | TakeOver
    | Propose
    | Acknowledge
    | SetSeries
    | EndSeries
    | Hold
    | Look
    | Answer
    | CloseBreach
    | StartHandback
    | Settle
    | HandBack
    | Disengage
    | EndWatch
)
