"""A row per event: what happened, to which service, by whom, in one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Column, ColumnElement, Integer, Text

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry

_PREFIX = "io.concordat."
OWN_PREFIX: Final = f"{_PREFIX}gateway."

# Type (without `io.concordat.` and version) to the sentence about it; every published type has one.
SENTENCES: Final[Mapping[str, str]] = {
    "lifecycle.team.registered": "team {e.team} registered ({e.kind})",
    "lifecycle.team.changed": "team {e.team} changed",
    "lifecycle.team.sharded": "team {e.team} was cut: {e.reason}",
    "lifecycle.team.merged": "team {e.team} became a part of {e.into}: {e.reason}",
    "lifecycle.team.absorbed": "team {e.team} took in {e.absorbed}",
    "lifecycle.team.dissolved": "team {e.team} was dissolved: {e.reason}",
    "lifecycle.team.structure-reviewed": "structure of team {e.team} reviewed: {e.outcome}",
    "lifecycle.service.registered": "registered in {e.phase}, {e.profile}",
    "lifecycle.service.changed": "now {e.profile}",
    "lifecycle.dependency.declared": "relies on {e.on} ({e.criticality})",
    "lifecycle.dependency.removed": "relies on {e.on} no more",
    "lifecycle.dependencies.confirmed": "list of dependencies confirmed",
    "lifecycle.deployment.recorded": "{e.version} deployed ({e.result})",
    "lifecycle.deployment.staged": "{e.version} deployed to {e.environment} ({e.result})",
    "lifecycle.deployment.rolled-back": "deployment {e.deployment} rolled back",
    "lifecycle.deployment.failed": "deployment {e.deployment} made the service worse",
    "lifecycle.deployment.recovered": "the service recovered from deployment {e.deployment}",
    "lifecycle.rollout.planned": "roll-out of {e.version} planned ({e.strategy})",
    "lifecycle.rollout.reviewed": "roll-out {e.rollout} reviewed",
    "lifecycle.rollout.started": "roll-out {e.rollout} started",
    "lifecycle.rollout.advanced": "roll-out {e.rollout} serves {e.percent} % of the users",
    "lifecycle.rollout.done": "roll-out {e.rollout} done",
    "lifecycle.rollout.rolled-back": "roll-out {e.rollout} rolled back: {e.reason}",
    "lifecycle.rollout.cancelled": "roll-out {e.rollout} cancelled: {e.reason}",
    "lifecycle.operational-work.recorded": "work of team {e.team} recorded ({e.kind})",
    "lifecycle.operational-work.withdrawn": "recorded work of team {e.team} withdrawn: {e.reason}",
    "lifecycle.catalog-entity.imported": "{e.ref} imported",
    "lifecycle.service.engaged": "an SRE team works for the service",
    "lifecycle.service.released": "an SRE team works for the service no more",
    "lifecycle.gate-policy.published": "gate policy {e.version} published",
    "lifecycle.waiver.requested": "waiver requested",
    "lifecycle.waiver.approved": "waiver approved",
    "lifecycle.waiver.renewed": "waiver renewed",
    "lifecycle.waiver.revoked": "waiver revoked",
    "lifecycle.waiver.expired": "waiver expired",
    "lifecycle.engagement.requested": "engagement requested",
    "lifecycle.engagement.accepted": "engagement accepted",
    "lifecycle.engagement.declined": "engagement declined: {e.reason}",
    "lifecycle.engagement.activated": "engagement begun",
    "lifecycle.engagement.model-changed": "engagement changed its model",
    "lifecycle.engagement.service-joined": "joined an engagement",
    "lifecycle.engagement.service-left": "left an engagement",
    "lifecycle.engagement.priorities-proposed": "priorities proposed",
    "lifecycle.engagement.goals-proposed": "shared goals proposed",
    "lifecycle.engagement.definitions-proposed": "shared definitions proposed",
    "lifecycle.engagement.ground-rules-proposed": "ground rules proposed",
    "lifecycle.engagement.acknowledged": "the {e.side} side acknowledged an edition",
    "lifecycle.engagement.series-set": "a series of meetings was set",
    "lifecycle.engagement.series-ended": "a series of meetings ended",
    "lifecycle.engagement.gathering-held": "a meeting was held",
    "lifecycle.engagement.gathering-overdue": "a meeting is overdue",
    "lifecycle.engagement.ground-rule-breached": "a ground rule was not kept",
    "lifecycle.engagement.breach-answered": "a breach was answered",
    "lifecycle.engagement.breach-closed": "a breach was closed",
    "lifecycle.engagement.handback-started": "hand-back started",
    "lifecycle.engagement.handback-item-settled": "a line of the hand-back list was settled",
    "lifecycle.engagement.handback-given-up": "hand-back given up",
    "lifecycle.engagement.handed-back": "handed back",
    "lifecycle.engagement.disengaged": "engagement ended: {e.reason}",
    "lifecycle.engagement.watch-ended": "the watch after the hand-back ended",
    "lifecycle.gathering.drafted": "a meeting's pack was drafted",
    "lifecycle.gathering.statement-made": "a statement was made for a meeting",
    "lifecycle.gathering.notes-taken": "notes of a meeting were taken",
    "lifecycle.gathering.concluded": "a meeting came to its decision",
    "lifecycle.engagement-item.opened": "an item of an engagement was opened",
    "lifecycle.engagement-item.changed": "an item of an engagement was changed",
    "lifecycle.engagement-item.moved": "an item of an engagement was moved",
    "lifecycle.engagement-item.reported": "a tracker reported on an item of an engagement",
    "lifecycle.engagement-item.overdue": "an item of an engagement is overdue",
    "lifecycle.review.checklist-fixed": "the checklist of a readiness review was fixed",
    "lifecycle.review-template.published": "a review template was published",
    "lifecycle.service.phase-changed": "moved from {e.from_phase} to {e.to_phase}",
    "lifecycle.transition.requested": "asked to move from {e.from_phase} to {e.to_phase}",
    "lifecycle.transition.approved": "transition approved",
    "lifecycle.transition.declined": "transition declined",
    "lifecycle.gate.evaluated": "gate to {e.phase} {e.verdict}",
    "lifecycle.evidence.recorded": "evidence recorded: {e.kind}",
    "lifecycle.review.requested": "readiness review {e.number} asked for ({e.model})",
    "lifecycle.review.reviewers-changed": "readiness review: others review",
    "lifecycle.review.advanced": "readiness review went on to {e.to_stage}",
    "lifecycle.review.item-answered": "readiness review: {e.item} answered",
    "lifecycle.review.approved": "readiness review approved until {e.expires_at}",
    "lifecycle.review.condition-met": "readiness review: condition {e.condition} is met",
    "lifecycle.review.condition-overdue": "readiness review: condition {e.condition} of {e.owner} is overdue",
    "lifecycle.review.declined": "readiness review declined: {e.guidance}",
    "lifecycle.review.withdrawn": "readiness review withdrawn",
    "lifecycle.review.followed-up": "after the readiness review: {e.step}",
    "lifecycle.review.expired": "the approval of the readiness review is over",
    "lifecycle.review.superseded": "a later readiness review took the place of an approved one",
    "lifecycle.risk.proposed": "risk: {e.title}",
    "lifecycle.risk.assessed": "a risk costs {e.bad_minutes} bad minutes a year",
    "lifecycle.risk.accepted": "a risk is accepted until {e.until}",
    "lifecycle.risk.acceptance-ended": "a risk is accepted no longer",
    "lifecycle.risk.mitigation-begun": "{e.owner} makes a risk smaller until {e.due}: {e.plan}",
    "lifecycle.risk.eliminated": "a risk is eliminated",
    "lifecycle.risk.transferred": "a risk is borne by others now: {e.to}",
    "lifecycle.risk.realised": "a risk has happened: {e.incident}",
    "lifecycle.finding.opened": "{e.severity} finding: {e.title}",
    "lifecycle.finding.triaged": "{e.owner} has a finding until {e.due}",
    "lifecycle.finding.reclassified": "a finding is {e.severity} now",
    "lifecycle.finding.moved": "a finding went from {e.from_state} to {e.to_state}",
    "lifecycle.finding.waived": "a finding is waived until {e.until}",
    "lifecycle.finding.waiver-expired": "the waiver of a finding is over",
    "slo.slo.defined": "SLO {e.slo} defined, revision {e.revision}, target {e.target}",
    "slo.slo.ended": "SLO {e.slo} ended",
    "slo.adjustment.agreed": "time adjusted: {e.reason}",
    "slo.adjustment.ended": "an adjustment ended",
    "slo.revision.proposed": "a revision of SLO {e.slo} is put to the three sides",
    "slo.revision.agreed": "all sides agreed to a revision of SLO {e.slo}",
    "slo.revision.declined": "{e.side} declined a revision of SLO {e.slo}",
    "slo.budget.assessed": "SLO {e.slo} is {e.state}",
    "slo.budget.exhausted": "error budget of SLO {e.slo} exhausted",
    "slo.budget.recovered": "error budget of SLO {e.slo} recovered",
    "slo.alert.fired": "SLO {e.slo} burns its budget too fast ({e.severity})",
    "slo.alert.resolved": "SLO {e.slo} no longer burns its budget too fast",
    "slo.alert.corrected": "by later measurements an alert of SLO {e.slo} {e.correction}",
    "slo.source.failed": "source {e.source} does not answer",
    "slo.source.worked": "source {e.source} answers again",
    "slo.source.retired": "source {e.source} retired",
    "slo.policy.written": "error-budget policy written, version {e.version}",
    "slo.policy.signed": "error-budget policy version {e.version} signed for {e.side}",
    "slo.policy.state-changed": "error budget is {e.to_state}, was {e.from_state}",
    "slo.policy.frozen": "releases frozen",
    "slo.policy.unfrozen": "releases go on",
    "slo.policy.exempted": "exemption granted: {e.kind}",
    "slo.policy.exemption-revoked": "exemption revoked",
    "slo.policy.broken-glass": "glass broken for {e.passage}",
    "slo.policy.glass-used": "deployment {e.deployment} went through the freeze",
    "slo.policy.follow-up-due": "due after a broken glass: {e.follow_up}",
    "slo.policy.revisit-due": "the error-budget policy is to be revisited",
    "slo.policy.budget-to-spare": "error budget to spare",
    "slo.policy.spare-budget-gone": "no error budget to spare any more",
    "slo.policy.postmortem-required": "a postmortem is due: one incident spent too much of SLO {e.slo}",
    "slo.policy.quarterly-item-required": "a P0 is due in the plan of {e.plan}: outages of {e.outage_class}",
    "slo.policy.disagreement-raised": "{e.side} disagrees: {e.executive} decides",
    "slo.policy.disagreement-settled": "disagreement decided: {e.outcome}",
    "slo.policy.obligation-fulfilled": "what was due is done: {e.evidence}",
    "incidents.alert.triggered": "alert triggered: {e.summary}",
    "incidents.alert.urgency-raised": "alert pages now",
    "incidents.alert.acknowledged": "alert acknowledged",
    "incidents.alert.resolved": "alert resolved",
    "incidents.incident.declared": "{e.number} declared ({e.severity}): {e.title}",
    "incidents.incident.acknowledged": "{e.number} acknowledged",
    "incidents.incident.stage-changed": "{e.number} is {e.stage}",
    "incidents.incident.mitigated": "{e.number} mitigated",
    "incidents.incident.resolved": "{e.number} resolved",
    "incidents.incident.reopened": "{e.number} reopened",
    "incidents.incident.closed": "{e.number} closed",
    "incidents.incident.cancelled": "{e.number} cancelled",
    "incidents.incident.milestone-corrected": "{e.number}: {e.milestone} was at {e.time}",
    "incidents.incident.classified": "{e.number} is an outage of the class {e.outage_class}",
    "incidents.postmortem.drafted": "postmortem of {e.number} drafted",
    "incidents.postmortem.published": "postmortem of {e.number} published",
    "incidents.action.opened": "action opened for {e.owner}, due {e.due}: {e.title}",
    "incidents.action.completed": "action completed",
    "incidents.action.dropped": "action dropped",
}
_OWN: Final[Mapping[str, str]] = {
    "gateway.api-key.created": "API key {e.key} created for {e.owner}",
    "gateway.api-key.revoked": "API key {e.key} revoked",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Any event, as far as a sentence needs it; what an event does not have stays empty.

    The same field may mean another type in another event, so only those that become columns have one.
    """

    service: str = ""
    reason: str = ""
    team: object = ""
    owner_team: object = ""
    tier: object = ""
    kind: object = ""
    phase: object = ""
    from_phase: object = ""
    to_phase: object = ""
    passed: object = False
    slo: object = ""
    source: object = ""
    revision: object = ""
    target: object = ""
    state: object = ""
    severity: object = ""
    number: object = ""
    title: object = ""
    stage: object = ""
    milestone: object = ""
    time: object = ""
    summary: object = ""
    owner: object = ""
    due: object = ""
    version: object = ""
    from_state: object = ""
    to_state: object = ""
    side: object = ""
    deployment: object = ""
    incident: object = ""
    plan: object = ""
    follow_up: object = ""
    outage_class: object = ""
    executive: object = ""
    outcome: object = ""
    evidence: object = ""
    into: object = ""
    on: object = ""
    criticality: object = ""
    result: object = ""
    environment: object = ""
    strategy: object = ""
    rollout: object = ""
    ref: object = ""
    percent: object = ""
    absorbed: object = ""
    model: object = ""
    to_stage: object = ""
    item: object = ""
    expires_at: object = ""
    condition: object = ""
    guidance: object = ""
    step: object = ""
    until: object = ""
    to: object = ""
    bad_minutes: object = ""

    would_fire: object = False

    @property
    def correction(self) -> str:
        """What later measurements say of an alert."""
        return "would still fire" if self.would_fire else "would not have fired"

    @property
    def passage(self) -> str:
        """Which deployment may pass a freeze."""
        return f"deployment {self.deployment}" if self.deployment else "the first deployment that says so"

    @property
    def profile(self) -> str:
        """Who owns a service, and how critical it is."""
        return f"owned by {self.owner_team or 'nobody'}, tier {self.tier or 'not set'}"

    @property
    def verdict(self) -> str:
        """How an evaluation ended."""
        return "passed" if self.passed else "not passed"


