"""What is known when somebody looks back at an incident to learn from it, and at a postmortem, version by version."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from libs.events import codec
from libs.events.envelope import Context, Metadata, Recorded
from libs.events.errors import StoreUnavailableError
from libs.events.handler import Effects
from libs.events.resources import Resources
from services.incidents.contract import ALERT, CONTRACT, DUTY, INCIDENT, POSTMORTEM
from services.incidents.domain.errors import AbsentError, UnknownVersionError
from services.incidents.domain.incident.events import (
    IncidentAcknowledged,
    IncidentAlertCleared,
    IncidentDeclared,
    IncidentFact,
    IncidentMitigated,
    IncidentNoted,
    IncidentResolved,
)
from services.incidents.domain.incident.state import Incident, Record
from services.incidents.domain.learning import LearningPolicy
from services.incidents.domain.postmortem.events import (
    BudgetSpent,
    Moment,
    Participant,
    PostmortemAmended,
    PostmortemDrafted,
)
from services.incidents.domain.postmortem.state import Content, Known, Postmortem, Published
from services.incidents.domain.postmortem_duty.commands import Meet, Require
from services.incidents.domain.postmortem_duty.decider import State
from services.incidents.domain.postmortem_duty.events import Event, Stage, Why
from services.incidents.domain.timeline import describe

ONE_EACH: Final = "incident-postmortem"  # the reservation by which an incident has one postmortem
Reminding = Callable[[State, tuple[Event, ...]], Effects]
_MOST_MOMENTS: Final = 400  # of the incident's own; an event is stored whole
_LONGEST: Final = 200
_METADATA: Final = codec.decoder(Metadata)
_NOBODY: Final = frozenset(("", "timer", "reaction", "integration-key"))  # how senders and rules act, and no people
_DID: Final[Mapping[type[object], str]] = {
    IncidentDeclared: "declared it",
    IncidentAcknowledged: "took it on",
    IncidentMitigated: "mitigated it",
    IncidentResolved: "resolved it",
    IncidentNoted: "wrote the timeline",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What an incident leaves to a postmortem."""

    record: Record
    version: int
    timeline: tuple[Moment, ...]
    participants: tuple[Participant, ...]
    budgets: tuple[BudgetSpent, ...]


async def look_back(resources: Resources, incident: str) -> Seen | None:
    """What is known of *incident*; None if there is none."""
    recorded = await resources.store.load(INCIDENT.stream(incident))
    if not recorded:
        return None
    told = [(each, CONTRACT.decode(each)) for each in recorded]
    state = INCIDENT.fold(INCIDENT.initial, [event for _, event in told])
    if state is None:
        raise StoreUnavailableError("the incident's stream begins without its declaration")
    duty = (await resources.handler.load(DUTY, incident)).state
    cleared = [event.alert for _, event in told if isinstance(event, IncidentAlertCleared)][:_MOST_MOMENTS]
    alerts = [(await resources.handler.load(ALERT, each)).state for each in cleared]
    summaries = {each.opened.alert: each.opened.summary for each in alerts if each}
    return Seen(
        record=state.record,
        version=recorded[-1].version,
        timeline=_timeline([event for _, event in told], summaries),
        participants=(*_in_roles(state.record), *_participants(told, state.record)),
        budgets=tuple(each.budget for each in duty.required if each.budget) if duty else (),
    )


def _timeline(events: Sequence[Any], summaries: Mapping[str, str]) -> tuple[Moment, ...]:
    """What happened and was noted, in order; of very many what is starred first."""
    moments = [
        Moment(
            at=event.occurred_at if isinstance(event, IncidentNoted) else event.at,
            text=" ".join(describe(event, summaries).split())[:_LONGEST],
            starred=event.starred if isinstance(event, IncidentNoted) else False,
        )
        for event in events
    ]
    kept = sorted(moments, key=lambda moment: not moment.starred)[:_MOST_MOMENTS]
    return tuple(sorted(kept, key=lambda moment: moment.at))


def _in_roles(record: Record) -> Iterator[Participant]:
    """Who had a role, and who was called in."""
    for person, role in dict.fromkeys((turn.person, turn.role) for turn in record.turns):
        yield Participant(person=person, role=role.replace("_", " "))
    had = {turn.person for turn in record.turns}
    yield from (Participant(person=name, role="responder") for name in record.responders if name not in had)


