"""An error-budget policy's rules: every pair of state and command has one line below.

Where the service stands is worked out in `standing.py`; every command that can change it is followed by the events
that say so, in the same moment: a signature that puts a policy in force over a spent budget freezes at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from services.slo.domain.policy.commands import (
    Attribute,
    BreakGlass,
    Command,
    Disagree,
    Exempt,
    Fulfil,
    Observe,
    Remind,
    Revoke,
    Settle,
    Sign,
    UseGlass,
    Write,
)
from services.slo.domain.policy.document import PARTIES
from services.slo.domain.policy.errors import (
    DatePassedError,
    EditionOutdatedError,
    InvalidExpiryError,
    MissingTextError,
    NoGlassError,
    NoSuchPolicyError,
    NotFrozenError,
    RecordedOtherwiseError,
    SecondPersonError,
    SettledOtherwiseError,
    UnknownItemError,
    UnknownKindError,
)
from services.slo.domain.policy.events import (
    DisagreementRaised,
    DisagreementSettled,
    Event,
    ExemptionGranted,
    ExemptionRevoked,
    FollowUpDue,
    GlassBroken,
    GlassUsed,
    ObligationFulfilled,
    PolicySigned,
    PolicyStateChanged,
    PolicyWritten,
    PostmortemRequired,
    QuarterlyItemRequired,
    ReleasesFrozen,
    ReleasesUnfrozen,
    RevisitDue,
    SpareBudgetFound,
    SpareBudgetGone,
)
from services.slo.domain.policy.obligations import required
from services.slo.domain.policy.reasons import of_standing
from services.slo.domain.policy.standing import SloBudget, defined, freezing, to_spare
from services.slo.domain.policy.state import (
    FOLLOW_UP,
    Disagreement,
    Edition,
    Exemption,
    Glass,
    InForce,
    Obligation,
    Policy,
    Record,
    Unsigned,
    standing_at,
    timetable,
    with_signature,
)
from services.slo.domain.signing import MachineSignsError, Signature, missing, require_one_of, require_signer

_Told = TypeVar("_Told", ExemptionGranted, GlassBroken, DisagreementRaised)
_Kept = TypeVar("_Kept", Exemption, Glass, Disagreement, Obligation)

# Why spare budget is an offer: a service far better than its SLO could have changed faster (SRE book, ch. 3).
_ACCELERATE = "development may release more often or try what was too risky; or all three sides agree a stricter SLO"


def decide(command: Command, state: Policy) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  a table
    """The facts *command* produces; none if it was already carried out.

    Raises:
        PolicyError: It is refused (`errors.py`).
        SigningError: Somebody else must do this.
        InvalidPolicyError: The document makes no sense.
    """
    match state, command:
        case _, Write():
            return _written(command, state)
        case None, Observe() | Attribute() | Remind():
            return ()
        case None, _:
            raise NoSuchPolicyError(command.service)
        case Unsigned() | InForce(), Sign():
            return _signed(command, state)
        case Unsigned() | InForce(), Observe():
            return tuple(_moves(state, command.budgets, command.at))
        case Unsigned() | InForce(), Exempt():
            return _exempted(command, state)
        case Unsigned() | InForce(), Revoke():
            return _revoked(command, state)
        case Unsigned(), BreakGlass():
            raise NotFrozenError(command.service, state.record.standing)
        case InForce(), BreakGlass():
            return _broken(command, state)
        case Unsigned() | InForce(), UseGlass():
            return _used(command, state)
        case Unsigned() | InForce(), Disagree():
            return _raised(command, state)
        case Unsigned() | InForce(), Settle():
            return _settled(command, state)
        case Unsigned(), Attribute():
            return ()  # what is not signed asks nothing of anybody
        case InForce(), Attribute():
            return _required(command, state)
        case Unsigned() | InForce(), Remind():
            return tuple(_reminders(command, state))
        case Unsigned() | InForce(), Fulfil():
            return _fulfilled(command, state.record)


def evolve(state: Policy, event: Event) -> Policy:  # noqa: PLR0911  a table, one line a pair
    """The policy after one more fact."""
    match state, event:
        case None, PolicyWritten():
            return Unsigned(Record(event.service, event.at), Edition(event.version, event.document))
        case None, _:
            return None
        case Unsigned(), PolicyWritten():
            return replace(state, edition=Edition(event.version, event.document))
        case InForce(), PolicyWritten():
            return replace(state, draft=Edition(event.version, event.document))
        case _, PolicySigned():
            edition = with_signature(state.newest, Signature(event.side, event.by, event.reason, event.at))
            if not edition.missing:
                return InForce(state.record, edition)
            return replace(state, edition=edition) if isinstance(state, Unsigned) else replace(state, draft=edition)
        case _, ReleasesFrozen() | ReleasesUnfrozen() | FollowUpDue() | RevisitDue():
            return state  # told with the change of state; and what is due is in the timetable
        case _, _:
            return replace(state, record=_recorded(state.record, event))


def _recorded(record: Record, event: Event) -> Record:  # noqa: C901, PLR0911, PLR0912  a table, one line an event
    match event:
        case PolicyStateChanged():
            return replace(record, standing=event.to_state, since=event.at, reason=event.reason)
        case SpareBudgetFound():
            return replace(record, spare=True)
        case SpareBudgetGone():
            return replace(record, spare=False)
        case ExemptionGranted():
            return replace(record, exemptions=(*record.exemptions, Exemption(event)))
        case ExemptionRevoked():
            return replace(record, exemptions=_mended(record.exemptions, event.exemption, revoked_at=event.at))
        case GlassBroken():
            return replace(record, glasses=(*record.glasses, Glass(event, event.deployment)))
        case GlassUsed():
            used = _mended(record.glasses, event.glass, deployment=event.deployment, used_at=event.at)
            return replace(record, glasses=used)
        case DisagreementRaised():
            return replace(record, disagreements=(*record.disagreements, Disagreement(event)))
        case DisagreementSettled():
            return replace(record, disagreements=_mended(record.disagreements, event.disagreement, settled=event))
        case PostmortemRequired() | QuarterlyItemRequired():
            return replace(record, obligations=(*record.obligations, Obligation(event)))
        case ObligationFulfilled() if event.obligation.startswith(FOLLOW_UP):
            glass = event.obligation.removeprefix(FOLLOW_UP)
            return replace(record, glasses=_mended(record.glasses, glass, followed_up=event))
        case ObligationFulfilled():
            return replace(record, obligations=_mended(record.obligations, event.obligation, fulfilled=event))
        case PolicyWritten() | PolicySigned() | ReleasesFrozen() | ReleasesUnfrozen() | FollowUpDue() | RevisitDue():
            return record


def _written(command: Write, state: Policy) -> tuple[Event, ...]:
    if state is not None and state.newest.document == command.document:
        return ()
    command.document.validate()
    _require_to_come("revisit_by", command.document.revisit_by, command.at)
    version = state.newest.version + 1 if state else 1
    return (PolicyWritten(command.service, version, command.document, PARTIES, command.reason, command.by, command.at),)


def _signed(command: Sign, state: Unsigned | InForce) -> tuple[Event, ...]:
    edition = state.newest
    if command.version != edition.version:
        raise EditionOutdatedError(command.version, edition.version)
    if command.side not in edition.missing:
        require_one_of(command.by, command.side, edition.document.signers.of(command.side))
        return ()
    require_signer(command.by, command.side, edition.document.signers, edition.signatures)
    signature = Signature(command.side, command.by.name, command.reason, command.at)
    still = missing(PARTIES, (*edition.signatures, signature))
    signed = PolicySigned(
        command.service, edition.version, command.side, still, command.reason, command.by.name, command.at
    )
    return _and_moves(state, (signed,), command.budgets, command.at)


def _exempted(command: Exempt, state: Unsigned | InForce) -> tuple[Event, ...]:
    document = state.edition.document
    granted = ExemptionGranted(
        service=command.service,
        version=state.edition.version,
        exemption=command.exemption,
        kind=command.kind,
        slos=command.slos,
        reason=command.reason,
        evidence=command.evidence,
        requested_by=command.requested_by,
        approver=command.by.name,
        expires=command.expires,
        at=command.at,
    )
    if held := _find(state.record.exemptions, command.exemption):
        return _same("exemption", command.exemption, held.granted, granted)
    kinds = tuple(rule.kind for rule in document.exemptions)
    if command.kind not in kinds or command.kind == "executive_decision":
        raise UnknownKindError(command.kind, kinds)
    _require_text(reason=command.reason, evidence=command.evidence, requested_by=command.requested_by)
    may = _approvers(state)
    require_one_of(command.by, "an approver of exemptions", may)
    if command.by.name == command.requested_by:
        raise SecondPersonError(command.requested_by, may)
    _require_expiry("expires", command.expires, command.at, document.exemption_days.days)
    return _and_moves(state, (granted,), command.budgets, command.at)


def _revoked(command: Revoke, state: Unsigned | InForce) -> tuple[Event, ...]:
    held = _find(state.record.exemptions, command.exemption)
    if held is None:
        raise UnknownItemError("exemption", command.exemption)
    require_one_of(command.by, "an approver of exemptions", _approvers(state))
    if not held.holds(command.at):
        return ()
    revoked = ExemptionRevoked(command.service, command.exemption, command.reason, command.by.name, command.at)
    return _and_moves(state, (revoked,), command.budgets, command.at)


def _broken(command: BreakGlass, state: InForce) -> tuple[Event, ...]:
    broken = GlassBroken(
        service=command.service,
        version=state.edition.version,
        glass=command.glass,
        deployment=command.deployment,
        reason=command.reason,
        follow_up=command.follow_up,
        follow_up_due=command.follow_up_due,
        by=command.by.name,
        expires=command.expires,
        at=command.at,
    )
    if held := _find(state.record.glasses, command.glass):
        return _same("glass", command.glass, held.broken, broken)
    standing = standing_at(state, command.budgets, command.at)
    if standing != "frozen":
        raise NotFrozenError(command.service, standing)
    if not command.by.is_person:
        raise MachineSignsError(command.by.name, state.edition.document.signers.all)
    _require_text(reason=command.reason, follow_up=command.follow_up)
    _require_expiry("expires", command.expires, command.at, state.edition.document.glass_days.days)
    _require_to_come("follow_up_due", command.follow_up_due, command.at)
    return _and_moves(state, (broken,), command.budgets, command.at)


def _used(command: UseGlass, state: Unsigned | InForce) -> tuple[Event, ...]:
    _require_text(deployment=command.deployment)
    glass = state.record.glass_for(command.deployment, command.at)
    if glass is None:
        raise NoGlassError(command.deployment)
    if glass.used_at is not None:
        return ()
    return (GlassUsed(command.service, glass.broken.glass, command.deployment, command.reason, command.by, command.at),)


def _raised(command: Disagree, state: Unsigned | InForce) -> tuple[Event, ...]:
    document = state.edition.document
    raised = DisagreementRaised(
        service=command.service,
        version=state.edition.version,
        disagreement=command.disagreement,
        about=command.about,
        side=command.side,
        executive=document.executive,
        reason=command.reason,
        by=command.by.name,
        at=command.at,
    )
    if held := _find(state.record.disagreements, command.disagreement):
        return _same("disagreement", command.disagreement, held.raised, raised)
    require_one_of(command.by, command.side, document.signers.of(command.side))
    _require_text(reason=command.reason)
    return (raised,)


def _settled(command: Settle, state: Unsigned | InForce) -> tuple[Event, ...]:
    held = _find(state.record.disagreements, command.disagreement)
    if held is None:
        raise UnknownItemError("disagreement", command.disagreement)
    document = state.edition.document
    require_one_of(command.by, "the executive", (document.executive,))
    if held.settled is not None:
        if held.settled.outcome != command.outcome:
            raise SettledOtherwiseError(command.disagreement, held.settled.outcome)
        return ()
    _require_text(reason=command.reason)
    until = command.until if command.outcome == "lifted" else None
    settled = DisagreementSettled(
        command.service,
        command.disagreement,
        command.outcome,
        until,
        command.reason,
        command.by.name,
        command.at,
    )
    if command.outcome == "upheld":
        return (settled,)
    granted = ExemptionGranted(
        service=command.service,
        version=state.edition.version,
        exemption=command.disagreement,
        kind="executive_decision",
        slos=(),
        reason=command.reason,
        evidence=f"disagreement {command.disagreement}",
        requested_by=held.raised.by,
        approver=command.by.name,
        expires=_require_expiry("until", until, command.at, document.exemption_days.days),
        at=command.at,
    )
    return _and_moves(state, (settled, granted), command.budgets, command.at)


def _required(command: Attribute, state: InForce) -> tuple[Event, ...]:
    known = {each.required.obligation for each in state.record.obligations}
    due = required(command, state.edition.version, state.edition.document)
    return tuple(each for each in due if each.obligation not in known)


def _reminders(command: Remind, state: Unsigned | InForce) -> Iterator[Event]:
    """What is still to be done and due by now."""
    for due in timetable(state):
        if (due.kind, due.key) != (command.kind, command.key) or due.at > command.at:
            continue
        if command.kind == "revisit":
            document = state.edition.document
            reason = "development and SRE look at the policy again, and write a new version or the same with a new date"
            yield RevisitDue(command.service, state.edition.version, document.revisit_by, reason, command.at)
        for glass in state.record.glasses if command.kind == "follow-up" else ():
            if glass.key == command.key:
                yield _follow_up_due(command, glass)


def _follow_up_due(command: Remind, glass: Glass) -> FollowUpDue:
    broken = glass.broken
    return FollowUpDue(
        service=command.service,
        obligation=glass.obligation,
        glass=glass.key,
        deployment=glass.deployment,
        follow_up=broken.follow_up,
        due=broken.follow_up_due,
        by=broken.by,
        reason=f"{broken.by} broke glass and promised this: do it, and show it (:fulfil {glass.obligation})",
        at=command.at,
    )


def _fulfilled(command: Fulfil, record: Record) -> tuple[Event, ...]:
    owed = {each.key: each.fulfilled for each in record.obligations}
    owed |= {each.obligation: each.followed_up for each in record.glasses}
    if command.obligation not in owed:
        raise UnknownItemError("obligation", command.obligation)
    if owed[command.obligation] is not None:
        return ()
    _require_text(evidence=command.evidence)
    return (
        ObligationFulfilled(
            command.service, command.obligation, command.evidence, command.reason, command.by, command.at
        ),
    )


def _and_moves(
    state: Unsigned | InForce, events: tuple[Event, ...], budgets: tuple[SloBudget, ...], at: datetime
) -> tuple[Event, ...]:
    """*events*, and where they lead the service."""
    after: Policy = state
    for event in events:
        after = evolve(after, event)
    return (*events, *_moves(after, budgets, at)) if after else events


def _moves(state: Unsigned | InForce, budgets: tuple[SloBudget, ...], at: datetime) -> Iterator[Event]:
    """What is to be said about where the service stands with these budgets; often nothing."""
    record, version, document = state.record, state.edition.version, state.edition.document
    known = defined(budgets)
    worst = known[0] if known else None
    standing = standing_at(state, budgets, at)
    if standing != record.standing:
        reason = "; ".join(each.text for each in of_standing(state, standing, budgets, at))
        yield PolicyStateChanged(
            service=record.service,
            version=version,
            in_force=isinstance(state, InForce),
            from_state=record.standing,
            to_state=standing,
            slo=worst.slo if worst else "",
            consumed=worst.consumed if worst else None,
            remaining=worst.remaining if worst else None,
            reason=reason,
            at=at,
        )
        if standing == "frozen":
            slos = tuple(each.slo for each in freezing(record.standing, document, budgets, record.excused(budgets, at)))
            yield ReleasesFrozen(record.service, version, slos, document.passes_freeze, reason, at)
        elif record.standing == "frozen":
            yield ReleasesUnfrozen(record.service, version, reason, at)
    spare = to_spare(document, budgets, held=record.spare)
    if spare and not record.spare and worst and worst.remaining is not None:
        yield SpareBudgetFound(record.service, version, worst.slo, worst.remaining, _ACCELERATE, at)
    elif record.spare and not spare:
        yield SpareBudgetGone(record.service, version, at)


def _approvers(state: Unsigned | InForce) -> tuple[str, ...]:
    """Who may approve an exemption: those who may sign the policy, and its executive [D]."""
    document = state.edition.document
    names: Iterable[str] = (*(name for side in PARTIES for name in document.signers.of(side)), document.executive)
    return tuple(dict.fromkeys(names))


def _require_text(**fields: str) -> None:
    for field, text in fields.items():
        if not text.strip():
            raise MissingTextError(field)


def _require_to_come(field: str, day: date, at: datetime) -> None:
    if day < at.date():
        raise DatePassedError(field, day)


def _require_expiry(field: str, expires: datetime | None, at: datetime, longest: timedelta) -> datetime:
    if expires is None or not at < expires <= at + longest:
        raise InvalidExpiryError(field, at + longest)
    return expires


def _same(noun: str, key: str, held: _Told, asked: _Told) -> tuple[Event, ...]:
    """Nothing if *asked* says what *held* said, maybe later or under a newer edition; refused if it says another."""
    if replace(held, version=asked.version, at=asked.at) != asked:
        raise RecordedOtherwiseError(noun, key)
    return ()


def _find(items: tuple[_Kept, ...], key: str) -> _Kept | None:
    return next((item for item in items if item.key == key), None)


def _mended(items: tuple[_Kept, ...], key: str, **changes: Any) -> tuple[_Kept, ...]:  # noqa: ANN401  fields of the item
    return tuple(replace(item, **changes) if item.key == key else item for item in items)
