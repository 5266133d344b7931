"""An agreement's rules: every pair of state and command has one line below.

| a proposal is | by |
|---|---|
| proposed | anybody; proposing is not agreeing, also not for the proposer's own side |
| agreed | one signer of each of the three sides, nobody for two of them (SRE Workbook, ch. 2) |
| declined | any one side |
| withdrawn | who proposed it |
| superseded | a newer proposal for the same SLO |
| expired | its date |
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.slo.domain.agreement.commands import Agree, Command, Decline, Document, Expire, Propose, Withdraw
from services.slo.domain.agreement.errors import (
    ExpiryPassedError,
    NoProposalError,
    NoSignersError,
    NotTheProposerError,
    ProposalClosedError,
    ProposalExpiredError,
    ProposalTakenError,
)
from services.slo.domain.agreement.events import (
    Event,
    RevisionAgreed,
    RevisionDeclined,
    RevisionExpired,
    RevisionProposed,
    RevisionSuperseded,
    RevisionWithdrawn,
    SideAgreed,
)
from services.slo.domain.signing import (
    SIDES,
    Side,
    Signature,
    missing,
    require_one_of,
    require_signer,
    whom_to_ask,
)

End = Literal["agreed", "declined", "withdrawn", "superseded", "expired"]


@dataclass(frozen=True, slots=True)
class Ended:
    """A proposal of the past."""

    proposed: RevisionProposed
    signatures: tuple[Signature, ...]
    end: End
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Open:
    """A proposal waits for sides to agree.

    Args:
        proposed: What is proposed.
        signatures: Of the sides that have agreed.
        past: Earlier proposals, the oldest first.
    """

    proposed: RevisionProposed
    signatures: tuple[Signature, ...] = ()
    past: tuple[Ended, ...] = ()

    @property
    def missing(self) -> tuple[Side, ...]:
        """The sides that have yet to agree."""
        return missing(SIDES, self.signatures)

    @property
    def waiting_for(self) -> str:
        """Who has yet to agree, for people: `sre (bo or cleo) and product (dan)`."""
        return whom_to_ask(self.missing, self.proposed.signers)


@dataclass(frozen=True, slots=True)
class Settled:
    """No proposal waits; the last of *past* is the newest."""

    past: tuple[Ended, ...]


Agreement = Open | Settled | None  # None: nothing was ever proposed


def decide(command: Command, state: Agreement) -> tuple[Event, ...]:  # noqa: C901, PLR0911  a table, one line a pair
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AgreementError: It is refused (`errors.py`).
        SigningError: Somebody else must do this.
    """
    match state, command:
        case None, Propose():
            return (_proposed(command, ""),)
        case None, Agree() | Decline() | Withdraw() | Expire():
            raise NoProposalError(command.slo, command.proposal)
        case Open(), Propose() if command.proposal == state.proposed.proposal:
            return _again(command, state.proposed)
        case Open() | Settled(), Propose():
            for ended in state.past:
                if ended.proposed.proposal == command.proposal:
                    return _again(command, ended.proposed)
            return _next(command, state)
        case Open(proposed=proposed), Agree() if command.proposal == proposed.proposal:
            return _agreed(command, state)
        case Open(proposed=proposed), Decline() if command.proposal == proposed.proposal:
            return _declined(command, state)
        case Open(proposed=proposed), Withdraw() if command.proposal == proposed.proposal:
            _require_proposer(command, proposed)
            return (RevisionWithdrawn(command.slo, command.proposal, command.reason, command.by, command.at),)
        case Open(proposed=proposed), Expire() if command.proposal == proposed.proposal:
            return _expired(command, state) if command.at >= proposed.expires else ()
        case Open() | Settled(), Agree() | Decline() | Withdraw() | Expire():
            return _ended_before(command, state)


def evolve(state: Agreement, event: Event) -> Agreement:  # noqa: PLR0911  a table, one line a pair
    """The agreement after one more fact."""
    match state, event:
        case None | Settled(), RevisionProposed():
            return Open(event, past=state.past if state else ())
        case Open(), SideAgreed():
            return replace(
                state, signatures=(*state.signatures, Signature(event.side, event.by, event.reason, event.at))
            )
        case Open(), RevisionAgreed():
            return _settled(state, "agreed", event.reason, event.by, event.at)
        case Open(), RevisionDeclined():
            return _settled(state, "declined", event.reason, event.by, event.at)
        case Open(), RevisionWithdrawn():
            return _settled(state, "withdrawn", event.reason, event.by, event.at)
        case Open(), RevisionSuperseded():
            return _settled(state, "superseded", event.reason, event.by, event.at)
        case Open(), RevisionExpired():
            return _settled(state, "expired", event.reason, "", event.at)
        case _, _:
            return state


