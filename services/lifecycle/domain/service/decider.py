"""A service's rules. Which phase follows which is the table in `phases.py`; who may say so is here."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.engagement.errors import (
    DeltaReviewMissingError,
    NotOwnedError,
    ServiceEngagedError,
)
from services.lifecycle.domain.errors import (
    EvaluationOutdatedError,
    GateNotPassedError,
    GrandfatheringError,
    IllegalTransitionError,
    NameTakenError,
    NotAnApproverError,
    NotARequesterError,
    SecondPersonError,
    ServiceUnsupportedError,
    StillSupportedError,
    TransitionDecidedError,
    TransitionPendingError,
    UnknownError,
)
from services.lifecycle.domain.facts import Grandfathered
from services.lifecycle.domain.gates import Verdict
from services.lifecycle.domain.phases import TRANSITIONS, Phase, allowed_from
from services.lifecycle.domain.service.catalogue import EMPTY, Catalogue, enriched, handed_over
from services.lifecycle.domain.service.commands import (
    Approve,
    Change,
    Command,
    Decline,
    Decommission,
    Engage,
    Enrich,
    HandOver,
    PassOn,
    Register,
    Release,
    Transition,
)
from services.lifecycle.domain.service.events import (
    Event,
    PhaseChanged,
    ServiceChanged,
    ServiceDecommissioned,
    ServiceEngaged,
    ServiceRegistered,
    ServiceReleased,
    TransitionApproved,
    TransitionDeclined,
    TransitionRequested,
)

Decision = Literal["approved", "declined"]


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in one phase; it lasts until the next stay begins."""

    phase: Phase
    since: datetime
    by: str
    reason: str
    evaluation: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A transition that was approved or declined."""

    request: TransitionRequested
    decision: Decision
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Help:
    """The SRE team that works for a service, and the engagement that makes it so."""

    engagement: str
    sre_team: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """What every registered service has, wherever it stands."""

    service: str
    display_name: str
    owner_team: str
    tier: int
    revives: str
    grandfathered: Grandfathered | None
    stays: tuple[Stay, ...]
    decided: tuple[Decided, ...] = ()
    catalogue: Catalogue = EMPTY
    engaged: Help | None = None
    released_at: datetime | None = None

    @property
    def stay(self) -> Stay:
        """The present one."""
        return self.stays[-1]

    @property
    def phase(self) -> Phase:
        """The present phase."""
        return self.stays[-1].phase


@dataclass(frozen=True, slots=True)
class Settled:
    """A service that may be asked to move."""

    profile: Profile


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A service whose next move waits for another person."""

    profile: Profile
    pending: TransitionRequested


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A service that has come to its end: what is left of it is being removed."""

    profile: Profile


@dataclass(frozen=True, slots=True)
class Decommissioned:
    """A service of which nothing is left but its history."""

    profile: Profile
    end: ServiceDecommissioned


Ended = Unsupported | Decommissioned
Registered = Settled | Awaiting | Ended
Service = Registered | None  # None: no such service


def decide(command: Command, state: Service) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  a table, one line a pair
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py`).
    """
    match state, command:
        case None, Register():
            return (_registered(command),)
        case None, _:
            raise UnknownError("service", command.service)
        case _, Register():
            raise NameTakenError("service", command.service)
        case Settled(profile) | Awaiting(profile), Change():
            return _changed(command, profile)
        case Settled(profile) | Awaiting(profile), Enrich():
            return _enriched(command, profile)
        case Settled(profile) | Awaiting(profile), HandOver():
            return _handed_over(command, profile)
        case Settled(profile) | Awaiting(profile), Engage():
            return _engaged(command, profile)
        case _, Release():
            return _released(command, state.profile)
        case _, PassOn():
            return _passed_on(command, state.profile)
        case Unsupported() | Decommissioned(), Change() | Enrich() | HandOver() | Engage():
            raise ServiceUnsupportedError(command.service)
        case Awaiting(pending=pending), Transition():
            if (pending.to_phase, pending.by) != (command.to, command.by.name):
                raise TransitionPendingError(pending.transition)
            return ()
        case Settled(profile) | Unsupported(profile) | Decommissioned(profile), Transition():
            return _moved(command, profile)
        case Awaiting(profile, pending), Approve() if command.transition == pending.transition:
            return _approved(command, profile, pending)
        case Awaiting(pending=pending), Decline() if command.transition == pending.transition:
            return (_declined(command),)
        case _, Approve():
            return _decided_before(command.transition, "approved", state.profile)
        case _, Decline():
            return _decided_before(command.transition, "declined", state.profile)
        case Unsupported(profile), Decommission():
            return (_decommissioned(command, profile),)
        case Decommissioned(), Decommission():
            return ()
        case Settled(profile) | Awaiting(profile), Decommission():
            raise StillSupportedError(command.service, profile.phase)