@dataclass(frozen=True, slots=True)
class OwnFact:
    """An event of the gateway's own, without the hash that stays in its log."""

    key: str
    by: str = ""
    owner: str = ""
    owner_kind: str = ""
    scopes: tuple[str, ...] = ()
    reason: str = ""


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("place", Text, primary_key=True),  # when it was recorded, and its id: unique, and in order of time
        Column("type", Text, nullable=False),
        Column("service", Text, nullable=False),  # empty: about none
        Column("stream", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("at", Instant(), nullable=False),
        Column("actor", Text, nullable=False),
        Column("auth_method", Text, nullable=False),
        Column("client", Text, nullable=False),
        Column("request_id", Text, nullable=False),
        Column("correlation_id", Text, nullable=False),
        Column("causation_id", Text, nullable=False),
        Column("summary", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("data", Text, nullable=False),  # JSON, as it was published
    )


def _keys(_: Fact | OwnFact, recorded: Recorded) -> Sequence[Key]:
    return ((f"{sortable(recorded.recorded_at)}/{recorded.event_id}",),)


def sortable(at: datetime) -> str:
    """*at* as text that sorts by time: RFC 3339 in UTC, always as wide."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def placed(place: str) -> tuple[str, str]:
    """When the event at *place* was recorded, and its id."""
    recorded_at, _, event_id = place.partition("/")
    return recorded_at, event_id


def _row(recorded: Recorded, key: Key, *, summary: str, **told: str) -> Row:
    meta = recorded.meta
    return {
        "place": key[0],
        "type": recorded.type,
        "stream": recorded.stream,
        "version": recorded.version,
        "position": recorded.position,
        "at": recorded.occurred_at,
        "actor": meta.actor,
        "auth_method": meta.auth_method,
        "client": meta.client,
        "request_id": meta.request_id,
        "correlation_id": meta.correlation_id,
        "causation_id": meta.causation_id,
        "summary": summary,
        **told,
    }


def _published(_: Row | None, event: Fact, recorded: Recorded, key: Key) -> Row:
    sentence = SENTENCES[_family(recorded.type)].format(e=event)
    return _row(
        recorded, key, summary=sentence, service=event.service, reason=event.reason, data=recorded.data.decode()
    )


def _own(_: Row | None, event: OwnFact, recorded: Recorded, key: Key) -> Row:
    sentence = _OWN[_family(recorded.type)].format(e=event)
    data = msgspec.json.encode(event).decode()
    return _row(recorded, key, summary=sentence, service="", reason=event.reason, data=data)


def _family(wire_name: str) -> str:
    return wire_name.removeprefix(_PREFIX).rpartition(".v")[0]


JOURNAL: Final = Projection(
    name="journal",
    columns=_columns,
    events=EventRegistry(
        published={f"{_PREFIX}{family}.v1": Fact for family in SENTENCES},
        internal={f"{_PREFIX}{family}.v1": OwnFact for family in _OWN},
    ),
    folds={Fact: Fold(_keys, _published), OwnFact: Fold(_keys, _own)},
    sources=("lifecycle", "slo", "incidents", "gateway"),
    indexes=(("service", "place"), ("type", "place"), ("actor", "place")),
)


def published() -> ColumnElement[bool]:
    """Only what left its service: the contract."""
    return JOURNAL.view.c.type.not_like(f"{OWN_PREFIX}%")
