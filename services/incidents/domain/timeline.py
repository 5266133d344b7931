"""What an incident's timeline says about each thing that happened to it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.incidents.domain.incident import events as of
from services.incidents.domain.incident import work_events as of_work


def describe(event: of.Event, summaries: Mapping[str, str] = MappingProxyType({})) -> str:
    """*event* in a few words, with the reason where one was given; alerts by their *summaries*, as far as there are."""
    if isinstance(event, of.IncidentAlertCleared) and not event.others and event.alert in summaries:
        words = f"resolved: {summaries[event.alert]}"
    else:
        words = _of_work(event) if isinstance(event, of_work.WorkEvent) else _of_course(event)
    return f"{words}: {event.reason}" if event.reason else words


def surrounding(kind: str, subject: str, data: Mapping[str, Any]) -> str:
    """What another service said meanwhile, in a few words."""
    if kind == "deployment":
        return f"{data['version'] or data.get('summary') or subject} deployed ({data['result'] or 'no result told'})"
    left = data["remaining"]
    return f"SLO {subject} is {data['state']}" + ("" if left is None else f", {left:.0%} of its error budget is left")


def _of_course(event: of.CourseEvent) -> str:  # noqa: C901, PLR0911, PLR0912  one line per kind of event
    match event:
        case of.IncidentDeclared(severity=severity, title=title, split_from=split_from):
            return f"declared {severity}: {title}" + (", split from another" if split_from else "")
        case of.IncidentAcknowledged():
            return "acknowledged"
        case of.IncidentStageChanged(stage=stage):
            return f"now {stage}"
        case of.IncidentMitigated():
            return "mitigated"
        case of.IncidentResolved(forced=forced):
            return "resolved while alerts still fired" if forced else "resolved"
        case of.IncidentClosed():
            return "closed"
        case of.IncidentCancelled():
            return "cancelled, a false alarm"
        case of.IncidentReopened():
            return "reopened"
        case of.IncidentClassified(outage_class=outage_class):
            return f"an outage of the class {outage_class}"
        case of.IncidentAlertJoined(summary=summary, others=others):
            return f"a further alert fires: {summary}" + (f" (and {len(others)} more)" if others else "")
        case of.IncidentAlertsTold(alerts=alerts):
            return f"told of {alerts} further alerts" if alerts > 1 else "told of a further alert"
        case of.IncidentAlertCleared(alert=alert, others=others):
            return f"{1 + len(others)} alerts are resolved" if others else f"alert {alert} is resolved"
        case of.IncidentMilestoneCorrected(milestone=milestone, time=time):
            return f"{milestone} was at {_clock(time)}"
        case of.IncidentNoted(text=text):
            return text
        case of.IncidentMerged(into_number=number):
            return f"merged into {number}"
        case of.IncidentAbsorbed(other_number=number, alerts=alerts):
            return f"{number} is a part of it, with {_count(len(alerts), 'alert')}"
        case of.IncidentGroupTaken(group=group):
            return f"further alerts of {group} join it"
        case of.IncidentSplit(into_number=number, alerts=alerts):
            return f"{_count(len(alerts), 'alert')} of it went to {number}"


def _of_work(event: of_work.WorkEvent) -> str:  # noqa: C901, PLR0911, PLR0912  one line per kind of event
    match event:
        case of_work.IncidentSeverityChanged(severity=severity, from_severity=before):
            return f"{severity}, was {before}"
        case of_work.IncidentImpactChanged(affected=affected):
            return f"beside {event.service} it affects {', '.join(each.service for each in affected) or 'none'}"
        case of_work.IncidentAmended(title=title):
            return f"described otherwise: {title}"
        case of_work.IncidentRoleAssumed(role=role, person=person, before=before):
            return f"{person} is {_words(role)}" + (f", was {before}" if before else "")
        case of_work.IncidentRoleOffered(role=role, person=person):
            return f"{person} shall be {_words(role)}, and has to acknowledge it"
        case of_work.IncidentRoleOfferEnded(role=role, person=person):
            return f"{person} shall not be {_words(role)}"
        case of_work.IncidentRoleReleased(role=role, person=person):
            return f"{person} is {_words(role)} no more"
        case of_work.IncidentResponderAdded(person=person, side=side):
            return f"{person} helps" + (f" ({side})" if side else "")
        case of_work.IncidentResponderReleased(person=person):
            return f"{person} helps no more"
        case of_work.IncidentLinked(other_number=number, relation=relation):
            return f"{_words(relation)} {number}"
        case of_work.IncidentUnlinked(relation=relation):
            return f"not {_words(relation)} another"
        case of_work.IncidentDeploymentLinked(deployment=deployment, suspected=suspected):
            return f"deployment {deployment} " + ("is suspected" if suspected else "has to do with it")
        case of_work.IncidentDeploymentUnlinked(deployment=deployment):
            return f"deployment {deployment} has nothing to do with it"
        case of_work.IncidentCadenceSet(every_minutes=every):
            return f"an update every {every} minutes" if every else "updates when there is something to say"
        case of_work.IncidentUpdatePosted(text=text, audience=audience):
            return f"told {audience}: {text}"
        case of_work.IncidentUpdateOverdue(due=due):
            return f"the update due at {_clock(due)} was not posted"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _clock(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
