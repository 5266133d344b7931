"""The wire names of everything that lifecycle says, and its aggregates as deciders."""

from libs.events.decider import Decider
from libs.events.registry import EventRegistry
from services.lifecycle.domain.architecture import commands as architecture_commands
from services.lifecycle.domain.architecture import decider as architecture
from services.lifecycle.domain.architecture_review import commands as looking_commands
from services.lifecycle.domain.architecture_review import decider as looking
from services.lifecycle.domain.architecture_review import events as looking_events
from services.lifecycle.domain.capacity import commands as capacity_commands
from services.lifecycle.domain.capacity import decider as capacity
from services.lifecycle.domain.capacity import events as capacity_events
from services.lifecycle.domain.capacity import state as capacity_state
from services.lifecycle.domain.catalog_entity import commands as entity_commands
from services.lifecycle.domain.catalog_entity import decider as entity
from services.lifecycle.domain.catalog_entity.events import EntityImported
from services.lifecycle.domain.checkpoint import commands as checkpoint_commands
from services.lifecycle.domain.checkpoint import decider as checkpoint
from services.lifecycle.domain.checkpoint import events as checkpoint_events
from services.lifecycle.domain.ci_report import commands as ci_commands
from services.lifecycle.domain.ci_report import decider as ci_report
from services.lifecycle.domain.ci_report.events import CiReported
from services.lifecycle.domain.dependencies import commands as dependency_commands
from services.lifecycle.domain.dependencies import decider as dependencies
from services.lifecycle.domain.dependencies import events as dependency_events
from services.lifecycle.domain.deployment import commands as deployment_commands
from services.lifecycle.domain.deployment import decider as deployment
from services.lifecycle.domain.deployment import events as deployment_events
from services.lifecycle.domain.design_review import commands as design_commands
from services.lifecycle.domain.design_review import decider as design
from services.lifecycle.domain.design_review import events as design_events
from services.lifecycle.domain.digest import commands as digest_commands
from services.lifecycle.domain.digest import decider as digest
from services.lifecycle.domain.digest.events import DigestCompiled
from services.lifecycle.domain.engagement import commands as engagement_commands
from services.lifecycle.domain.engagement import decider as engagement
from services.lifecycle.domain.engagement import events as engagement_events
from services.lifecycle.domain.engagement import evolving as engagement_evolving
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item import commands as item_commands
from services.lifecycle.domain.engagement_item import decider as item
from services.lifecycle.domain.engagement_item import events as item_events
from services.lifecycle.domain.evaluation import commands as evaluation_commands
from services.lifecycle.domain.evaluation import decider as evaluation
from services.lifecycle.domain.evaluation.events import GateEvaluated
from services.lifecycle.domain.evidence import commands as evidence_commands
from services.lifecycle.domain.evidence import decider as evidence
from services.lifecycle.domain.evidence.events import EvidenceRecorded
from services.lifecycle.domain.gate_policy import commands as policy_commands
from services.lifecycle.domain.gate_policy import decider as gate_policy
from services.lifecycle.domain.gate_policy.events import GatePolicyPublished
from services.lifecycle.domain.gathering import commands as gathering_commands
from services.lifecycle.domain.gathering import decider as gathering
from services.lifecycle.domain.gathering import events as gathering_events
from services.lifecycle.domain.launch import commands as launch_commands
from services.lifecycle.domain.launch import decider as launch
from services.lifecycle.domain.launch import events as launch_events
from services.lifecycle.domain.operational_work import commands as work_commands
from services.lifecycle.domain.operational_work import decider as work
from services.lifecycle.domain.operational_work import events as work_events
from services.lifecycle.domain.own_catalog import commands as own_catalog_commands
from services.lifecycle.domain.own_catalog import decider as own_catalog
from services.lifecycle.domain.own_catalog.events import CatalogPublished
from services.lifecycle.domain.phase_risk import commands as phase_risk_commands
from services.lifecycle.domain.phase_risk import decider as phase_risk
from services.lifecycle.domain.phase_risk import events as phase_risk_events
from services.lifecycle.domain.readiness_review import commands as review_commands
from services.lifecycle.domain.readiness_review import decider as review
from services.lifecycle.domain.readiness_review import events as review_events
from services.lifecycle.domain.readiness_review import state as review_state
from services.lifecycle.domain.review_template import commands as template_commands
from services.lifecycle.domain.review_template import decider as template
from services.lifecycle.domain.review_template.events import TemplatePublished
from services.lifecycle.domain.risk_register import commands as risk_commands
from services.lifecycle.domain.risk_register import decider as risk
from services.lifecycle.domain.risk_register import events as risk_events
from services.lifecycle.domain.risk_register import state as risk_state
from services.lifecycle.domain.rollout import commands as rollout_commands
from services.lifecycle.domain.rollout import decider as rollout
from services.lifecycle.domain.rollout import events as rollout_events
from services.lifecycle.domain.service import commands as service_commands
from services.lifecycle.domain.service import decider as service
from services.lifecycle.domain.service import events as service_events
from services.lifecycle.domain.team import commands as team_commands
from services.lifecycle.domain.team import decider as team
from services.lifecycle.domain.team import events as team_events
from services.lifecycle.domain.waiver import commands as waiver_commands
from services.lifecycle.domain.waiver import decider as waiver
from services.lifecycle.domain.waiver import events as waiver_events