def agreed_document(state: Agreement) -> Document | None:
    """The document to which all three sides agreed last; None before the first."""
    past = state.past if state else ()
    return next((ended.proposed.document for ended in reversed(past) if ended.end == "agreed"), None)


def expires(state: Agreement) -> datetime | None:
    """When `Expire` is due; None if nothing is open."""
    return state.proposed.expires if isinstance(state, Open) else None


def _proposed(command: Propose, supersedes: str) -> RevisionProposed:
    for side in SIDES:
        if not command.signers.of(side):
            raise NoSignersError(side)
    if command.expires <= command.at:
        raise ExpiryPassedError(command.expires, command.at)
    return RevisionProposed(
        slo=command.slo,
        proposal=command.proposal,
        base_revision=command.base_revision,
        document=command.document,
        what_if=command.what_if,
        signers=command.signers,
        missing=SIDES,
        supersedes=supersedes,
        reason=command.reason,
        by=command.by,
        expires=command.expires,
        at=command.at,
    )


def _again(command: Propose, held: RevisionProposed) -> tuple[Event, ...]:
    """Nothing if this very proposal was made before; refused if the id stands for another."""
    if (command.document, command.base_revision, command.by) != (held.document, held.base_revision, held.by):
        raise ProposalTakenError(command.proposal)
    return ()


def _next(command: Propose, state: Open | Settled) -> tuple[Event, ...]:
    if isinstance(state, Settled):
        return (_proposed(command, ""),)
    old = state.proposed.proposal
    superseded = RevisionSuperseded(command.slo, old, command.proposal, command.reason, command.by, command.at)
    return (superseded, _proposed(command, old))


def _agreed(command: Agree, state: Open) -> tuple[Event, ...]:
    proposed = state.proposed
    if command.side not in state.missing:
        require_one_of(command.by, command.side, proposed.signers.of(command.side))
        return ()
    _require_time(command, state)
    require_signer(command.by, command.side, proposed.signers, state.signatures)
    signatures = (*state.signatures, Signature(command.side, command.by.name, command.reason, command.at))
    still = missing(SIDES, signatures)
    agreed = SideAgreed(command.slo, command.proposal, command.side, still, command.reason, command.by.name, command.at)
    if still:
        return (agreed,)
    who = {signature.side: signature.by for signature in signatures}
    return (
        agreed,
        RevisionAgreed(
            slo=command.slo,
            proposal=command.proposal,
            base_revision=proposed.base_revision,
            document=proposed.document,
            development=who["development"],
            sre=who["sre"],
            product=who["product"],
            reason=proposed.reason,
            by=proposed.by,
            at=command.at,
        ),
    )


def _declined(command: Decline, state: Open) -> tuple[Event, ...]:
    require_one_of(command.by, command.side, state.proposed.signers.of(command.side))
    _require_time(command, state)
    return (RevisionDeclined(command.slo, command.proposal, command.side, command.reason, command.by.name, command.at),)


def _expired(command: Expire, state: Open) -> tuple[Event, ...]:
    reason = f"lapsed without {state.waiting_for}"
    return (RevisionExpired(command.slo, command.proposal, state.missing, reason, command.at),)


def _ended_before(command: Agree | Decline | Withdraw | Expire, state: Open | Settled) -> tuple[Event, ...]:
    """Nothing if the proposal came to the end that is asked for, refused if to another."""
    for ended in state.past:
        if ended.proposed.proposal == command.proposal:
            if isinstance(command, Expire) or ended.end == _ends(command):
                return ()
            current = state.proposed.proposal if isinstance(state, Open) else ""
            raise ProposalClosedError(command.proposal, ended.end, current)
    raise NoProposalError(command.slo, command.proposal)


def _ends(command: Agree | Decline | Withdraw) -> End:
    match command:
        case Agree():
            return "agreed"
        case Decline():
            return "declined"
        case Withdraw():
            return "withdrawn"


def _require_time(command: Agree | Decline, state: Open) -> None:
    if command.at >= state.proposed.expires:
        raise ProposalExpiredError(command.proposal, state.proposed.expires, state.waiting_for)


def _require_proposer(command: Withdraw, proposed: RevisionProposed) -> None:
    if command.by != proposed.by:
        raise NotTheProposerError(command.by, proposed.by)


def _settled(state: Open, end: End, reason: str, by: str, at: datetime) -> Settled:
    return Settled((*state.past, Ended(state.proposed, state.signatures, end, reason, by, at)))
