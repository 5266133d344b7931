"""The wire names of this service's events, the streams they stand in, and what leaves the service."""

from libs.events.decider import Decider
from libs.events.registry import EventRegistry
from services.incidents.domain.action import decider as action
from services.incidents.domain.action import events as of_action
from services.incidents.domain.alert import decider as alert
from services.incidents.domain.alert import events as of_alert
from services.incidents.domain.incident import decider as incident
from services.incidents.domain.incident import events as of_incident
from services.incidents.domain.person import decider as person
from services.incidents.domain.person import events as of_person
from services.incidents.domain.postmortem import decider as postmortem
from services.incidents.domain.postmortem import events as of_postmortem

SERVICE = "incidents"

ALERT = Decider("alert", None, alert.decide, alert.evolve)
INCIDENT = Decider("incident", None, incident.decide, incident.evolve)
POSTMORTEM = Decider("postmortem", None, postmortem.decide, postmortem.evolve)
ACTION = Decider("action", None, action.decide, action.evolve)
PERSON = Decider("person", None, person.decide, person.evolve)

CONTRACT = EventRegistry(
    published={
        "io.concordat.incidents.alert.triggered.v1": of_alert.AlertTriggered,
        "io.concordat.incidents.alert.urgency-raised.v1": of_alert.AlertUrgencyRaised,
        "io.concordat.incidents.alert.acknowledged.v1": of_alert.AlertAcknowledged,
        "io.concordat.incidents.alert.resolved.v1": of_alert.AlertResolved,
        "io.concordat.incidents.incident.declared.v1": of_incident.IncidentDeclared,
        "io.concordat.incidents.incident.alert-joined.v1": of_incident.IncidentAlertJoined,
        "io.concordat.incidents.incident.acknowledged.v1": of_incident.IncidentAcknowledged,
        "io.concordat.incidents.incident.stage-changed.v1": of_incident.IncidentStageChanged,
        "io.concordat.incidents.incident.mitigated.v1": of_incident.IncidentMitigated,
        "io.concordat.incidents.incident.resolved.v1": of_incident.IncidentResolved,
        "io.concordat.incidents.incident.closed.v1": of_incident.IncidentClosed,
        "io.concordat.incidents.incident.cancelled.v1": of_incident.IncidentCancelled,
        "io.concordat.incidents.incident.reopened.v1": of_incident.IncidentReopened,
        "io.concordat.incidents.incident.milestone-corrected.v1": of_incident.IncidentMilestoneCorrected,
        "io.concordat.incidents.incident.classified.v1": of_incident.IncidentClassified,
        "io.concordat.incidents.postmortem.drafted.v1": of_postmortem.PostmortemDrafted,
        "io.concordat.incidents.postmortem.published.v1": of_postmortem.PostmortemPublished,
        "io.concordat.incidents.action.opened.v1": of_action.ActionOpened,
        "io.concordat.incidents.action.completed.v1": of_action.ActionCompleted,
        "io.concordat.incidents.action.dropped.v1": of_action.ActionDropped,
    },
    internal={
        "io.concordat.incidents.alert.retriggered.v1": of_alert.AlertRetriggered,
        "io.concordat.incidents.alert.grouped.v1": of_alert.AlertGrouped,
        "io.concordat.incidents.alert.silenced.v1": of_alert.AlertSilenced,
        "io.concordat.incidents.incident.alert-cleared.v1": of_incident.IncidentAlertCleared,
        "io.concordat.incidents.incident.noted.v1": of_incident.IncidentNoted,
        "io.concordat.incidents.postmortem.amended.v1": of_postmortem.PostmortemAmended,
        "io.concordat.incidents.postmortem.action-added.v1": of_postmortem.PostmortemActionAdded,
        "io.concordat.incidents.postmortem.submitted.v1": of_postmortem.PostmortemSubmitted,
        "io.concordat.incidents.action.started.v1": of_action.ActionStarted,
        "io.concordat.incidents.person.registered.v1": of_person.PersonRegistered,
        "io.concordat.incidents.person.changed.v1": of_person.PersonChanged,
        "io.concordat.incidents.person.erased.v1": of_person.PersonErased,
    },
)
