"""What is sent to and answered by error-budget policies and the release gate."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field
from pydantic.config import JsonDict

from libs.web.schemas import Body, Line, Name, Text, example
from services.slo.api.schemas import Time, told
from services.slo.domain.policy.commands import Outcome
from services.slo.domain.policy.document import Change, Document, Kind, Party
from services.slo.domain.policy.events import PostmortemRequired
from services.slo.domain.policy.reasons import Reason
from services.slo.domain.policy.standing import SloBudget, Standing
from services.slo.domain.policy.state import (
    Disagreement,
    Due,
    Edition,
    Exemption,
    Glass,
    InForce,
    Obligation,
    Unsigned,
    timetable,
)
from services.slo.domain.release_gate import Decision
from services.slo.domain.signing import Side, Signature

_DOCUMENT: JsonDict = {
    "executive": "cleo",
    "signers": {"development": ["ana", "ada"], "sre": ["bo"], "product": ["dan"]},
    "revisit_by": "2027-11-21",
    "unfreeze_remaining": {"value": 0.05, "source": "agreed after the freeze of October"},
    "reason": "releases went on while customers could not pay",
}


class NumberBody(Body):
    """A number that decides something, and why it is that number."""

    value: Annotated[float, Field(allow_inf_nan=False)]
    source: Line


class RuleBody(Body):
    """Something the sides promise each other in words."""

    text: Annotated[Text, Field(min_length=1)]
    source: Line


class ExemptionRuleBody(RuleBody):
    """A kind of exemption that the policy knows."""

    kind: Kind


class SignersBody(Body):
    """Who may sign, by side."""

    development: list[Name]
    sre: list[Name]
    product: Annotated[list[Name], Field(default_factory=list[Name])]


class PolicyDocument(Body):
    """An edition of a policy; what is left out is as the SRE Workbook's example, or a default that says so."""

    model_config = example(**_DOCUMENT)

    executive: Name
    signers: SignersBody
    revisit_by: date
    at_risk: NumberBody | None = None
    hysteresis: NumberBody | None = None
    unfreeze_remaining: NumberBody | None = None
    spare_remaining: NumberBody | None = None
    spare_coverage: NumberBody | None = None
    passes_freeze: Annotated[list[Change] | None, Field(max_length=3)] = None
    exemptions: Annotated[list[ExemptionRuleBody] | None, Field(max_length=20)] = None
    exemption_days: NumberBody | None = None
    glass_days: NumberBody | None = None
    incident_window_days: NumberBody | None = None
    incident_share: NumberBody | None = None
    class_share: NumberBody | None = None
    rules: Annotated[list[RuleBody] | None, Field(max_length=100)] = None
    text: Text | None = None
    reason: Text = ""

    @property
    def document(self) -> Document:
        """What it says."""
        said = self.model_dump(exclude={"service", "reason"}, exclude_none=True)
        return msgspec.convert(said, Document)


class NewPolicy(PolicyDocument):
    """The first edition of a service's policy."""

    model_config = example(service="checkout-api", **_DOCUMENT)

    service: Name


class SignBody(Body):
    """Agreement of one side to the version that was read."""

    model_config = example(version=1, side="sre", reason="fair")

    version: Annotated[int, Field(ge=1)]
    side: Party
    reason: Text = ""


class ExemptBody(Body):
    """An exemption, granted by whoever sends this; `slos` left out: it covers all of them."""

    model_config = example(
        kind="company_wide_network",
        reason="the backbone was down for an hour",
        evidence="INC-7",
        requested_by="ana",
        expires="2026-12-05T10:00:00Z",
    )

    kind: Kind
    slos: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    reason: Text
    evidence: Text
    requested_by: Name
    expires: Time


class RevokeBody(Body):
    """The early end of an exemption."""

    model_config = example(exemption="0197f5d2-8f6e-7a51-b9d4-6f1c64c1b0aa", reason="our own bug")

    exemption: Line
    reason: Text = ""


class BreakGlassBody(Body):
    """One deployment that goes through a freeze; without a name it is the first that says it used this."""

    model_config = example(
        deployment="checkout-42",
        reason="customers cannot pay",
        follow_up="write down why the canary missed it",
        follow_up_due="2026-11-25",
        expires="2026-11-21T14:00:00Z",
    )

    deployment: Line | Literal[""] = ""
    reason: Text
    follow_up: Text
    follow_up_due: date
    expires: Time