def _participants(told: Sequence[tuple[Recorded, IncidentFact]], record: Record) -> Iterator[Participant]:
    """Who else asked for something by an interface, and what they did; senders and timers are not people."""
    named = {*record.responders, *(turn.person for turn in record.turns)}
    did: dict[str, dict[str, None]] = {}
    for recorded, event in told:
        method = _METADATA.decode(recorded.metadata).auth_method
        role = _DID.get(type(event))
        if role and method not in _NOBODY and event.by not in named:
            did.setdefault(event.by, {})[role] = None
    for person, roles in did.items():
        yield Participant(person=person, role=", ".join(roles))


async def paper_of(resources: Resources, incident: str) -> Postmortem:
    """The postmortem of *incident*; None if there is none."""
    held = await resources.store.holder(ONE_EACH, incident)
    return (await resources.handler.load(POSTMORTEM, held.partition("/")[2])).state if held else None


async def require(  # noqa: PLR0913  each is a part of one duty
    resources: Resources,
    policy: LearningPolicy,
    incident: str,
    state: Incident,
    why: Why,
    context: Context,
    *,
    by: str,
    reason: str = "",
    budget: BudgetSpent | None = None,
) -> Require | None:
    """What asks for a postmortem of *incident*; None where there is no such incident."""
    if state is None:
        return None
    record = state.record
    paper = await paper_of(resources, incident)
    return Require(
        incident=incident,
        number=record.number,
        service=record.service,
        why=why,
        policy=policy,
        budget=budget,
        drafted=paper is not None,
        published=isinstance(paper, Published),
        by=by,
        reason=reason,
        at=context.at,
    )


async def catch_up(resources: Resources, incident: str, context: Context, effects: Reminding) -> None:
    """Tell the duty what was written while it was asked for: who drafted saw no duty, and who asked saw no draft."""
    paper = await paper_of(resources, incident)
    stages: tuple[Stage, ...] = () if paper is None else ("draft", "publish")[: 1 + isinstance(paper, Published)]
    for stage in stages:
        meet = Meet(stage=stage, by=context.metadata.actor, at=context.at)
        await resources.handler.handle(DUTY, incident, meet, context.part(stage), effects=effects)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemVersion:
    """What one event of its history changed; `version` is what `?version=` and `/diff` take."""

    version: int
    kind: str
    by: str
    reason: str
    at: datetime
    changed: list[str]


@dataclass(frozen=True, slots=True)
class History:
    """All that happened to a postmortem."""

    recorded: Sequence[Recorded]
    states: Sequence[Known]

    @classmethod
    async def of(cls, resources: Resources, postmortem: str) -> "History":
        """The history of *postmortem*.

        Raises:
            AbsentError: There is none.
        """
        recorded = await resources.store.load(POSTMORTEM.stream(postmortem))
        if not recorded:
            raise AbsentError("postmortem")
        states: list[Known] = []
        state = POSTMORTEM.initial
        for each in recorded:
            state = POSTMORTEM.evolve(state, CONTRACT.decode(each))
            if state is None:
                raise AbsentError("postmortem")
            states.append(state)
        return cls(recorded, states)

    @property
    def newest(self) -> int:
        """The last version."""
        return self.recorded[-1].version

    def at(self, version: int) -> Known:
        """What it was in *version*.

        Raises:
            UnknownVersionError: There is no such version.
        """
        if version > len(self.states):
            raise UnknownVersionError(version, self.newest)
        return self.states[version - 1]

    def versions(self) -> Iterator[PostmortemVersion]:
        """What each event changed."""
        before: Content | None = None
        for recorded, state in zip(self.recorded, self.states, strict=True):
            event: Any = CONTRACT.decode(recorded)
            after = state.content
            is_text = isinstance(event, PostmortemDrafted | PostmortemAmended)
            yield PostmortemVersion(
                version=recorded.version,
                kind=recorded.type.split(".")[4],
                by=event.by,
                reason=getattr(event, "reason", ""),
                at=event.at,
                changed=list(_changed(before, after)) if is_text and before else [],
            )
            before = after


def _changed(before: Content, after: Content) -> Iterator[str]:
    """What is written otherwise: the authors, and sections by name."""
    if before.authors != after.authors:
        yield "authors"
    for each in fields(after.sections):
        if getattr(before.sections, each.name) != getattr(after.sections, each.name):
            yield each.name
