"""What goes out, and how it is made of a state or a row."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, Field

from libs.events.handler import Loaded, Outcome
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.evaluation.events import CheckResult, GateEvaluated
from services.lifecycle.domain.evidence.events import EvidenceOutcome, EvidenceRecorded, Figure
from services.lifecycle.domain.gates import Verdict
from services.lifecycle.domain.phases import Kind, Phase, allowed_from
from services.lifecycle.domain.policy import Policy
from services.lifecycle.domain.service.catalogue import Catalogue, CodePath, Link
from services.lifecycle.domain.service.decider import Awaiting, Decided, Decommissioned, Profile, Registered, Service
from services.lifecycle.domain.service.events import TransitionRequested


@dataclass(frozen=True, slots=True)
class AllowedTransition:
    """Where a service may go from its phase."""

    to: Phase
    kind: Kind


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service; what is not set is null. Its SRE team is that of its active engagement."""

    name: str
    display_name: str
    owner_team: str | None
    tier: int | None
    phase: Phase
    phase_since: datetime
    grandfathered_until: datetime | None
    revives: str | None
    description: str
    product: str | None
    technologies: tuple[str, ...]
    labels: Mapping[str, str]
    links: tuple[Link, ...]
    code: tuple[CodePath, ...]
    stateful: bool | None
    pending_transition: str | None
    sre_team: str | None
    engagement: str | None
    allowed_transitions: tuple[AllowedTransition, ...]
    registered_at: datetime
    decommissioned_at: datetime | None = None


class StayView(BaseModel):
    """A time in one phase."""

    phase: Phase
    since: datetime = Field(serialization_alias="from")
    until: datetime | None
    by: str
    reason: str
    evaluation: str | None


@dataclass(frozen=True, slots=True)
class TransitionView:
    """A transition that another person must approve."""

    id: str
    service: str
    from_phase: Phase
    to_phase: Phase
    kind: Kind
    state: Literal["pending", "approved", "declined"]
    reason: str
    evaluation: str | None
    requested_by: str
    requested_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None


@dataclass(frozen=True, slots=True)
class GateView:
    """What a gate says about a service now; `kind` is null when no move leads there from its phase."""

    service: str
    from_phase: Phase
    phase: Phase
    kind: Kind | None
    needs_approval: bool
    passed: bool
    policy_version: str
    grandfathered_until: datetime | None
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """A stored gate evaluation, whole.

    `basis` is what it rests on beside measurements: while that is unchanged it may be used for a move. `based_on` is
    the earlier evaluation whose attestations it took over.
    """

    id: str
    service: str
    from_phase: Phase
    phase: Phase
    passed: bool
    policy_version: str
    checks: tuple[CheckResult, ...]
    basis: tuple[str, ...]
    based_on: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """Something that was done for a service; `counts_for` are the gates that look for it."""

    id: str
    service: str
    kind: str
    at: datetime
    url: str
    by: str
    recorded_at: datetime
    outcome: EvidenceOutcome
    figures: dict[str, Figure]
    counts_for: tuple[str, ...]


def live(found: Loaded[Service] | Outcome[Service]) -> Registered:
    """The service that was found.

    Raises:
        UnknownError: There is none.
    """
    if found.state is None:
        raise UnknownError("service", key_of(found))
    return found.state


def key_of(found: Loaded[Any] | Outcome[Any]) -> str:
    """The key of the aggregate that was looked for."""
    return found.stream.partition("/")[2]


def allowed_transitions(phase: Phase) -> tuple[AllowedTransition, ...]:
    """Where a service in *phase* may go."""
    return tuple(AllowedTransition(to, move.kind) for to, move in allowed_from(phase).items())