def evolve(state: Service, event: Event) -> Service:  # noqa: C901, PLR0911  a table, one line a pair
    """The service after one more fact."""
    match state, event:
        case _, ServiceRegistered():
            return _settled(_profile(event))
        case None, _:
            return None
        case _, ServiceChanged():
            profile = replace(
                state.profile, display_name=event.display_name, owner_team=event.owner_team, tier=event.tier
            )
            if event.catalogue is not None:
                profile = replace(profile, catalogue=event.catalogue)
            return replace(state, profile=profile)
        case _, TransitionRequested():
            return Awaiting(state.profile, event)
        case Awaiting(profile, pending), TransitionApproved():
            return Settled(_with_decision(profile, pending, "approved", event))
        case Awaiting(profile, pending), TransitionDeclined():
            return Settled(_with_decision(profile, pending, "declined", event))
        case _, PhaseChanged():
            stay = Stay(event.to_phase, event.at, event.by, event.reason, event.evaluation)
            return _settled(replace(state.profile, stays=(*state.profile.stays, stay)))
        case _, ServiceEngaged():
            return replace(state, profile=replace(state.profile, engaged=_help(event, state.profile.engaged)))
        case _, ServiceReleased():
            return replace(state, profile=replace(state.profile, engaged=None, released_at=event.at))
        case _, ServiceDecommissioned():
            return Decommissioned(state.profile, event)
        case _, TransitionApproved() | TransitionDeclined():
            return state


def _registered(command: Register) -> ServiceRegistered:
    imported = command.phase is not Phase.ARCHITECTURE_AND_DESIGN
    latest = command.at + command.grace if imported else None
    until = command.grandfathered_until or latest
    if until is not None and (latest is None or until > latest):
        raise GrandfatheringError(latest)
    return ServiceRegistered(
        service=command.service,
        display_name=command.display_name,
        owner_team=command.owner_team,
        tier=command.tier,
        phase=command.phase,
        at=command.at,
        grandfathered_until=until,
        revives=command.revives,
        by=command.by,
        catalogue=command.catalogue,
    )


def _changed(command: Change, profile: Profile) -> tuple[Event, ...]:
    after = ServiceChanged(
        service=profile.service,
        display_name=profile.display_name if command.display_name is None else command.display_name,
        owner_team=profile.owner_team if command.owner_team is None else command.owner_team,
        tier=profile.tier if command.tier is None else command.tier,
        at=command.at,
        catalogue=None if command.catalogue == profile.catalogue else command.catalogue,
    )
    before = (profile.display_name, profile.owner_team, profile.tier, None)
    return () if before == (after.display_name, after.owner_team, after.tier, after.catalogue) else (after,)


def _enriched(command: Enrich, profile: Profile) -> tuple[Event, ...]:
    change = Change(
        service=profile.service,
        display_name=command.display_name or None,
        owner_team=None,
        tier=None,
        at=command.at,
        catalogue=enriched(profile.catalogue, command.catalogue),
    )
    return _changed(change, profile)


def _handed_over(command: HandOver, profile: Profile) -> tuple[Event, ...]:
    owned = profile.owner_team == command.from_team
    change = Change(
        service=profile.service,
        display_name=None,
        owner_team=command.to_team if owned else None,
        tier=None,
        at=command.at,
        catalogue=handed_over(profile.catalogue, command.from_team, command.to_team),
    )
    return _changed(change, profile)


def _moved(command: Transition, profile: Profile) -> tuple[Event, ...]:
    phase, target = profile.phase, command.to
    if phase is target:
        return ()
    move = TRANSITIONS.get((phase, target))
    if move is None:
        raise IllegalTransitionError(phase, target, allowed_from(phase))
    asked = command.requesters
    if move.kind in command.needs_approval and asked.people and command.by.name not in asked.people:
        raise NotARequesterError(command.by.name, asked.people, asked.roles)
    _let_through(command.verdict, phase, target)
    if move.kind in command.needs_approval:
        return (
            TransitionRequested(
                transition=command.transition,
                service=profile.service,
                from_phase=phase,
                to_phase=target,
                kind=move.kind,
                reason=command.reason,
                evaluation=command.evaluation,
                by=command.by.name,
                at=command.at,
            ),
        )
    at = _after(profile, command.at)
    return (PhaseChanged(profile.service, phase, target, command.reason, command.evaluation, command.by.name, at),)