class UseGlassBody(Body):
    """The deployment that went through."""

    model_config = example(deployment="checkout-42")

    deployment: Line
    reason: Text = ""


class DisagreeBody(Body):
    """What is wrong, said for one side; the policy's executive decides."""

    model_config = example(about="calculation", side="development", reason="the probe was broken")

    about: Literal["calculation", "action"]
    side: Side
    reason: Text


class SettleBody(Body):
    """The executive's decision; `lifted` needs `until`."""

    model_config = example(
        disagreement="0197f5d2-8f6e-7a51-b9d4-6f1c64c1b0aa",
        outcome="lifted",
        until="2026-11-28T10:00:00Z",
        reason="the probe was broken",
    )

    disagreement: Line
    outcome: Outcome
    until: Time | None = None
    reason: Text


class FulfilBody(Body):
    """Proof that something owed was done, where nobody told of it by an event."""

    model_config = example(obligation="postmortem:0197f5d2", evidence="https://wiki.example.com/postmortems/7")

    obligation: Line
    evidence: Text
    reason: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionAnswer:
    """One version of the document, who has signed it, and who has to."""

    version: int
    document: Document
    signatures: tuple[Signature, ...]
    missing: tuple[Side, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionAnswer:
    """An exemption; `slos` empty: of all SLOs of the service."""

    id: str
    kind: Kind
    slos: tuple[str, ...]
    reason: str
    evidence: str
    requested_by: str
    approver: str
    granted_at: datetime
    expires: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassAnswer:
    """A broken glass; `deployment` empty: for the first that says it used it.

    What was to follow is shown by `:fulfil` with the obligation `follow-up:` and the id.
    """

    id: str
    deployment: str
    reason: str
    follow_up: str
    follow_up_due: date
    by: str
    broken_at: datetime
    expires: datetime
    used_at: datetime | None
    followed_up_at: datetime | None
    follow_up_evidence: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisagreementAnswer:
    """A disagreement; `outcome` is null until the executive has decided."""

    id: str
    about: Literal["calculation", "action"]
    side: Side
    executive: str
    reason: str
    by: str
    raised_at: datetime
    outcome: Outcome | None
    settled_reason: str | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationAnswer:
    """Something that a large spending made due; `evidence` is null until it was done."""

    id: str
    kind: Literal["postmortem", "quarterly_item"]
    slo: str
    share: float
    threshold: float
    reason: str
    required_at: datetime
    evidence: str | None
    fulfilled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAnswer(EditionAnswer):
    """A policy: the edition in force (or the only one), the draft beside it, and all that happened under it."""

    service: str
    in_force: bool
    draft: EditionAnswer | None
    state: Standing
    since: datetime
    reason: str
    budget_to_spare: bool
    exemptions: list[ExemptionAnswer]
    glasses: list[GlassAnswer]
    disagreements: list[DisagreementAnswer]
    obligations: list[ObligationAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyItem:
    """A policy in a list; `draft` is a version that waits for signatures beside the one in force."""

    service: str
    version: int
    in_force: bool
    draft: int | None
    missing: list[Side]
    state: Standing
    since: datetime
    reason: str
    budget_to_spare: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingAnswer:
    """A side that has not signed the newest version, and who can."""

    side: Side
    version: int
    who_can: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBudgetAnswer:
    """Where a service stands: its budgets, worst first ruling, and what the policy makes of them.

    `state`, `since` and `policy_version` are null where nobody has written a policy. Only exemptions and broken
    glasses that hold, disagreements that are open and what is still owed are listed; the policy has all of them.
    `follow_ups` are broken glasses after which something is still to be done. `upcoming` is what falls due: the end of
    exemptions and broken glasses, follow-ups, the day to revisit the policy.
    """

    service: str
    at: datetime
    state: Standing | None
    since: datetime | None
    frozen: bool
    in_force: bool
    policy_version: int | None
    reasons: tuple[Reason, ...]
    worst: SloBudget | None
    budgets: tuple[SloBudget, ...]
    budget_to_spare: bool
    exemptions: list[ExemptionAnswer]
    glasses: list[GlassAnswer]
    disagreements: list[DisagreementAnswer]
    owed: list[ObligationAnswer]
    follow_ups: list[GlassAnswer]
    missing: list[MissingAnswer]
    upcoming: list[Due]


def policy_answer(policy: Unsigned | InForce) -> PolicyAnswer:
    """*policy* as it is answered."""
    record, draft = policy.record, policy.draft if isinstance(policy, InForce) else None
    return PolicyAnswer(
        **_edition(policy.edition),
        service=record.service,
        in_force=isinstance(policy, InForce),
        draft=EditionAnswer(**_edition(draft)) if draft else None,
        state=record.standing,
        since=record.since,
        reason=record.reason,
        budget_to_spare=record.spare,
        exemptions=_exemptions(record.exemptions),
        glasses=_glasses(record.glasses),
        disagreements=_disagreements(record.disagreements),
        obligations=_obligations(record.obligations),
    )


def policy_item(row: Any) -> PolicyItem:  # noqa: ANN401  a row of the read model
    """A row of the read model `error_budget_policies` as it is answered."""
    return PolicyItem(**{field.name: row[field.name] for field in fields(PolicyItem)})


def error_budget_answer(service: str, policy: Unsigned | InForce | None, decision: Decision) -> ErrorBudgetAnswer:
    """What the gate says of a normal change, and who is asked for what."""
    at, record = decision.at, policy.record if policy else None
    return ErrorBudgetAnswer(
        service=service,
        at=at,
        state=decision.state,
        since=record.since if record and record.standing == decision.state else None,
        frozen=decision.state == "frozen",
        in_force=decision.in_force,
        policy_version=decision.policy_version or None,
        reasons=decision.reasons,
        worst=decision.budget,
        budgets=decision.budgets,
        budget_to_spare=any(reason.code == "budget-to-spare" for reason in decision.reasons),
        exemptions=_exemptions(each for each in record.exemptions if each.holds(at)) if record else [],
        glasses=_glasses(each for each in record.glasses if each.holds(at)) if record else [],
        disagreements=_disagreements(each for each in record.disagreements if not each.settled) if record else [],
        owed=_obligations(each for each in record.obligations if not each.fulfilled) if record else [],
        follow_ups=_glasses(each for each in record.glasses if not each.followed_up) if record else [],
        missing=_missing(policy.newest) if policy else [],
        upcoming=[due for due in timetable(policy) if due.at > at],
    )


def _edition(edition: Edition) -> dict[str, Any]:
    return {
        "version": edition.version,
        "document": edition.document,
        "signatures": edition.signatures,
        "missing": edition.missing,
    }


def _missing(edition: Edition) -> list[MissingAnswer]:
    signers = edition.document.signers
    return [MissingAnswer(side=side, version=edition.version, who_can=signers.of(side)) for side in edition.missing]


def _exemptions(exemptions: Iterable[Exemption]) -> list[ExemptionAnswer]:
    return [
        told(ExemptionAnswer, each.granted, id=each.key, granted_at=each.granted.at, revoked_at=each.revoked_at)
        for each in exemptions
    ]


def _glasses(glasses: Iterable[Glass]) -> list[GlassAnswer]:
    return [
        told(
            GlassAnswer,
            each.broken,
            id=each.key,
            deployment=each.deployment,
            broken_at=each.broken.at,
            used_at=each.used_at,
            followed_up_at=each.followed_up and each.followed_up.at,
            follow_up_evidence=each.followed_up and each.followed_up.evidence,
        )
        for each in glasses
    ]


def _disagreements(disagreements: Iterable[Disagreement]) -> list[DisagreementAnswer]:
    return [
        told(
            DisagreementAnswer,
            each.raised,
            id=each.key,
            raised_at=each.raised.at,
            outcome=each.settled and each.settled.outcome,
            settled_reason=each.settled and each.settled.reason,
            settled_at=each.settled and each.settled.at,
        )
        for each in disagreements
    ]


def _obligations(obligations: Iterable[Obligation]) -> list[ObligationAnswer]:
    return [
        told(
            ObligationAnswer,
            each.required,
            id=each.key,
            kind="postmortem" if isinstance(each.required, PostmortemRequired) else "quarterly_item",
            required_at=each.required.at,
            evidence=each.fulfilled and each.fulfilled.evidence,
            fulfilled_at=each.fulfilled and each.fulfilled.at,
        )
        for each in obligations
    ]
