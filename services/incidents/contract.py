"""The wire names of this service's events, the streams they stand in, and what leaves the service."""

from libs.events.decider import Decider
from libs.events.registry import EventRegistry
from services.incidents.domain.action import decider as action
from services.incidents.domain.action import events as of_action
from services.incidents.domain.alert import decider as alert
from services.incidents.domain.alert import events as of_alert
from services.incidents.domain.change import decider as change
from services.incidents.domain.change import events as of_change
from services.incidents.domain.channel import decider as channel
from services.incidents.domain.channel import events as of_channel
from services.incidents.domain.duty import decider as on_duty
from services.incidents.domain.duty import events as of_on_duty
from services.incidents.domain.escalation import decider as escalation
from services.incidents.domain.escalation import events as of_escalation
from services.incidents.domain.escalation_policy import decider as escalation_policy
from services.incidents.domain.escalation_policy import events as of_escalation_policy
from services.incidents.domain.incident import decider as incident
from services.incidents.domain.incident import events as of_incident
from services.incidents.domain.incident import work_events as of_work
from services.incidents.domain.incident_field import decider as incident_field
from services.incidents.domain.incident_field import events as of_field
from services.incidents.domain.integration import decider as integration
from services.incidents.domain.integration import events as of_integration
from services.incidents.domain.notification import decider as notification
from services.incidents.domain.notification import events as of_notification
from services.incidents.domain.person import decider as person
from services.incidents.domain.person import events as of_person
from services.incidents.domain.postmortem import decider as postmortem
from services.incidents.domain.postmortem import events as of_postmortem
from services.incidents.domain.postmortem_duty import decider as duty
from services.incidents.domain.postmortem_duty import events as of_duty
from services.incidents.domain.postmortem_template import decider as template
from services.incidents.domain.postmortem_template import events as of_template
from services.incidents.domain.rotation import decider as rotation
from services.incidents.domain.rotation import events as of_rotation
from services.incidents.domain.schedule import decider as schedule
from services.incidents.domain.schedule import events as of_schedule
from services.incidents.domain.schedule import state as of_schedule_state
from services.incidents.domain.service_paging import decider as service_paging
from services.incidents.domain.service_paging import events as of_service_paging
from services.incidents.domain.shift import decider as shift
from services.incidents.domain.shift import events as of_shift
from services.incidents.domain.silence import decider as silence
from services.incidents.domain.silence import events as of_silence
from services.incidents.domain.turning import decider as turning
from services.incidents.domain.turning import events as of_turning

SERVICE = "incidents"

ALERT = Decider("alert", None, alert.decide, alert.evolve)
INTEGRATION = Decider("integration", None, integration.decide, integration.evolve)
SILENCE = Decider("silence", None, silence.decide, silence.evolve)
CHANGE = Decider("change", None, change.decide, change.evolve)
INCIDENT = Decider("incident", None, incident.decide, incident.evolve)
INCIDENT_FIELD = Decider("incident-field", None, incident_field.decide, incident_field.evolve)
POSTMORTEM = Decider("postmortem", None, postmortem.decide, postmortem.evolve)
DUTY = Decider("postmortem-duty", None, duty.decide, duty.evolve)
POSTMORTEM_TEMPLATES = Decider("postmortem-templates", {}, template.decide, template.evolve)
ACTION = Decider("action", None, action.decide, action.evolve)
PERSON = Decider("person", None, person.decide, person.evolve)
CHANNEL = Decider("channel", channel.UNSAID, channel.decide, channel.evolve)
ESCALATION = Decider("escalation", None, escalation.decide, escalation.evolve)  # its key is the incident's
ESCALATION_POLICY = Decider("escalation-policy", None, escalation_policy.decide, escalation_policy.evolve)
NOTIFICATION = Decider("notification", None, notification.decide, notification.evolve)
SERVICE_PAGING = Decider("service-paging", service_paging.Named(), service_paging.decide, service_paging.evolve)
ROTATION = Decider("rotation", None, rotation.decide, rotation.evolve)
ON_DUTY = Decider("duty", on_duty.NOTHING, on_duty.decide, on_duty.evolve)  # its key is the schedule's
SHIFT = Decider("shift", shift.NOTHING, shift.decide, shift.evolve)
TURNING = Decider("turning", None, turning.decide, turning.evolve)  # its key is the schedule's, and the month
SCHEDULE = Decider("schedule", None, schedule.decide, of_schedule_state.evolve)
ALL = "all"  # the key of what an installation has once

