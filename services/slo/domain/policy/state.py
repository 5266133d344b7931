"""What is known of a policy: its editions, where the service stands, and what was granted, broken and owed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, Literal

from services.slo.domain.policy.document import PARTIES, Document, Kind
from services.slo.domain.policy.events import (
    DisagreementRaised,
    DisagreementSettled,
    ExemptionGranted,
    GlassBroken,
    ObligationFulfilled,
    PostmortemRequired,
    QuarterlyItemRequired,
)
from services.slo.domain.policy.standing import SloBudget, Standing, next_standing
from services.slo.domain.signing import Side, Signature, missing

# An exemption of these kinds lets a change of the kind through; all others excuse what was spent.
_CHANGES: frozenset[Kind] = frozenset({"p0", "security"})
FOLLOW_UP: Final = "follow-up:"


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of the document, and who has signed it."""

    version: int
    document: Document
    signatures: tuple[Signature, ...] = ()

    @property
    def missing(self) -> tuple[Side, ...]:
        """Who has to sign before it is in force."""
        return missing(PARTIES, self.signatures)


@dataclass(frozen=True, slots=True)
class Exemption:
    """An exemption, and when it was revoked, if it was."""

    granted: ExemptionGranted
    revoked_at: datetime | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.granted.exemption

    def holds(self, at: datetime) -> bool:
        """Whether it was in force at that time."""
        end = min(self.granted.expires, self.revoked_at or self.granted.expires)
        return self.granted.at <= at < end

    def excuses(self, slo: str) -> bool:
        """Whether it covers what was spent of the budget of *slo*."""
        return self.granted.kind not in _CHANGES and (not self.granted.slos or slo in self.granted.slos)


@dataclass(frozen=True, slots=True)
class Glass:
    """A broken glass.

    Args:
        broken: How it was broken.
        deployment: The one it lets through; empty while it is anybody's.
        used_at: When that deployment first went through; None before.
        followed_up: How what was to follow was done; None before.
    """

    broken: GlassBroken
    deployment: str
    used_at: datetime | None = None
    followed_up: ObligationFulfilled | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.broken.glass

    @property
    def obligation(self) -> str:
        """The id of the follow-up that is owed."""
        return f"{FOLLOW_UP}{self.key}"

    def holds(self, at: datetime) -> bool:
        """Whether it had been broken and had not expired at that time."""
        return self.broken.at <= at < self.broken.expires

    def admits(self, deployment: str, at: datetime) -> bool:
        """Whether it lets *deployment* through; asking again on the way, as a canary does, changes nothing."""
        return self.holds(at) and self.deployment in {"", deployment}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A disagreement, and how the executive decided it, if that happened."""

    raised: DisagreementRaised
    settled: DisagreementSettled | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.raised.disagreement


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something that a large spending made due, and how it was done, if it was."""

    required: PostmortemRequired | QuarterlyItemRequired
    fulfilled: ObligationFulfilled | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.required.obligation


@dataclass(frozen=True, slots=True)
class Record:
    """What happened, whichever edition was in force."""

    service: str
    since: datetime
    standing: Standing = "healthy"
    reason: str = ""
    spare: bool = False
    exemptions: tuple[Exemption, ...] = ()
    glasses: tuple[Glass, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    obligations: tuple[Obligation, ...] = ()

    def excused(self, budgets: Iterable[SloBudget], at: datetime) -> frozenset[str]:
        """The SLOs of *budgets* whose overspending is covered by an exemption in force."""
        held = [exemption for exemption in self.exemptions if exemption.holds(at)]
        return frozenset(budget.slo for budget in budgets if any(each.excuses(budget.slo) for each in held))

    def exempted(self, kind: Kind, at: datetime) -> ExemptionGranted | None:
        """The exemption of this kind that lasts longest, if one is in force."""
        held = (each.granted for each in self.exemptions if each.granted.kind == kind and each.holds(at))
        return max(held, key=lambda granted: granted.expires, default=None)

    def glass_for(self, deployment: str, at: datetime) -> Glass | None:
        """The broken glass that lets *deployment* through: its own, or else one that is anybody's."""
        admitting = [glass for glass in self.glasses if glass.admits(deployment, at)]
        return max(admitting, key=lambda glass: glass.deployment != "", default=None)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A policy that no two sides have signed yet: it says what it would do, and does nothing."""

    record: Record
    edition: Edition

    @property
    def newest(self) -> Edition:
        """The edition that can be signed."""
        return self.edition


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy that binds both sides.

    Args:
        record: What happened.
        edition: The one in force.
        draft: A newer one that waits for signatures; None if there is none.
    """

    record: Record
    edition: Edition
    draft: Edition | None = None

    @property
    def newest(self) -> Edition:
        """The edition that can be signed."""
        return self.draft or self.edition


Policy = Unsigned | InForce | None  # None: nobody has written one


def standing_at(policy: Unsigned | InForce, budgets: tuple[SloBudget, ...], at: datetime) -> Standing:
    """Where the service stands with these budgets at that time, whether or not it was said already."""
    return next_standing(
        policy.record.standing,
        policy.edition.document,
        budgets,
        in_force=isinstance(policy, InForce),
        excused=policy.record.excused(budgets, at),
    )


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is to happen at a time, unless it has become pointless by then.

    Args:
        at: When.
        kind: `exemption-expires`, `glass-expires`: look at the budgets again (`Observe`); `follow-up`, `revisit`:
            remind people (`Remind`).
        key: The exemption, the glass, or the version of the policy.
    """

    at: datetime
    kind: Literal["exemption-expires", "glass-expires", "follow-up", "revisit"]
    key: str


def timetable(policy: Policy) -> tuple[Due, ...]:
    """Everything that falls due under *policy*, the earliest first, the past included."""
    if policy is None:
        return ()
    record, edition = policy.record, policy.edition
    granted = [each.granted for each in record.exemptions if each.revoked_at is None]
    broken = [each.broken for each in record.glasses]
    promised = [each.broken for each in record.glasses if each.followed_up is None]
    dues = (
        Due(_morning(edition.document.revisit_by), "revisit", str(edition.version)),
        *(Due(each.expires, "exemption-expires", each.exemption) for each in granted),
        *(Due(each.expires, "glass-expires", each.glass) for each in broken),
        *(Due(_morning(each.follow_up_due), "follow-up", each.glass) for each in promised),
    )
    return tuple(sorted(dues, key=lambda due: (due.at, due.kind, due.key)))


def owed(policy: Policy) -> tuple[PostmortemRequired | QuarterlyItemRequired, ...]:
    """What large spendings made due and nobody has done yet."""
    obligations = policy.record.obligations if policy else ()
    return tuple(each.required for each in obligations if each.fulfilled is None)


def with_signature(edition: Edition, signature: Signature) -> Edition:
    """*edition* with one signature more."""
    return replace(edition, signatures=(*edition.signatures, signature))


def _morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
