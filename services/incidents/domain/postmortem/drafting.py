"""What is written into a new postmortem: what the incident knows by itself, and the texts of the template."""

from dataclasses import replace
from datetime import datetime

from services.incidents.domain.incident.state import Record
from services.incidents.domain.milestones import Figures, figures
from services.incidents.domain.postmortem.commands import Draft
from services.incidents.domain.postmortem.events import BudgetSpent, Moment, Origin, Sections

_REQUIRED = ("title", "summary", "impact")


def origin_of(command: Draft) -> Origin:
    """What the postmortem is drafted from."""
    incident, template = command.incident, command.template
    return Origin(
        incident_version=command.incident_version,
        milestones=incident.milestones,
        figures=figures(incident.milestones),
        alerts=len(incident.alerts),
        severity=incident.severity,
        budgets=command.budgets,
        template=template.name if template else "",
        template_version=template.version if template else 0,
        required=template.required if template else _REQUIRED,
    )


def sections_of(command: Draft) -> Sections:
    """What a new postmortem says; what is known of the incident stands before the template's text."""
    incident, took = command.incident, figures(command.incident.milestones)
    known = Sections(
        title=incident.title,
        summary=_summary(incident),
        impact=_impact(incident, took, command.budgets),
        detection=_detection(incident, took),
        resolution=_resolution(incident, took),
        timeline=_timeline(incident, command.timeline),
        participants=command.participants,
    )
    texts = dict(command.template.texts) if command.template else {}
    return replace(known, **{name: "\n\n".join(filter(None, (getattr(known, name), texts[name]))) for name in texts})


def _summary(incident: Record) -> str:
    times = incident.milestones
    ended = f"was resolved at {times.resolved:%Y-%m-%d %H:%M} UTC" if times.resolved else "is not resolved yet"
    return (
        f"{incident.number} ({incident.severity}) on {incident.service}: {incident.title}. The impact started at"
        f" {times.impact_started:%Y-%m-%d %H:%M} UTC; the incident {ended}."
    )


def _impact(incident: Record, took: Figures, budgets: tuple[BudgetSpent, ...]) -> str:
    spans = (
        ("detected", took.to_detect_s),
        ("mitigated", took.to_mitigate_s),
        ("resolved", took.to_resolve_s),
    )
    reached = [f"{name} {_minutes(seconds)} after the impact started" for name, seconds in spans if seconds is not None]
    spent = "".join(f" It spent {each.share:.0%} of the error budget of {each.slo}." for each in budgets)
    return f"{'; '.join(reached)}. {len(incident.alerts)} alert(s) belonged to it.".capitalize() + spent


def _detection(incident: Record, took: Figures) -> str:
    how = "An alert said so" if incident.alerts else "Somebody declared it"
    seen = f"; it was acknowledged {_minutes(took.to_acknowledge_s)} later" if took.to_acknowledge_s is not None else ""
    return f"{how} at {_clock(incident.milestones.detected)}{seen}."


def _resolution(incident: Record, took: Figures) -> str:
    times = incident.milestones
    if times.resolved is None or took.to_resolve_s is None:
        return ""
    mitigated = f"Users felt it no more from {_clock(times.mitigated)} on. " if times.mitigated else ""
    return f"{mitigated}It was resolved at {_clock(times.resolved)}, after {_minutes(took.to_resolve_s)}."


def _timeline(incident: Record, moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """*moments* in their order, led by the start of the impact."""
    started = incident.milestones.impact_started
    begin = Moment(at=started, text="the impact started", starred=True)
    return tuple(sorted((begin, *moments), key=lambda moment: moment.at))


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds} s"  # noqa: PLR2004  seconds of a minute