def _approved(command: Approve, profile: Profile, pending: TransitionRequested) -> tuple[Event, ...]:
    if not command.by.is_person or command.by.name == pending.by:
        raise SecondPersonError(pending.by)
    if not command.approvers.include(command.by):
        raise NotAnApproverError(command.by.name, command.approvers.people, command.approvers.roles)
    _let_through(command.verdict, pending.from_phase, pending.to_phase)
    at = _after(profile, command.at)
    return (
        TransitionApproved(pending.transition, profile.service, command.reason, command.by.name, at),
        PhaseChanged(
            service=profile.service,
            from_phase=pending.from_phase,
            to_phase=pending.to_phase,
            reason=pending.reason,
            evaluation=command.evaluation,
            by=pending.by,
            at=at,
            transition=pending.transition,
        ),
    )


def _engaged(command: Engage, profile: Profile) -> tuple[Event, ...]:
    held = profile.engaged
    if held is not None:
        if held.engagement != command.engagement:
            raise ServiceEngagedError(profile.service, held.engagement, held.sre_team)
        return ()
    if profile.owner_team != command.dev_team:
        raise NotOwnedError(profile.service, profile.owner_team, command.dev_team)
    seen, released_at = command.reviewed, profile.released_at
    if released_at is not None and (seen is None or seen.at <= released_at):
        raise DeltaReviewMissingError(profile.service, released_at)
    review = seen.evidence if seen and released_at else ""
    return (ServiceEngaged(profile.service, command.engagement, command.sre_team, command.by, command.at, review),)


def _released(command: Release, profile: Profile) -> tuple[Event, ...]:
    if profile.engaged is None or profile.engaged.engagement != command.engagement:
        return ()
    return (ServiceReleased(profile.service, command.engagement, command.by, command.at),)


def _decommissioned(command: Decommission, profile: Profile) -> ServiceDecommissioned:
    _let_through(command.verdict, profile.phase, profile.phase)
    at = _after(profile, command.at)
    return ServiceDecommissioned(profile.service, command.reason, command.evaluation, command.by, at)


def _passed_on(command: PassOn, profile: Profile) -> tuple[Event, ...]:
    held, goes_on = profile.engaged, (command.engagement, command.sre_team)
    if held is None or held.engagement != command.former or (held.engagement, held.sre_team) == goes_on:
        return ()
    return (ServiceEngaged(profile.service, *goes_on, command.by, command.at),)


def _help(event: ServiceEngaged, before: Help | None) -> Help:
    return Help(event.engagement, event.sre_team, before.since if before else event.at)


def _declined(command: Decline) -> TransitionDeclined:
    return TransitionDeclined(command.transition, command.service, command.reason, command.by.name, command.at)


def _decided_before(transition: str, wanted: Decision, profile: Profile) -> tuple[Event, ...]:
    for decided in profile.decided:
        if decided.request.transition == transition:
            if decided.decision != wanted:
                raise TransitionDecidedError(transition, decided.decision)
            return ()
    raise UnknownError("transition", transition)


def _let_through(verdict: Verdict, phase: Phase, target: Phase) -> None:
    """Refuse unless *verdict* is about this very move, and lets it happen."""
    if (verdict.from_phase, verdict.phase) != (phase, target):
        raise EvaluationOutdatedError([f"the service is in {phase} by now"])
    if not verdict.passed:
        raise GateNotPassedError(verdict)


def _after(profile: Profile, at: datetime) -> datetime:
    """*at*, but never before the present stay began: stays do not overlap, whatever a clock does."""
    return max(at, profile.stay.since)


def _settled(profile: Profile) -> Settled | Unsupported:
    return Unsupported(profile) if profile.phase is Phase.UNSUPPORTED else Settled(profile)


def _profile(event: ServiceRegistered) -> Profile:
    until = event.grandfathered_until
    return Profile(
        service=event.service,
        display_name=event.display_name,
        owner_team=event.owner_team,
        tier=event.tier,
        revives=event.revives,
        grandfathered=Grandfathered(event.phase, until) if until else None,
        stays=(Stay(event.phase, event.at, event.by, "registered", ""),),
        catalogue=event.catalogue,
    )


def _with_decision(
    profile: Profile, pending: TransitionRequested, decision: Decision, event: TransitionApproved | TransitionDeclined
) -> Profile:
    decided = Decided(pending, decision, event.reason, event.by, event.at)
    return replace(profile, decided=(*profile.decided, decided))
