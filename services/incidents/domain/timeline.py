"""What an incident's timeline says about each thing that happened to it."""

from services.incidents.domain.incident.events import (
    Event,
    IncidentAcknowledged,
    IncidentAlertCleared,
    IncidentAlertJoined,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentDeclared,
    IncidentMilestoneCorrected,
    IncidentMitigated,
    IncidentNoted,
    IncidentReopened,
    IncidentResolved,
    IncidentStageChanged,
)


def describe(event: Event) -> str:
    """*event* in a few words, with the reason where one was given."""
    words = _words(event)
    return f"{words}: {event.reason}" if event.reason else words


def _words(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912  one line per kind of event
    match event:
        case IncidentDeclared(severity=severity, title=title):
            return f"declared {severity}: {title}"
        case IncidentAcknowledged():
            return "acknowledged"
        case IncidentStageChanged(stage=stage):
            return f"now {stage}"
        case IncidentMitigated():
            return "mitigated"
        case IncidentResolved(forced=forced):
            return "resolved while alerts still fired" if forced else "resolved"
        case IncidentClosed():
            return "closed"
        case IncidentCancelled():
            return "cancelled, a false alarm"
        case IncidentReopened():
            return "reopened"
        case IncidentClassified(outage_class=outage_class):
            return f"an outage of the class {outage_class}"
        case IncidentAlertJoined(summary=summary, others=others):
            return f"a further alert fires: {summary}" + (f" (and {len(others)} more)" if others else "")
        case IncidentAlertCleared(alert=alert, others=others):
            return f"{1 + len(others)} alerts are resolved" if others else f"alert {alert} is resolved"
        case IncidentMilestoneCorrected(milestone=milestone, time=time):
            return f"{milestone} was at {time:%Y-%m-%d %H:%M:%S} UTC"
        case IncidentNoted(text=text):
            return text