def service_view(state: Registered) -> ServiceView:
    """A service as it is answered."""
    profile = state.profile
    return ServiceView(
        name=profile.service,
        display_name=profile.display_name,
        owner_team=profile.owner_team or None,
        tier=profile.tier or None,
        phase=profile.phase,
        phase_since=profile.stay.since,
        grandfathered_until=profile.grandfathered.until if profile.grandfathered else None,
        revives=profile.revives or None,
        **_catalogue(profile.catalogue),
        pending_transition=state.pending.transition if isinstance(state, Awaiting) else None,
        sre_team=profile.engaged.sre_team if profile.engaged else None,
        engagement=profile.engaged.engagement if profile.engaged else None,
        allowed_transitions=allowed_transitions(profile.phase),
        registered_at=profile.stays[0].since,
        decommissioned_at=state.end.at if isinstance(state, Decommissioned) else None,
    )


def service_row(row: Mapping[Any, Any]) -> ServiceView:
    """A service of a list, as `service_view` would have answered it."""
    phase = Phase(row["phase"])
    return ServiceView(
        name=row["name"],
        display_name=row["display_name"],
        owner_team=row["owner_team"] or None,
        tier=row["tier"] or None,
        phase=phase,
        phase_since=row["phase_since"],
        grandfathered_until=row["grandfathered_until"],
        revives=row["revives"] or None,
        **_catalogue(msgspec.convert(row["catalogue"], Catalogue)),
        pending_transition=row["pending_transition"] or None,
        sre_team=row["sre_team"] or None,
        engagement=row["engagement"] or None,
        allowed_transitions=allowed_transitions(phase),
        registered_at=row["registered_at"],
        decommissioned_at=row["decommissioned_at"],
    )


def _catalogue(catalogue: Catalogue) -> dict[str, Any]:
    return {field.name: getattr(catalogue, field.name) for field in fields(catalogue)} | {
        "product": catalogue.product or None
    }


def stay_views(profile: Profile) -> list[StayView]:
    """The way through the phases; each stay lasts until the next begins."""
    ends = [stay.since for stay in profile.stays[1:]]
    return [
        StayView(
            phase=stay.phase,
            since=stay.since,
            until=until,
            by=stay.by,
            reason=stay.reason,
            evaluation=stay.evaluation or None,
        )
        for stay, until in zip(profile.stays, [*ends, None], strict=True)
    ]


def transition_view(request: TransitionRequested, decided: Decided | None = None) -> TransitionView:
    """A transition as it is answered; pending unless *decided*."""
    return TransitionView(
        id=request.transition,
        service=request.service,
        from_phase=request.from_phase,
        to_phase=request.to_phase,
        kind=request.kind,
        state=decided.decision if decided else "pending",
        reason=request.reason,
        evaluation=request.evaluation or None,
        requested_by=request.by,
        requested_at=request.at,
        decided_by=decided.by if decided else None,
        decided_at=decided.at if decided else None,
        decision_reason=decided.reason if decided else None,
    )


def gate_view(verdict: Verdict, profile: Profile, policy: Policy) -> GateView:
    """A gate as it is answered."""
    move = allowed_from(verdict.from_phase).get(verdict.phase)
    return GateView(
        service=verdict.service,
        from_phase=verdict.from_phase,
        phase=verdict.phase,
        kind=move.kind if move else None,
        needs_approval=move is not None and move.kind in policy.approval.kinds,
        passed=verdict.passed,
        policy_version=verdict.policy_version,
        grandfathered_until=profile.grandfathered.until if profile.grandfathered else None,
        checks=verdict.checks,
    )


def evaluation_view(event: GateEvaluated) -> EvaluationView:
    """A stored evaluation as it is answered."""
    return EvaluationView(
        id=event.evaluation,
        service=event.service,
        from_phase=event.from_phase,
        phase=event.phase,
        passed=event.passed,
        policy_version=event.policy_version,
        checks=event.checks,
        basis=event.basis,
        based_on=event.based_on or None,
        by=event.by,
        at=event.at,
    )


def evidence_view(event: EvidenceRecorded, policy: Policy) -> EvidenceView:
    """Evidence as it is answered."""
    return EvidenceView(
        id=event.evidence,
        service=event.service,
        kind=event.kind,
        at=event.at,
        url=event.url,
        by=event.by,
        recorded_at=event.recorded,
        outcome=event.outcome,
        figures=event.figures,
        counts_for=policy.gates_asking_for(event.kind),
    )