CONTRACT = EventRegistry(
    published={
        "io.concordat.lifecycle.team.registered.v1": team_events.TeamRegistered,
        "io.concordat.lifecycle.team.changed.v1": team_events.TeamChanged,
        "io.concordat.lifecycle.team.sharded.v1": team_events.TeamSharded,
        "io.concordat.lifecycle.team.merged.v1": team_events.TeamMerged,
        "io.concordat.lifecycle.team.absorbed.v1": team_events.TeamAbsorbed,
        "io.concordat.lifecycle.team.dissolved.v1": team_events.TeamDissolved,
        "io.concordat.lifecycle.team.structure-reviewed.v1": team_events.StructureReviewed,
        "io.concordat.lifecycle.team.duty-overdue.v1": team_events.DutyOverdue,
        "io.concordat.lifecycle.team.structure-review-overdue.v1": team_events.StructureReviewOverdue,
        "io.concordat.lifecycle.service.registered.v1": service_events.ServiceRegistered,
        "io.concordat.lifecycle.service.changed.v1": service_events.ServiceChanged,
        "io.concordat.lifecycle.dependency.declared.v1": dependency_events.DependencyDeclared,
        "io.concordat.lifecycle.dependency.removed.v1": dependency_events.DependencyRemoved,
        "io.concordat.lifecycle.dependencies.confirmed.v1": dependency_events.DependenciesConfirmed,
        "io.concordat.lifecycle.deployment.recorded.v1": deployment_events.DeploymentRecorded,
        "io.concordat.lifecycle.deployment.staged.v1": deployment_events.DeploymentStaged,
        "io.concordat.lifecycle.deployment.rolled-back.v1": deployment_events.DeploymentRolledBack,
        "io.concordat.lifecycle.deployment.failed.v1": deployment_events.DeploymentFailed,
        "io.concordat.lifecycle.deployment.recovered.v1": deployment_events.DeploymentRecovered,
        "io.concordat.lifecycle.deployment.refused.v1": deployment_events.DeploymentRefused,
        "io.concordat.lifecycle.rollout.planned.v1": rollout_events.RolloutPlanned,
        "io.concordat.lifecycle.rollout.reviewed.v1": rollout_events.RolloutReviewed,
        "io.concordat.lifecycle.rollout.started.v1": rollout_events.RolloutStarted,
        "io.concordat.lifecycle.rollout.advanced.v1": rollout_events.RolloutAdvanced,
        "io.concordat.lifecycle.rollout.done.v1": rollout_events.RolloutDone,
        "io.concordat.lifecycle.rollout.rolled-back.v1": rollout_events.RolloutRolledBack,
        "io.concordat.lifecycle.rollout.cancelled.v1": rollout_events.RolloutCancelled,
        "io.concordat.lifecycle.operational-work.recorded.v1": work_events.WorkRecorded,
        "io.concordat.lifecycle.operational-work.withdrawn.v1": work_events.WorkWithdrawn,
        "io.concordat.lifecycle.catalog-entity.imported.v1": EntityImported,
        "io.concordat.lifecycle.service.phase-changed.v1": service_events.PhaseChanged,
        "io.concordat.lifecycle.service.engaged.v1": service_events.ServiceEngaged,
        "io.concordat.lifecycle.service.released.v1": service_events.ServiceReleased,
        "io.concordat.lifecycle.service.decommissioned.v1": service_events.ServiceDecommissioned,
        "io.concordat.lifecycle.transition.requested.v1": service_events.TransitionRequested,
        "io.concordat.lifecycle.transition.approved.v1": service_events.TransitionApproved,
        "io.concordat.lifecycle.transition.declined.v1": service_events.TransitionDeclined,
        "io.concordat.lifecycle.gate.evaluated.v1": GateEvaluated,
        "io.concordat.lifecycle.evidence.recorded.v1": EvidenceRecorded,
        "io.concordat.lifecycle.gate-policy.published.v1": GatePolicyPublished,
        "io.concordat.lifecycle.waiver.requested.v1": waiver_events.WaiverRequested,
        "io.concordat.lifecycle.waiver.approved.v1": waiver_events.WaiverApproved,
        "io.concordat.lifecycle.waiver.renewed.v1": waiver_events.WaiverRenewed,
        "io.concordat.lifecycle.waiver.revoked.v1": waiver_events.WaiverRevoked,
        "io.concordat.lifecycle.waiver.expired.v1": waiver_events.WaiverExpired,
        "io.concordat.lifecycle.phase-at-risk.opened.v1": phase_risk_events.PhaseAtRisk,
        "io.concordat.lifecycle.phase-at-risk.changed.v1": phase_risk_events.PhaseRiskChanged,
        "io.concordat.lifecycle.phase-at-risk.closed.v1": phase_risk_events.PhaseRiskClosed,
        "io.concordat.lifecycle.engagement.requested.v1": engagement_events.EngagementRequested,
        "io.concordat.lifecycle.engagement.accepted.v1": engagement_events.EngagementAccepted,
        "io.concordat.lifecycle.engagement.declined.v1": engagement_events.EngagementDeclined,
        "io.concordat.lifecycle.engagement.activated.v1": engagement_events.EngagementActivated,
        "io.concordat.lifecycle.engagement.model-changed.v1": engagement_events.ModelChanged,
        "io.concordat.lifecycle.engagement.service-joined.v1": engagement_events.ServiceJoined,
        "io.concordat.lifecycle.engagement.service-left.v1": engagement_events.ServiceLeft,
        "io.concordat.lifecycle.engagement.team-changed.v1": engagement_events.EngagementTeamChanged,
        "io.concordat.lifecycle.engagement.priorities-proposed.v1": engagement_events.PrioritiesProposed,
        "io.concordat.lifecycle.engagement.goals-proposed.v1": engagement_events.GoalsProposed,
        "io.concordat.lifecycle.engagement.definitions-proposed.v1": engagement_events.DefinitionsProposed,
        "io.concordat.lifecycle.engagement.ground-rules-proposed.v1": engagement_events.GroundRulesProposed,
        "io.concordat.lifecycle.engagement.working-agreements-proposed.v1": engagement_events.WorkingAgreementsProposed,
        "io.concordat.lifecycle.engagement.acknowledged.v1": engagement_events.EditionAcknowledged,
        "io.concordat.lifecycle.engagement.series-set.v1": engagement_events.SeriesSet,
        "io.concordat.lifecycle.engagement.series-ended.v1": engagement_events.SeriesEnded,
        "io.concordat.lifecycle.engagement.gathering-held.v1": engagement_events.GatheringHeld,
        "io.concordat.lifecycle.engagement.gathering-overdue.v1": engagement_events.GatheringOverdue,
        "io.concordat.lifecycle.engagement.ground-rule-breached.v1": engagement_events.GroundRuleBreached,
        "io.concordat.lifecycle.engagement.breach-answered.v1": engagement_events.BreachAnswered,
        "io.concordat.lifecycle.engagement.breach-closed.v1": engagement_events.BreachClosed,
        "io.concordat.lifecycle.engagement.handback-started.v1": engagement_events.HandbackStarted,
        "io.concordat.lifecycle.engagement.handback-item-settled.v1": engagement_events.HandbackItemSettled,
        "io.concordat.lifecycle.engagement.handback-given-up.v1": engagement_events.HandbackGivenUp,
        "io.concordat.lifecycle.engagement.handed-back.v1": engagement_events.HandedBack,
        "io.concordat.lifecycle.engagement.disengaged.v1": engagement_events.EngagementEnded,
        "io.concordat.lifecycle.engagement.watch-ended.v1": engagement_events.WatchEnded,
        "io.concordat.lifecycle.gathering.drafted.v1": gathering_events.GatheringDrafted,
        "io.concordat.lifecycle.gathering.statement-made.v1": gathering_events.StatementMade,
        "io.concordat.lifecycle.gathering.notes-taken.v1": gathering_events.NotesTaken,
        "io.concordat.lifecycle.gathering.concluded.v1": gathering_events.GatheringConcluded,
        "io.concordat.lifecycle.engagement-item.opened.v1": item_events.ItemOpened,
        "io.concordat.lifecycle.engagement-item.changed.v1": item_events.ItemChanged,
        "io.concordat.lifecycle.engagement-item.moved.v1": item_events.ItemMoved,
        "io.concordat.lifecycle.engagement-item.acknowledged.v1": item_events.ItemAcknowledged,
        "io.concordat.lifecycle.engagement-item.reported.v1": item_events.ItemReported,
        "io.concordat.lifecycle.engagement-item.overdue.v1": item_events.ItemOverdue,
        "io.concordat.lifecycle.review.requested.v1": review_events.ReviewRequested,
        "io.concordat.lifecycle.review.reviewers-changed.v1": review_events.ReviewersChanged,
        "io.concordat.lifecycle.review.advanced.v1": review_events.ReviewAdvanced,
        "io.concordat.lifecycle.review.item-answered.v1": review_events.ItemAnswered,
        "io.concordat.lifecycle.review.approved.v1": review_events.ReviewApproved,
        "io.concordat.lifecycle.review.condition-met.v1": review_events.ConditionMet,
        "io.concordat.lifecycle.review.condition-overdue.v1": review_events.ConditionOverdue,
        "io.concordat.lifecycle.review.declined.v1": review_events.ReviewDeclined,
        "io.concordat.lifecycle.review.withdrawn.v1": review_events.ReviewWithdrawn,
        "io.concordat.lifecycle.review.followed-up.v1": review_events.FollowUpBegun,
        "io.concordat.lifecycle.review.expired.v1": review_events.ReviewExpired,
        "io.concordat.lifecycle.review.superseded.v1": review_events.ReviewSuperseded,
        "io.concordat.lifecycle.digest.compiled.v1": DigestCompiled,
        "io.concordat.lifecycle.risk.proposed.v1": risk_events.RiskProposed,
        "io.concordat.lifecycle.risk.assessed.v1": risk_events.RiskAssessed,
        "io.concordat.lifecycle.risk.accepted.v1": risk_events.RiskAccepted,
        "io.concordat.lifecycle.risk.acceptance-ended.v1": risk_events.AcceptanceEnded,
        "io.concordat.lifecycle.risk.mitigation-begun.v1": risk_events.MitigationBegun,
        "io.concordat.lifecycle.risk.eliminated.v1": risk_events.RiskEliminated,
        "io.concordat.lifecycle.risk.transferred.v1": risk_events.RiskTransferred,
        "io.concordat.lifecycle.risk.realised.v1": risk_events.RiskRealised,
        "io.concordat.lifecycle.risk.measured.v1": risk_events.RiskMeasured,
        "io.concordat.lifecycle.design-review.opened.v1": design_events.DesignReviewOpened,
        "io.concordat.lifecycle.design-review.revised.v1": design_events.DesignRevised,
        "io.concordat.lifecycle.design-review.submitted.v1": design_events.DesignSubmitted,
        "io.concordat.lifecycle.design-review.approved.v1": design_events.DesignApproved,
        "io.concordat.lifecycle.design-review.changes-requested.v1": design_events.DesignChangesRequested,
        "io.concordat.lifecycle.design-review.withdrawn.v1": design_events.DesignReviewWithdrawn,
        "io.concordat.lifecycle.architecture-review.prepared.v1": looking_events.ArchitectureReviewPrepared,
        "io.concordat.lifecycle.architecture-review.held.v1": looking_events.ArchitectureReviewHeld,
        "io.concordat.lifecycle.architecture-review.signed.v1": looking_events.ArchitectureReviewSigned,
        "io.concordat.lifecycle.architecture-review.concluded.v1": looking_events.ArchitectureReviewConcluded,
        "io.concordat.lifecycle.architecture-review.withdrawn.v1": looking_events.ArchitectureReviewWithdrawn,
        "io.concordat.lifecycle.launch.planned.v1": launch_events.LaunchPlanned,
        "io.concordat.lifecycle.launch.changed.v1": launch_events.LaunchChanged,
        "io.concordat.lifecycle.launch.checkpoint-recorded.v1": launch_events.CheckpointRecorded,
        "io.concordat.lifecycle.launch.ready.v1": launch_events.LaunchReady,
        "io.concordat.lifecycle.launch.launched.v1": launch_events.LaunchDone,
        "io.concordat.lifecycle.launch.cancelled.v1": launch_events.LaunchCancelled,
        "io.concordat.lifecycle.checkpoint.planned.v1": checkpoint_events.CheckpointPlanned,
        "io.concordat.lifecycle.checkpoint.changed.v1": checkpoint_events.CheckpointChanged,
        "io.concordat.lifecycle.checkpoint.started.v1": checkpoint_events.CheckpointStarted,
        "io.concordat.lifecycle.checkpoint.concluded.v1": checkpoint_events.CheckpointConcluded,
        "io.concordat.lifecycle.checkpoint.aborted.v1": checkpoint_events.CheckpointAborted,
        "io.concordat.lifecycle.checkpoint.cancelled.v1": checkpoint_events.CheckpointCancelled,
        "io.concordat.lifecycle.capacity.plan-changed.v1": capacity_events.PlanChanged,
        "io.concordat.lifecycle.capacity.shortfall-forecast.v1": capacity_events.ShortfallForecast,
        "io.concordat.lifecycle.capacity.shortfall-cleared.v1": capacity_events.ShortfallCleared,
        "io.concordat.lifecycle.finding.opened.v1": review_events.FindingOpened,
        "io.concordat.lifecycle.finding.triaged.v1": review_events.FindingTriaged,
        "io.concordat.lifecycle.finding.reclassified.v1": review_events.FindingReclassified,
        "io.concordat.lifecycle.finding.moved.v1": review_events.FindingMoved,
        "io.concordat.lifecycle.finding.waived.v1": review_events.FindingWaived,
        "io.concordat.lifecycle.finding.waiver-expired.v1": review_events.FindingWaiverExpired,
    },
    internal={
        "io.concordat.lifecycle.ci.reported.v1": CiReported,
        "io.concordat.lifecycle.catalog.published.v1": CatalogPublished,
        "io.concordat.lifecycle.capacity.demand-imported.v1": capacity_events.DemandImported,
        "io.concordat.lifecycle.capacity.demand-source-set.v1": capacity_events.DemandSourceSet,
        "io.concordat.lifecycle.capacity.demand-source-removed.v1": capacity_events.DemandSourceRemoved,
        "io.concordat.lifecycle.capacity.demand-source-failed.v1": capacity_events.DemandSourceFailed,
        "io.concordat.lifecycle.capacity.demand-source-recovered.v1": capacity_events.DemandSourceRecovered,
        "io.concordat.lifecycle.capacity.demand-estimated.v1": capacity_events.DemandEstimated,
        "io.concordat.lifecycle.capacity.inorganic-set.v1": capacity_events.InorganicSet,
        "io.concordat.lifecycle.capacity.inorganic-removed.v1": capacity_events.InorganicRemoved,
        "io.concordat.lifecycle.capacity.supply-measured.v1": capacity_events.SupplyMeasured,
        "io.concordat.lifecycle.capacity.metric-bounded.v1": capacity_events.MetricBounded,
        "io.concordat.lifecycle.capacity.metric-dropped.v1": capacity_events.MetricDropped,
        "io.concordat.lifecycle.capacity.units-ordered.v1": capacity_events.UnitsOrdered,
        "io.concordat.lifecycle.capacity.units-arrived.v1": capacity_events.UnitsArrived,
        "io.concordat.lifecycle.capacity.order-withdrawn.v1": capacity_events.OrderWithdrawn,
        "io.concordat.lifecycle.capacity.strategy-proposed.v1": capacity_events.StrategyProposed,
        "io.concordat.lifecycle.capacity.strategy-agreed.v1": capacity_events.StrategyAgreed,
        "io.concordat.lifecycle.capacity.forecast-made.v1": capacity_events.ForecastMade,
        "io.concordat.lifecycle.capacity.forecast-refused.v1": capacity_events.ForecastRefused,
        "io.concordat.lifecycle.review.checklist-fixed.v1": review_events.ChecklistFixed,
        "io.concordat.lifecycle.review-template.published.v1": TemplatePublished,
    },
)

