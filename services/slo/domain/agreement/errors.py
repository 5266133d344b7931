"""What an agreement refuses; who may sign is refused in `signing.py`.

SloError
└── AgreementError
    ├── NoProposalError          nothing was ever proposed under this id
    ├── ProposalClosedError      it has come to another end already
    ├── ProposalExpiredError     its time has passed
    ├── ProposalTakenError       the id stands for another proposal
    ├── NoSignersError           a side has nobody who could agree
    ├── ExpiryPassedError        it would have lapsed before it was made
    └── NotTheProposerError      only who proposed it takes it back
"""

from datetime import datetime

from services.slo.domain.errors import SloError
from services.slo.domain.signing import Side


class AgreementError(SloError):
    """Anything that an agreement refuses."""


class NoProposalError(AgreementError):
    """Nothing was ever proposed under this id."""

    def __init__(self, slo: str, proposal: str) -> None:
        super().__init__(f"SLO {slo!r} has no proposal {proposal!r}; propose a revision first")
        self.slo, self.proposal = slo, proposal


class ProposalClosedError(AgreementError):
    """It has come to another end already."""

    def __init__(self, proposal: str, end: str, current: str) -> None:
        instead = f"proposal {current!r} is open, read that" if current else "propose anew"
        super().__init__(f"proposal {proposal!r} was {end}; {instead}")
        self.proposal, self.end, self.current = proposal, end, current


class ProposalExpiredError(AgreementError):
    """Its time has passed."""

    def __init__(self, proposal: str, expired: datetime, waiting_for: str) -> None:
        super().__init__(
            f"proposal {proposal!r} lapsed at {expired:%Y-%m-%d %H:%M} UTC without {waiting_for}; propose anew"
        )
        self.proposal, self.expired = proposal, expired


class ProposalTakenError(AgreementError):
    """The id stands for another proposal."""

    def __init__(self, proposal: str) -> None:
        super().__init__(f"proposal {proposal!r} says something else already; choose another id")
        self.proposal = proposal


class NoSignersError(AgreementError):
    """A side has nobody who could agree."""

    def __init__(self, side: Side) -> None:
        super().__init__(f"nobody may sign for {side}; name somebody in the service's error-budget policy")
        self.side = side


class ExpiryPassedError(AgreementError):
    """It would have lapsed before it was made."""

    def __init__(self, expires: datetime, at: datetime) -> None:
        super().__init__(f"it would lapse at {expires:%Y-%m-%d %H:%M} UTC, which is over; name a time to come")
        self.expires, self.at = expires, at


class NotTheProposerError(AgreementError):
    """Only who proposed it takes it back."""

    def __init__(self, by: str, proposer: str) -> None:
        super().__init__(f"{by} did not propose it; {proposer} can withdraw it, and every side can decline it")
        self.by, self.proposer = by, proposer
