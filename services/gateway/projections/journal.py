"""A row per event: what happened, to which service, by whom, in one sentence."""

from collections.abc import Callable, Mapping, Sequence
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
    "lifecycle.team.registered": "team {team} registered ({kind})",
    "lifecycle.team.changed": "team {team} changed",
    "lifecycle.team.sharded": "team {team} was cut: {reason}",
    "lifecycle.team.merged": "team {team} became a part of {into}: {reason}",
    "lifecycle.team.absorbed": "team {team} took in {absorbed}",
    "lifecycle.team.dissolved": "team {team} was dissolved: {reason}",
    "lifecycle.team.duty-overdue": "{duty!r} of team {team} should have been passed on by {due}",
    "lifecycle.team.structure-review-overdue": "people should have looked at the structure of team {team} by {due}",
    "lifecycle.team.structure-reviewed": "structure of team {team} reviewed: {outcome}",
    "lifecycle.digest.compiled": "digest of team {team} for {week}: {total} waiting, {overdue} overdue",
    "lifecycle.service.registered": "registered in {phase}, {profile}",
    "lifecycle.service.changed": "now {profile}",
    "lifecycle.dependency.declared": "relies on {on} ({criticality})",
    "lifecycle.dependency.removed": "relies on {on} no more",
    "lifecycle.dependencies.confirmed": "list of dependencies confirmed",
    "lifecycle.deployment.recorded": "{deployed} deployed ({result})",
    "lifecycle.deployment.staged": "{deployed} deployed to {environment} ({result})",
    "lifecycle.deployment.rolled-back": "deployment {deployment} rolled back",
    "lifecycle.deployment.failed": "deployment {deployment} made the service worse",
    "lifecycle.deployment.refused": "change {deployment} ({summary}) is no deployment: {reason}",
    "lifecycle.deployment.recovered": "the service recovered from deployment {deployment}",
    "lifecycle.rollout.planned": "roll-out of {version} planned ({strategy})",
    "lifecycle.rollout.reviewed": "roll-out {rollout} reviewed",
    "lifecycle.rollout.started": "roll-out {rollout} started",
    "lifecycle.rollout.advanced": "roll-out {rollout} serves {percent} % of the users",
    "lifecycle.rollout.done": "roll-out {rollout} done",
    "lifecycle.rollout.rolled-back": "roll-out {rollout} rolled back: {reason}",
    "lifecycle.rollout.cancelled": "roll-out {rollout} cancelled: {reason}",
    "lifecycle.operational-work.recorded": "work of team {team} recorded ({kind})",
    "lifecycle.operational-work.withdrawn": "recorded work of team {team} withdrawn: {reason}",
    "lifecycle.catalog-entity.imported": "{ref} imported",
    "lifecycle.service.decommissioned": "decommissioned: nothing of it is left",
    "lifecycle.service.engaged": "an SRE team works for the service",
    "lifecycle.service.released": "an SRE team works for the service no more",
    "lifecycle.gate-policy.published": "gate policy {version} published",
    "lifecycle.waiver.requested": "waiver requested",
    "lifecycle.waiver.approved": "waiver approved",
    "lifecycle.waiver.renewed": "waiver renewed",
    "lifecycle.waiver.revoked": "waiver revoked",
    "lifecycle.waiver.expired": "waiver expired",
    "lifecycle.phase-at-risk.opened": "at risk in {phase}",
    "lifecycle.phase-at-risk.changed": "still at risk in {phase}",
    "lifecycle.phase-at-risk.closed": "at risk in {phase} no more",
    "lifecycle.engagement.requested": "engagement requested",
    "lifecycle.engagement.accepted": "engagement accepted",
    "lifecycle.engagement.declined": "engagement declined: {reason}",
    "lifecycle.engagement.activated": "engagement begun",
    "lifecycle.engagement.model-changed": "engagement changed its model",
    "lifecycle.engagement.service-joined": "joined an engagement",
    "lifecycle.engagement.service-left": "left an engagement",
    "lifecycle.engagement.team-changed": "{to_team} took the place of {from_team} in an engagement",
    "lifecycle.engagement.priorities-proposed": "priorities proposed",
    "lifecycle.engagement.goals-proposed": "shared goals proposed",
    "lifecycle.engagement.definitions-proposed": "shared definitions proposed",
    "lifecycle.engagement.ground-rules-proposed": "ground rules proposed",
    "lifecycle.engagement.working-agreements-proposed": "working agreements proposed",
    "lifecycle.engagement.acknowledged": "the {side} side acknowledged an edition",
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
    "lifecycle.engagement.disengaged": "engagement ended: {reason}",
    "lifecycle.engagement.watch-ended": "the watch after the hand-back ended",
    "lifecycle.gathering.drafted": "a meeting's pack was drafted",
    "lifecycle.gathering.statement-made": "a statement was made for a meeting",
    "lifecycle.gathering.notes-taken": "notes of a meeting were taken",
    "lifecycle.gathering.concluded": "a meeting came to its decision",
    "lifecycle.engagement-item.opened": "an item of an engagement was opened",
    "lifecycle.engagement-item.changed": "an item of an engagement was changed",
    "lifecycle.engagement-item.moved": "an item of an engagement was moved",
    "lifecycle.engagement-item.acknowledged": "the {side} side agreed to an item of an engagement",
    "lifecycle.engagement-item.reported": "a tracker reported on an item of an engagement",
    "lifecycle.engagement-item.overdue": "an item of an engagement is overdue",
    "lifecycle.service.phase-changed": "moved from {from_phase} to {to_phase}",
    "lifecycle.transition.requested": "asked to move from {from_phase} to {to_phase}",
    "lifecycle.transition.approved": "transition approved",
    "lifecycle.transition.declined": "transition declined",
    "lifecycle.gate.evaluated": "gate to {phase} {verdict}",
    "lifecycle.evidence.recorded": "evidence recorded: {kind}",
    "lifecycle.review.requested": "readiness review {number} asked for ({model})",
    "lifecycle.review.reviewers-changed": "readiness review: others review",
    "lifecycle.review.advanced": "readiness review went on to {to_stage}",
    "lifecycle.review.item-answered": "readiness review: {item} answered",
    "lifecycle.review.approved": "readiness review approved until {expires_at}",
    "lifecycle.review.condition-met": "readiness review: condition {condition} is met",
    "lifecycle.review.condition-overdue": "readiness review: condition {condition} of {owner} is overdue",
    "lifecycle.review.declined": "readiness review declined: {guidance}",
    "lifecycle.review.withdrawn": "readiness review withdrawn",
    "lifecycle.review.followed-up": "after the readiness review: {step}",
    "lifecycle.review.expired": "the approval of the readiness review is over",
    "lifecycle.review.superseded": "a later readiness review took the place of an approved one",
    "lifecycle.design-review.opened": "a design is being written",
    "lifecycle.design-review.revised": "a design was written anew",
    "lifecycle.design-review.submitted": "a design waits for somebody from outside",
    "lifecycle.design-review.approved": "a design was approved",
    "lifecycle.design-review.changes-requested": "a design has to change: {changes}",
    "lifecycle.design-review.withdrawn": "a design was withdrawn",
    "lifecycle.architecture-review.prepared": "architecture review prepared: {title}",
    "lifecycle.architecture-review.held": "both sides looked at the architecture",
    "lifecycle.architecture-review.signed": "architecture review signed for {side}",
    "lifecycle.architecture-review.concluded": "both sides signed the architecture review",
    "lifecycle.architecture-review.withdrawn": "architecture review withdrawn",
    "lifecycle.launch.planned": "a launch is planned",
    "lifecycle.launch.changed": "a launch is planned otherwise",
    "lifecycle.launch.checkpoint-recorded": "launch: {checkpoint} {outcome}",
    "lifecycle.launch.ready": "a launch is ready",
    "lifecycle.launch.launched": "launched",
    "lifecycle.launch.cancelled": "a launch was cancelled",
    "lifecycle.risk.proposed": "risk: {title}",
    "lifecycle.risk.assessed": "a risk costs {bad_minutes} bad minutes a year",
    "lifecycle.risk.accepted": "a risk is accepted until {until}",
    "lifecycle.risk.acceptance-ended": "a risk is accepted no longer",
    "lifecycle.risk.mitigation-begun": "{owner} makes a risk smaller until {due}: {plan}",
    "lifecycle.risk.eliminated": "a risk is eliminated",
    "lifecycle.risk.transferred": "a risk is borne by others now: {to}",
    "lifecycle.risk.realised": "a risk has happened: {incident}",
    "lifecycle.checkpoint.planned": "{exercise} planned: {title}",
    "lifecycle.checkpoint.changed": "{exercise} planned otherwise: {reason}",
    "lifecycle.checkpoint.started": "{exercise} begun",
    "lifecycle.checkpoint.concluded": "{exercise} {conclusion}",
    "lifecycle.checkpoint.aborted": "{exercise} stopped: {reason}",
    "lifecycle.checkpoint.cancelled": "{exercise} cancelled: {reason}",
    "lifecycle.risk.measured": "how long {incident}, which was a risk, took is known",
    "lifecycle.capacity.plan-changed": "capacity is planned otherwise",
    "lifecycle.capacity.shortfall-forecast": "units will be short in {domain} from {shortfall_on}; order by {order_by}",
    "lifecycle.capacity.shortfall-cleared": "capacity is enough again",
    "lifecycle.finding.opened": "{severity} finding: {title}",
    "lifecycle.finding.triaged": "{owner} has a finding until {due}",
    "lifecycle.finding.reclassified": "a finding is {severity} now",
    "lifecycle.finding.moved": "a finding went from {from_state} to {to_state}",
    "lifecycle.finding.waived": "a finding is waived until {until}",
    "lifecycle.finding.waiver-expired": "the waiver of a finding is over",
    "slo.slo.defined": "SLO {slo} defined, revision {revision}, target {target}",
    "slo.slo.ended": "SLO {slo} ended",
    "slo.adjustment.agreed": "time adjusted: {reason}",
    "slo.adjustment.ended": "an adjustment ended",
    "slo.revision.proposed": "a revision of SLO {slo} is put to the three sides",
    "slo.revision.agreed": "all sides agreed to a revision of SLO {slo}",
    "slo.revision.declined": "{side} declined a revision of SLO {slo}",
    "slo.budget.assessed": "SLO {slo} is {state}",
    "slo.budget.exhausted": "error budget of SLO {slo} exhausted",
    "slo.budget.recovered": "error budget of SLO {slo} recovered",
    "slo.alert.fired": "SLO {slo} burns its budget too fast ({severity})",
    "slo.alert.resolved": "SLO {slo} no longer burns its budget too fast",
    "slo.alert.corrected": "by later measurements an alert of SLO {slo} {correction}",
    "slo.source.failed": "source {source} does not answer",
    "slo.source.worked": "source {source} answers again",
    "slo.source.retired": "source {source} retired",
    "slo.policy.written": "error-budget policy written, version {version}",
    "slo.policy.signed": "error-budget policy version {version} signed for {side}",
    "slo.policy.state-changed": "error budget is {to_state}, was {from_state}",
    "slo.policy.frozen": "releases frozen",
    "slo.policy.unfrozen": "releases go on",
    "slo.policy.exempted": "exemption granted: {kind}",
    "slo.policy.exemption-revoked": "exemption revoked",
    "slo.policy.broken-glass": "glass broken for {passage}",
    "slo.policy.glass-used": "deployment {deployment} went through the freeze",
    "slo.policy.follow-up-due": "due after a broken glass: {follow_up}",
    "slo.policy.revisit-due": "the error-budget policy is to be revisited",
    "slo.policy.budget-to-spare": "error budget to spare",
    "slo.policy.spare-budget-gone": "no error budget to spare any more",
    "slo.policy.postmortem-required": "a postmortem is due: one incident spent too much of SLO {slo}",
    "slo.policy.quarterly-item-required": "a P0 is due in the plan of {plan}: outages of {outage_class}",
    "slo.policy.disagreement-raised": "{side} disagrees: {executive} decides",
    "slo.policy.disagreement-settled": "disagreement decided: {outcome}",
    "slo.policy.obligation-fulfilled": "what was due is done: {evidence}",
    "incidents.alert.triggered": "alert triggered: {summary}",
    "incidents.alert.urgency-raised": "alert pages now",
    "incidents.alert.moved": "alert belongs to another incident",
    "incidents.alert.acknowledged": "alert acknowledged",
    "incidents.alert.resolved": "alert resolved",
    "incidents.change.reported": "changed: {summary}",
    "incidents.incident.declared": "{number} declared ({severity}): {title}",
    "incidents.incident.alerts-told": "{number}: {alerts} further alerts",
    "incidents.incident.alert-joined": "{number}: a further alert fires: {summary}",
    "incidents.incident.acknowledged": "{number} acknowledged",
    "incidents.incident.stage-changed": "{number} is {stage}",
    "incidents.incident.mitigated": "{number} mitigated",
    "incidents.incident.resolved": "{number} resolved",
    "incidents.incident.reopened": "{number} reopened",
    "incidents.incident.closed": "{number} closed",
    "incidents.incident.cancelled": "{number} cancelled",
    "incidents.incident.merged": "{number} is a part of {into_number}",
    "incidents.incident.absorbed": "{number} took {other_number} in",
    "incidents.incident.split": "a part of {number} is {into_number}",
    "incidents.incident.alert-cleared": "{number}: an alert is resolved",
    "incidents.incident.noted": "{number}: {text}",
    "incidents.incident.severity-changed": "{number} is {severity}, was {from_severity}",
    "incidents.incident.impact-changed": "{number} affects other services, or other ones",
    "incidents.incident.amended": "{number} is described otherwise: {title}",
    "incidents.incident.role-assumed": "{number}: {person} is {role}",
    "incidents.incident.role-offered": "{number}: {person} shall be {role}",
    "incidents.incident.role-offer-ended": "{number}: {person} shall not be {role}",
    "incidents.incident.role-released": "{number}: {person} is {role} no more",
    "incidents.incident.responder-added": "{number}: {person} helps",
    "incidents.incident.responder-released": "{number}: {person} helps no more",
    "incidents.incident.linked": "{number} has to do with {other_number}: {relation}",
    "incidents.incident.unlinked": "{number} has nothing to do with another incident",
    "incidents.incident.deployment-linked": "{number} has to do with deployment {deployment}",
    "incidents.incident.deployment-unlinked": "{number} has nothing to do with deployment {deployment}",
    "incidents.incident.cadence-set": "{number} has another cadence of updates",
    "incidents.incident.update-posted": "{number}, to {audience}: {text}",
    "incidents.incident.update-overdue": "{number}: an update is overdue since {due}",
    "incidents.incident.milestone-corrected": "{number}: {milestone} was at {time}",
    "incidents.incident.classified": "{number} is an outage of the class {outage_class}",
    "incidents.page.sent": "{number}: {person} paged",
    "incidents.schedule.changed": "other people take turns in {schedule}",
    "incidents.schedule.turned": "somebody else is on call by {schedule}",
    "incidents.shifts.moved": "shifts of {person} in {schedule} have moved",
    "incidents.on-call-limit.breached": "{schedule} breaks a limit of being on call, {limit}: {detail}",
    "incidents.on-call-limit.kept": "{schedule} keeps the limit {limit} again",
    "incidents.shift.handed-over": "{person} hands {schedule} over: {note}",
    "incidents.shift.acknowledged": "{by} has read the hand-over of {schedule}",
    "incidents.shift.closed": "a shift of {person} in {schedule} is over: {pages} pages",
    "incidents.page.rated": "a page of {person} rated: {rating}",
    "incidents.escalation.unassigned": "{number} reaches nobody: {why}",
    "incidents.escalation.exhausted": "{number}: everybody was called, and nobody answered",
    "incidents.postmortem.drafted": "postmortem of {number} drafted",
    "incidents.postmortem.submitted": "postmortem of {number} is to be reviewed",
    "incidents.postmortem.side-approved": "postmortem of {number} approved for {side}",
    "incidents.postmortem.changes-requested": "postmortem of {number} is to be changed: {reason}",
    "incidents.postmortem.published": "postmortem of {number} published",
    "incidents.postmortem.reopened": "postmortem of {number} reopened",
    "incidents.postmortem.required": "a postmortem of {number} is due on {draft_due}: {why}",
    "incidents.postmortem.reminded": "the {stage} of the postmortem of {number} is due on {due}",
    "incidents.postmortem.overdue": "the {stage} of the postmortem of {number} was due on {due}",
    "incidents.postmortem.excused": "no postmortem of {number} is needed",
    "incidents.action.opened": "action opened for {owner}, due {due}: {title}",
    "incidents.action.changed": "action of {owner}, due {due}: {title}",
    "incidents.action.reminded": "action of {owner} is due on {due}: {title}",
    "incidents.action.overdue": "action of {owner} was due on {due}: {title}",
    "incidents.action.completed": "action completed",
    "incidents.action.dropped": "action dropped",
}
_OWN: Final[Mapping[str, str]] = {
    "gateway.api-key.created": "API key {e.key} created for {e.owner}",
    "gateway.api-key.revoked": "API key {e.key} revoked",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Any event, as far as it is searched by; the rest is only told."""

    service: str = ""
    reason: str = ""


class _Told(dict[str, Any]):
    """The fields of an event, and words made of them; what it does not have stays empty."""

    def __init__(self, data: bytes) -> None:
        super().__init__(msgspec.json.decode(data))

    def __missing__(self, name: str) -> str:
        words = WORDS.get(name)
        return words(self) if words else ""


WORDS: Final[Mapping[str, Callable[[_Told], str]]] = {
    "correction": lambda e: "would still fire" if e["would_fire"] else "would not have fired",
    "deployed": lambda e: e["version"] or e["summary"] or e["deployment"],
    "exercise": lambda e: e["kind"].replace("_", " "),
    "passage": lambda e: f"deployment {e['deployment']}" if e["deployment"] else "the first deployment that says so",
    "profile": lambda e: f"owned by {e['owner_team'] or 'nobody'}, tier {e['tier'] or 'not set'}",
    "verdict": lambda e: "passed" if e["passed"] else "not passed",
}


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
    sentence = SENTENCES[_family(recorded.type)].format_map(_Told(recorded.data))
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
