"""The wire names of what this service says, and the rules behind it."""

from typing import Final

from libs.events.decider import Decider
from libs.events.registry import EventRegistry
from services.slo.domain.adjustment import commands as adjustment_commands
from services.slo.domain.adjustment import decider as adjustment
from services.slo.domain.adjustment import events as adjustment_events
from services.slo.domain.agreement import commands as agreement_commands
from services.slo.domain.agreement import decider as agreement
from services.slo.domain.agreement import events as agreement_events
from services.slo.domain.budget import commands as budget_commands
from services.slo.domain.budget import decider as budget
from services.slo.domain.budget import events as budget_events
from services.slo.domain.budget.events import (
    AlertCorrected,
    AlertFired,
    AlertResolved,
    BudgetAssessed,
    BudgetExhausted,
    BudgetRecovered,
)
from services.slo.domain.notification_target import commands as target_commands
from services.slo.domain.notification_target import decider as target
from services.slo.domain.notification_target import events as target_events
from services.slo.domain.openslo_object import commands as object_commands
from services.slo.domain.openslo_object import decider as openslo_object
from services.slo.domain.openslo_object import events as object_events
from services.slo.domain.policy import commands as policy_commands
from services.slo.domain.policy import decider as policy
from services.slo.domain.policy import events as policy_events
from services.slo.domain.policy import state as policy_state
from services.slo.domain.slo import commands as slo_commands
from services.slo.domain.slo import decider as slo
from services.slo.domain.slo import events as slo_events
from services.slo.domain.slo.events import SloDefined, SloEnded
from services.slo.domain.source import commands as source_commands
from services.slo.domain.source import decider as source
from services.slo.domain.source import events as source_events
from services.slo.domain.source.events import SourceDefined, SourceFailed, SourceRetired, SourceWorked

SLO: Final[Decider[slo_commands.Command, slo.Slo, slo_events.Event]] = Decider("slo", None, slo.decide, slo.evolve)
OBJECT: Final[Decider[object_commands.Command, openslo_object.Object, object_events.Event]] = Decider(
    "openslo", None, openslo_object.decide, openslo_object.evolve
)  # its key is `SLI/<name>`
ADJUSTMENT: Final[Decider[adjustment_commands.Command, adjustment.State, adjustment_events.Event]] = Decider(
    "adjustment", None, adjustment.decide, adjustment.evolve
)
AGREEMENT: Final[Decider[agreement_commands.Command, agreement.Agreement, agreement_events.Event]] = Decider(
    "agreement", None, agreement.decide, agreement.evolve
)  # its key is the SLO's
BUDGET: Final[Decider[budget_commands.Command, budget.Budget, budget_events.Event]] = Decider(
    "budget", budget.UNASSESSED, budget.decide, budget.evolve
)
NOTIFICATION_TARGET: Final[Decider[target_commands.Command, target.NotificationTarget, target_events.Event]] = Decider(
    "notification-target", None, target.decide, target.evolve
)
SOURCE: Final[Decider[source_commands.Command, source.Source, source_events.Event]] = Decider(
    "source", None, source.decide, source.evolve
)
POLICY: Final[Decider[policy_commands.Command, policy_state.Policy, policy_events.Event]] = Decider(
    "error-budget-policy", None, policy.decide, policy.evolve
)

CONTRACT: Final = EventRegistry(
    published={
        "io.concordat.slo.slo.defined.v1": SloDefined,
        "io.concordat.slo.slo.ended.v1": SloEnded,
        "io.concordat.slo.adjustment.agreed.v1": adjustment_events.AdjustmentAgreed,
        "io.concordat.slo.adjustment.ended.v1": adjustment_events.AdjustmentEnded,
        "io.concordat.slo.revision.proposed.v1": agreement_events.RevisionProposed,
        "io.concordat.slo.revision.agreed.v1": agreement_events.RevisionAgreed,
        "io.concordat.slo.revision.declined.v1": agreement_events.RevisionDeclined,
        "io.concordat.slo.budget.assessed.v1": BudgetAssessed,
        "io.concordat.slo.budget.exhausted.v1": BudgetExhausted,
        "io.concordat.slo.budget.recovered.v1": BudgetRecovered,
        "io.concordat.slo.alert.fired.v1": AlertFired,
        "io.concordat.slo.alert.resolved.v1": AlertResolved,
        "io.concordat.slo.alert.corrected.v1": AlertCorrected,
        "io.concordat.slo.source.failed.v1": SourceFailed,
        "io.concordat.slo.source.worked.v1": SourceWorked,
        "io.concordat.slo.source.retired.v1": SourceRetired,
        "io.concordat.slo.policy.written.v1": policy_events.PolicyWritten,
        "io.concordat.slo.policy.signed.v1": policy_events.PolicySigned,
        "io.concordat.slo.policy.state-changed.v1": policy_events.PolicyStateChanged,
        "io.concordat.slo.policy.frozen.v1": policy_events.ReleasesFrozen,
        "io.concordat.slo.policy.unfrozen.v1": policy_events.ReleasesUnfrozen,
        "io.concordat.slo.policy.exempted.v1": policy_events.ExemptionGranted,
        "io.concordat.slo.policy.exemption-revoked.v1": policy_events.ExemptionRevoked,
        "io.concordat.slo.policy.broken-glass.v1": policy_events.GlassBroken,
        "io.concordat.slo.policy.glass-used.v1": policy_events.GlassUsed,
        "io.concordat.slo.policy.follow-up-due.v1": policy_events.FollowUpDue,
        "io.concordat.slo.policy.revisit-due.v1": policy_events.RevisitDue,
        "io.concordat.slo.policy.budget-to-spare.v1": policy_events.SpareBudgetFound,
        "io.concordat.slo.policy.spare-budget-gone.v1": policy_events.SpareBudgetGone,
        "io.concordat.slo.policy.postmortem-required.v1": policy_events.PostmortemRequired,
        "io.concordat.slo.policy.quarterly-item-required.v1": policy_events.QuarterlyItemRequired,
        "io.concordat.slo.policy.disagreement-raised.v1": policy_events.DisagreementRaised,
        "io.concordat.slo.policy.disagreement-settled.v1": policy_events.DisagreementSettled,
        "io.concordat.slo.policy.obligation-fulfilled.v1": policy_events.ObligationFulfilled,
    },
    internal={
        "io.concordat.slo.revision.side-agreed.v1": agreement_events.SideAgreed,
        "io.concordat.slo.revision.withdrawn.v1": agreement_events.RevisionWithdrawn,
        "io.concordat.slo.revision.superseded.v1": agreement_events.RevisionSuperseded,
        "io.concordat.slo.revision.expired.v1": agreement_events.RevisionExpired,
        "io.concordat.slo.openslo.stored.v1": object_events.ObjectStored,
        "io.concordat.slo.openslo.removed.v1": object_events.ObjectRemoved,
        "io.concordat.slo.source.defined.v1": SourceDefined,
        "io.concordat.slo.notification-target.set.v1": target_events.TargetSet,
        "io.concordat.slo.notification-target.removed.v1": target_events.TargetRemoved,
    },
)