CONTRACT = EventRegistry(
    published={
        "io.concordat.incidents.alert.triggered.v1": of_alert.AlertTriggered,
        "io.concordat.incidents.alert.urgency-raised.v1": of_alert.AlertUrgencyRaised,
        "io.concordat.incidents.alert.moved.v1": of_alert.AlertMoved,
        "io.concordat.incidents.alert.acknowledged.v1": of_alert.AlertAcknowledged,
        "io.concordat.incidents.alert.resolved.v1": of_alert.AlertResolved,
        "io.concordat.incidents.change.reported.v1": of_change.ChangeReported,
        "io.concordat.incidents.incident.declared.v1": of_incident.IncidentDeclared,
        "io.concordat.incidents.incident.alert-joined.v1": of_incident.IncidentAlertJoined,
        "io.concordat.incidents.incident.alerts-told.v1": of_incident.IncidentAlertsTold,
        "io.concordat.incidents.incident.acknowledged.v1": of_incident.IncidentAcknowledged,
        "io.concordat.incidents.incident.stage-changed.v1": of_incident.IncidentStageChanged,
        "io.concordat.incidents.incident.mitigated.v1": of_incident.IncidentMitigated,
        "io.concordat.incidents.incident.resolved.v1": of_incident.IncidentResolved,
        "io.concordat.incidents.incident.closed.v1": of_incident.IncidentClosed,
        "io.concordat.incidents.incident.cancelled.v1": of_incident.IncidentCancelled,
        "io.concordat.incidents.incident.reopened.v1": of_incident.IncidentReopened,
        "io.concordat.incidents.incident.milestone-corrected.v1": of_incident.IncidentMilestoneCorrected,
        "io.concordat.incidents.incident.classified.v1": of_incident.IncidentClassified,
        "io.concordat.incidents.incident.merged.v1": of_incident.IncidentMerged,
        "io.concordat.incidents.incident.absorbed.v1": of_incident.IncidentAbsorbed,
        "io.concordat.incidents.incident.split.v1": of_incident.IncidentSplit,
        "io.concordat.incidents.incident.alert-cleared.v1": of_incident.IncidentAlertCleared,
        "io.concordat.incidents.incident.noted.v1": of_incident.IncidentNoted,
        "io.concordat.incidents.incident.severity-changed.v1": of_work.IncidentSeverityChanged,
        "io.concordat.incidents.incident.impact-changed.v1": of_work.IncidentImpactChanged,
        "io.concordat.incidents.incident.amended.v1": of_work.IncidentAmended,
        "io.concordat.incidents.incident.role-assumed.v1": of_work.IncidentRoleAssumed,
        "io.concordat.incidents.incident.role-offered.v1": of_work.IncidentRoleOffered,
        "io.concordat.incidents.incident.role-offer-ended.v1": of_work.IncidentRoleOfferEnded,
        "io.concordat.incidents.incident.role-released.v1": of_work.IncidentRoleReleased,
        "io.concordat.incidents.incident.responder-added.v1": of_work.IncidentResponderAdded,
        "io.concordat.incidents.incident.responder-released.v1": of_work.IncidentResponderReleased,
        "io.concordat.incidents.incident.linked.v1": of_work.IncidentLinked,
        "io.concordat.incidents.incident.unlinked.v1": of_work.IncidentUnlinked,
        "io.concordat.incidents.incident.deployment-linked.v1": of_work.IncidentDeploymentLinked,
        "io.concordat.incidents.incident.deployment-unlinked.v1": of_work.IncidentDeploymentUnlinked,
        "io.concordat.incidents.incident.cadence-set.v1": of_work.IncidentCadenceSet,
        "io.concordat.incidents.incident.update-posted.v1": of_work.IncidentUpdatePosted,
        "io.concordat.incidents.incident.update-overdue.v1": of_work.IncidentUpdateOverdue,
        "io.concordat.incidents.postmortem.drafted.v1": of_postmortem.PostmortemDrafted,
        "io.concordat.incidents.postmortem.submitted.v1": of_postmortem.PostmortemSubmitted,
        "io.concordat.incidents.postmortem.side-approved.v1": of_postmortem.PostmortemSideApproved,
        "io.concordat.incidents.postmortem.changes-requested.v1": of_postmortem.PostmortemChangesRequested,
        "io.concordat.incidents.postmortem.published.v1": of_postmortem.PostmortemPublished,
        "io.concordat.incidents.postmortem.reopened.v1": of_postmortem.PostmortemReopened,
        "io.concordat.incidents.postmortem.required.v1": of_duty.PostmortemRequired,
        "io.concordat.incidents.postmortem.reminded.v1": of_duty.PostmortemReminded,
        "io.concordat.incidents.postmortem.overdue.v1": of_duty.PostmortemOverdue,
        "io.concordat.incidents.postmortem.excused.v1": of_duty.PostmortemExcused,
        "io.concordat.incidents.action.opened.v1": of_action.ActionOpened,
        "io.concordat.incidents.action.changed.v1": of_action.ActionChanged,
        "io.concordat.incidents.action.reminded.v1": of_action.ActionReminded,
        "io.concordat.incidents.action.overdue.v1": of_action.ActionOverdue,
        "io.concordat.incidents.action.completed.v1": of_action.ActionCompleted,
        "io.concordat.incidents.action.dropped.v1": of_action.ActionDropped,
        "io.concordat.incidents.page.sent.v1": of_escalation.PageSent,
        "io.concordat.incidents.page.rated.v1": of_escalation.PageRated,
        "io.concordat.incidents.escalation.unassigned.v1": of_escalation.EscalationUnassigned,
        "io.concordat.incidents.escalation.exhausted.v1": of_escalation.EscalationExhausted,
        "io.concordat.incidents.schedule.changed.v1": of_on_duty.ScheduleChanged,
        "io.concordat.incidents.schedule.turned.v1": of_turning.ScheduleTurned,
        "io.concordat.incidents.shifts.moved.v1": of_on_duty.ShiftsMoved,
        "io.concordat.incidents.on-call-limit.breached.v1": of_on_duty.LimitBreached,
        "io.concordat.incidents.on-call-limit.kept.v1": of_on_duty.LimitKept,
        "io.concordat.incidents.shift.handed-over.v1": of_shift.ShiftHandedOver,
        "io.concordat.incidents.shift.acknowledged.v1": of_shift.HandoverAcknowledged,
        "io.concordat.incidents.shift.closed.v1": of_shift.ShiftClosed,
    },
    internal={
        "io.concordat.incidents.incident-field.defined.v1": of_field.IncidentFieldDefined,
        "io.concordat.incidents.incident-field.retired.v1": of_field.IncidentFieldRetired,
        "io.concordat.incidents.incident.group-taken.v1": of_incident.IncidentGroupTaken,
        "io.concordat.incidents.silence.made.v1": of_silence.SilenceMade,
        "io.concordat.incidents.silence.ended.v1": of_silence.SilenceEnded,
        "io.concordat.incidents.integration.added.v1": of_integration.IntegrationAdded,
        "io.concordat.incidents.integration.changed.v1": of_integration.IntegrationChanged,
        "io.concordat.incidents.integration.key-rotated.v1": of_integration.IntegrationKeyRotated,
        "io.concordat.incidents.integration.ended.v1": of_integration.IntegrationEnded,
        "io.concordat.incidents.alert.retriggered.v1": of_alert.AlertRetriggered,
        "io.concordat.incidents.alert.grouped.v1": of_alert.AlertGrouped,
        "io.concordat.incidents.alert.silenced.v1": of_alert.AlertSilenced,
        "io.concordat.incidents.postmortem.amended.v1": of_postmortem.PostmortemAmended,
        "io.concordat.incidents.postmortem.action-added.v1": of_postmortem.PostmortemActionAdded,
        "io.concordat.incidents.postmortem.duty-met.v1": of_duty.DutyStageMet,
        "io.concordat.incidents.postmortem.template-published.v1": of_template.TemplatePublished,
        "io.concordat.incidents.action.started.v1": of_action.ActionStarted,
        "io.concordat.incidents.action.owner-left.v1": of_action.ActionOwnerLeft,
        "io.concordat.incidents.person.registered.v1": of_person.PersonRegistered,
        "io.concordat.incidents.person.changed.v1": of_person.PersonChanged,
        "io.concordat.incidents.person.erased.v1": of_person.PersonErased,
        "io.concordat.incidents.escalation.begun.v1": of_escalation.EscalationBegun,
        "io.concordat.incidents.escalation.replanned.v1": of_escalation.EscalationReplanned,
        "io.concordat.incidents.escalation.step-taken.v1": of_escalation.StepTaken,
        "io.concordat.incidents.escalation.side-called.v1": of_escalation.SideCalled,
        "io.concordat.incidents.escalation.held.v1": of_escalation.EscalationHeld,
        "io.concordat.incidents.escalation.paused.v1": of_escalation.EscalationPaused,
        "io.concordat.incidents.escalation.ended.v1": of_escalation.EscalationEnded,
        "io.concordat.incidents.escalation.page-undelivered.v1": of_escalation.PageUndelivered,
        "io.concordat.incidents.escalation.responder-told.v1": of_escalation.ResponderTold,
        "io.concordat.incidents.escalation.clock-corrected.v1": of_escalation.EscalationClockCorrected,
        "io.concordat.incidents.escalation-policy.set.v1": of_escalation_policy.PolicySet,
        "io.concordat.incidents.escalation-policy.ended.v1": of_escalation_policy.PolicyEnded,
        "io.concordat.incidents.service-paging.policies-named.v1": of_service_paging.PoliciesNamed,
        "io.concordat.incidents.notification.requested.v1": of_notification.NotificationRequested,
        "io.concordat.incidents.notification.extended.v1": of_notification.NotificationExtended,
        "io.concordat.incidents.notification.attempt-begun.v1": of_notification.AttemptBegun,
        "io.concordat.incidents.notification.attempt-ended.v1": of_notification.AttemptEnded,
        "io.concordat.incidents.notification.withdrawn.v1": of_notification.NotificationWithdrawn,
        "io.concordat.incidents.notification.link-used.v1": of_notification.LinkUsed,
        "io.concordat.incidents.channel.set.v1": of_channel.ChannelSet,
        "io.concordat.incidents.channel.switched-off.v1": of_channel.ChannelSwitchedOff,
        "io.concordat.incidents.channel.switched-on.v1": of_channel.ChannelSwitchedOn,
        "io.concordat.incidents.channel.removed.v1": of_channel.ChannelRemoved,
        "io.concordat.incidents.channel.secret-rotated.v1": of_channel.SecretRotated,
        "io.concordat.incidents.rotation.changed.v1": of_rotation.RotationChanged,
        "io.concordat.incidents.rotation.ended.v1": of_rotation.RotationEnded,
        "io.concordat.incidents.schedule.defined.v1": of_schedule.ScheduleDefined,
        "io.concordat.incidents.schedule.ended.v1": of_schedule.ScheduleEnded,
        "io.concordat.incidents.schedule.override-decided.v1": of_schedule.OverrideDecided,
        "io.concordat.incidents.schedule.override-cancelled.v1": of_schedule.OverrideCancelled,
        "io.concordat.incidents.schedule.swap-offered.v1": of_schedule.SwapOffered,
        "io.concordat.incidents.schedule.swap-taken.v1": of_schedule.SwapTaken,
        "io.concordat.incidents.schedule.swap-approved.v1": of_schedule.SwapApproved,
        "io.concordat.incidents.schedule.swap-declined.v1": of_schedule.SwapDeclined,
        "io.concordat.incidents.schedule.token-renewed.v1": of_schedule.TokenRenewed,
    },
)