TEAM: Decider[team_commands.Command, team.Team, team_events.Event] = Decider("team", None, team.decide, team.evolve)
SERVICE: Decider[service_commands.Command, service.Service, service_events.Event] = Decider(
    "service", None, service.decide, service.evolve
)
DEPENDENCIES: Decider[dependency_commands.Command, dependencies.Dependencies, dependency_events.Event] = Decider(
    "dependencies", dependencies.NOTHING_LISTED, dependencies.decide, dependencies.evolve
)  # its key is the service's
DEPLOYMENT: Decider[deployment_commands.Command, deployment.Deployment, deployment_events.Event] = Decider(
    "deployment", None, deployment.decide, deployment.evolve
)
CI_REPORT: Decider[ci_commands.Command, ci_report.CiReport, CiReported] = Decider(
    "ci-report", None, ci_report.decide, ci_report.evolve
)
CHECKPOINT: Decider[checkpoint_commands.Command, checkpoint.Checkpoint, checkpoint_events.Event] = Decider(
    "checkpoint", None, checkpoint.decide, checkpoint.evolve
)
ENTITY: Decider[entity_commands.Command, entity.Entity, EntityImported] = Decider(
    "catalog-entity", None, entity.decide, entity.evolve
)
WORK: Decider[work_commands.Command, work.Work, work_events.Event] = Decider(
    "operational-work", None, work.decide, work.evolve
)
ROLLOUT: Decider[rollout_commands.Command, rollout.Rollout, rollout_events.Event] = Decider(
    "rollout", None, rollout.decide, rollout.evolve
)
EVIDENCE: Decider[evidence_commands.Command, evidence.Evidence, EvidenceRecorded] = Decider(
    "evidence", None, evidence.decide, evidence.evolve
)
EVALUATION: Decider[evaluation_commands.Command, evaluation.Evaluation, GateEvaluated] = Decider(
    "evaluation", None, evaluation.decide, evaluation.evolve
)
ENGAGEMENT: Decider[engagement_commands.Command, Engagement | None, engagement_events.Event] = Decider(
    "engagement", None, engagement.decide, engagement_evolving.evolve
)
READINESS_REVIEW: Decider[review_commands.Command, review_state.Review, review_events.Event] = Decider(
    "readiness-review", None, review.decide, review_state.evolve
)
REVIEW_TEMPLATE: Decider[template_commands.Command, template.ReviewTemplate, TemplatePublished] = Decider(
    "review-template", (), template.decide, template.evolve
)
ENGAGEMENT_ITEM: Decider[item_commands.Command, item.Item | None, item_events.Event] = Decider(
    "engagement-item", None, item.decide, item.evolve
)
WAIVER: Decider[waiver_commands.Command, waiver.Waiver, waiver_events.Event] = Decider(
    "waiver", None, waiver.decide, waiver.evolve
)
RISK_REGISTER: Decider[risk_commands.Command, risk_state.Register, risk_events.Event] = Decider(
    "risk-register", {}, risk.decide, risk_state.evolve
)  # its key is the service's
CAPACITY: Decider[capacity_commands.Command, capacity_state.Capacity, capacity_events.Event] = Decider(
    "capacity", capacity_state.NOTHING_KNOWN, capacity.decide, capacity_state.evolve
)  # its key is the service's
GATHERING: Decider[gathering_commands.Command, gathering.Gathering | None, gathering_events.Event] = Decider(
    "gathering", None, gathering.decide, gathering.evolve
)
PHASE_RISK: Decider[phase_risk_commands.Command, phase_risk.PhaseRisks, phase_risk_events.Event] = Decider(
    "phase-at-risk", (), phase_risk.decide, phase_risk.evolve
)  # its key is the service's
GATE_POLICY: Decider[policy_commands.Command, gate_policy.GatePolicies, GatePolicyPublished] = Decider(
    "gate-policy", (), gate_policy.decide, gate_policy.evolve
)
OWN_CATALOG: Decider[own_catalog_commands.Command, own_catalog.Published, CatalogPublished] = Decider(
    "catalog", (), own_catalog.decide, own_catalog.evolve
)
INSTALLATION = "installation"  # the key of the one line of gate policies, and of the one of catalogues
DESIGN_REVIEW: Decider[design_commands.Command, design.DesignReview, design_events.Event] = Decider(
    "design-review", None, design.decide, design.evolve
)
ARCHITECTURE_REVIEW: Decider[looking_commands.Command, looking.ArchitectureReview, looking_events.Event] = Decider(
    "architecture-review", None, looking.decide, looking.evolve
)
ARCHITECTURE: Decider[architecture_commands.Command, architecture.Findings, review_events.FindingEvent] = Decider(
    "architecture", {}, architecture.decide, architecture.evolve
)  # its key is the service's
LAUNCH: Decider[launch_commands.Command, launch.LaunchState, launch_events.Event] = Decider(
    "launch", None, launch.decide, launch.evolve
)
DIGEST: Decider[digest_commands.Command, digest.Digest, DigestCompiled] = Decider(
    "digest", None, digest.decide, digest.evolve
)  # its key is `<team>.<week>`
