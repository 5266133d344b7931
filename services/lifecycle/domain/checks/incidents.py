"""Checks of what the incidents service has said. Silence is not a good sign: it is unknown."""

from datetime import UTC

from services.lifecycle.domain.checks.finding import Finding, Question, day, silence
from services.lifecycle.domain.evaluation.events import Evidence, Value
from services.lifecycle.domain.facts import OpenAction, OpenIncident


def no_open_sev1_2_incident(question: Question) -> Finding:
    """Whether nothing severe is going on."""
    severities = question.policy.blocking_severities
    severe = [incident for incident in question.facts.incidents if incident.severity in severities]
    if severe:
        named = ", ".join(f"{incident.number} ({incident.severity})" for incident in severe)
        return Finding("fail", f"open: {named}", tuple(map(_seen, severe)), f"resolve {named}")
    return silence(question, "incidents") or Finding("pass", f"no open incident is {' or '.join(severities)}")


def postmortem_actions_done(question: Question) -> Finding:
    """Whether what was learned was done: no urgent action is open, and none at all is overdue."""
    urgent, today = question.policy.urgent_priorities, question.at.astimezone(UTC).date()
    owed = [action for action in question.facts.actions if action.priority in urgent or action.due < today]
    if owed:
        named = "; ".join(f"{action.title} ({action.priority}, due {action.due}, {action.owner})" for action in owed)
        return Finding("fail", f"open: {named}", tuple(map(_owed, owed)), f"complete or drop, with a reason: {named}")
    said = f"no open action is {' or '.join(urgent)} or overdue"
    return silence(question, "incidents") or Finding("pass", said)


def no_unexplained_exhaustion(question: Question) -> Finding:
    """Whether every budget that was spent lately is understood: a postmortem was published since."""
    facts = question.facts
    since = question.at - question.days("window_days")
    spent = [slo.last_exhausted for slo in facts.slos if slo.last_exhausted and slo.last_exhausted.at >= since]
    if not facts.slos:
        return Finding("unknown", "no SLO is known", how_to_fix="define an SLO for the service and send measurements")
    explained = [learned.at for learned in facts.postmortems]
    unexplained = [each for each in spent if not any(at >= each.at for at in explained)]
    if unexplained:
        days = ", ".join(day(each.at) for each in unexplained)
        evidence = tuple(Evidence(each.id, "budget.exhausted", each.at) for each in unexplained)
        fix = "find the root cause and publish a postmortem; else consider limited availability again"
        return Finding("fail", f"a budget was spent on {days}, and no postmortem says why", evidence, fix)
    heard = silence(question, "slo") or silence(question, "incidents")
    return heard or Finding("pass", "no budget was spent without a known cause")


def _seen(incident: OpenIncident) -> Evidence:
    values: dict[str, Value] = {"number": incident.number, "severity": incident.severity}
    return Evidence(incident.id, "incident", incident.at, values)


def _owed(action: OpenAction) -> Evidence:
    values: dict[str, Value] = {
        "action": action.action,
        "title": action.title,
        "owner": action.owner,
        "priority": action.priority,
        "due": action.due.isoformat(),
    }
    return Evidence(action.id, "action.opened", action.at, values)
