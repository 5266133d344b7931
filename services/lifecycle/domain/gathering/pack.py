"""A pack: what two teams look at together, drafted from data; and how a gathering reads as Markdown."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.lifecycle.domain.architecture.facts import ArchitectureFacts
from services.lifecycle.domain.capacity.facts import Cover
from services.lifecycle.domain.engagement.commands import Measured
from services.lifecycle.domain.engagement.measures import SILENT, Seen, mean_hours_to_resolve
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.facts import InForce
from services.lifecycle.domain.gathering.decider import Gathering
from services.lifecycle.domain.gathering.events import PackLine, Section
from services.lifecycle.domain.review_template.checklist import SEVERITIES
from services.lifecycle.domain.risk_register.facts import RiskFacts

_LARGEST = 5  # risks of a service that a pack names
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~])")


@dataclass(frozen=True, slots=True)
class Tracked:
    """An item of the engagement, as a pack reads it."""

    kind: str
    path: str
    title: str
    state: str
    owner: str
    due: date | None
    goes_on: bool
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Released:
    """A deployment to production, and whether it failed."""

    deployment: str
    at: datetime
    failed: bool


@dataclass(frozen=True, slots=True)
class Prospects:
    """What may still happen to one service.

    Args:
        risks: Those that somebody has to bear, and the SLO they count against.
        waivers: What gates let through for a while.
        cover: Whether capacity covers the time that its plan looks at; None: nobody said anything of capacity.
        architecture: What is known to be wrong with it; None: nobody has looked.
    """

    risks: RiskFacts
    waivers: tuple[InForce, ...] = ()
    cover: Cover | None = None
    architecture: ArchitectureFacts | None = None


def pack(
    state: Engagement,
    seen: Seen,
    measured: Sequence[Measured],
    tracked: Sequence[Tracked],
    released: Sequence[Released],
    prospects: Mapping[str, Prospects],
) -> tuple[Section, ...]:
    """Everything that is known of an engagement's services from *seen.since* to *seen.until*.

    Each line names where it comes from; what nobody told of is unknown, and says so.
    """
    return (
        Section("SLOs and budgets", tuple(_budgets(seen))),
        Section("Incidents", tuple(_incidents(seen))),
        Section("Actions", tuple(_actions(seen))),
        Section("Load", tuple(_load(seen))),
        Section("Releases", tuple(_releases(state, released))),
        Section("Capacity", tuple(_capacity(prospects))),
        Section("Risks", tuple(_risks(prospects))),
        Section("Architecture", tuple(_architecture(prospects))),
        Section("Waivers", tuple(_waivers(prospects))),
        Section("Ground rules", tuple(_rules(state, measured, seen.since))),
        Section("Plan, insights and wins", tuple(_tracked(tracked, seen))),
    )


def agenda(state: Engagement, seen: Seen, tracked: Sequence[Tracked]) -> tuple[Section, ...]:
    """What a meeting should talk about: what is open, and whatever changed."""
    here = f"/v1/engagements/{state.engagement}"
    breaches = tuple(
        PackLine(breach.told.rule, f"{breach.told.value:g} (limit {breach.told.limit:g})", f"{here}/breaches")
        for breach in state.breaches
        if breach.closed is None
    )
    late = tuple(
        PackLine(each.title, f"was due on {each.due}", each.path, each.owner)
        for each in tracked
        if each.goes_on and each.due and each.due < seen.until.date()
    )
    return tuple(
        section
        for section in (
            Section("Broken ground rules", breaches),
            Section("Overdue", late),
            Section("Incidents since the last time", tuple(_incidents(seen))),
            Section("Overdue actions", tuple(_actions(seen))),
        )
        if section.lines
    )


def markdown(gathering: Gathering, state: Engagement) -> str:
    """A gathering as Markdown: the pack, what both sides said, and what was decided."""
    drafted = gathering.drafted
    parts = [
        f"# {plain(drafted.title)}",
        f"{plain(state.dev_team)} and {plain(state.sre_team)}: {', '.join(map(plain, state.services))}",
        f"{drafted.since.date()} to {drafted.until.date()}, drafted on {drafted.at.date()}",
    ]
    for side, title in (("sre", "State of production"), ("dev", "State of the product")):
        for said in (each for each in gathering.statements.values() if each.side == side):
            reach = f" ({said.horizon_months} months)" if said.horizon_months else ""
            parts += [f"## {title}{reach}", said.text, f"_{plain(said.by)}_"]
    for section in drafted.pack:
        parts += [f"## {plain(section.title)}", "\n".join(map(_line, section.lines)) or "Nothing."]
    notes = gathering.notes
    if notes:
        parts += ["## Notes", notes.notes] if notes.notes else []
        for title, lines in (("Start", notes.start), ("Stop", notes.stop), ("Keep", notes.keep)):
            parts += [f"## {title}", "\n".join(f"- {plain(line)}" for line in lines)] if lines else []
    if gathering.concluded:
        decision = (gathering.concluded.decision or "held").replace("_", " ")
        parts += ["## Decision", f"**{decision}**: {plain(gathering.concluded.reason) or 'no reason given'}"]
    return "\n\n".join(parts) + "\n"


def _line(line: PackLine) -> str:
    note = f", {plain(line.note)}" if line.note else ""
    return f"- {plain(line.label)}: [{plain(line.value)}]({line.url}){note}"


def plain(text: str) -> str:
    """*text* as it is, with nothing in it that Markdown would read."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _budgets(seen: Seen) -> Iterator[PackLine]:
    for day in seen.budgets:
        sli = "unknown" if day.sli is None else f"{day.sli:.3%}"
        left = "unknown" if day.remaining is None else f"{day.remaining:.0%}"
        yield PackLine(day.slo, f"{sli} of {day.target:.3%}", day.evidence.url, f"budget left: {left}, {day.state}")
    if not seen.budgets:
        for service in seen.services:
            yield PackLine(service, "unknown", f"/v1/slos?service={service}", "no SLO was assessed")


def _incidents(seen: Seen) -> Iterator[PackLine]:
    for service in seen.services:
        mine = [incident for incident in seen.incidents if incident.service == service]
        url = f"/v1/incidents?service={service}"
        if seen.silent and not mine:
            yield PackLine(service, "unknown", url, SILENT)
            continue
        severe = sum(incident.severity in seen.severe for incident in mine)
        yield PackLine(service, str(len(mine)), url, f"{severe} of them severe")
    for incident in seen.severe_incidents:
        over = "open" if incident.resolved_at is None else f"over on {incident.resolved_at.date()}"
        yield PackLine(incident.number, incident.severity, incident.evidence.url, f"{incident.service}, {over}")
    lasted = mean_hours_to_resolve(seen.incidents)
    if lasted.value is not None:
        yield PackLine("mean time to resolve", f"{lasted.value:.1f} h", lasted.evidence[0].url)


def _actions(seen: Seen) -> Iterator[PackLine]:
    for action in seen.overdue_actions:
        note = f"{action.priority}, {action.owner}, was due on {action.due}"
        yield PackLine(action.title, "overdue", action.evidence.url, note)
    if seen.silent and not seen.overdue_actions:
        yield PackLine("overdue actions", "unknown", "/v1/actions", SILENT)


def _load(seen: Seen) -> Iterator[PackLine]:
    for side in ("sre", "dev"):
        shifts = [shift for shift in seen.shifts if shift.side == side]
        if not shifts:
            yield PackLine(f"shifts of {side}", "unknown", "/v1/schedules", "no shift ended")
            continue
        url = shifts[-1].evidence.url
        yield PackLine(f"shifts of {side}", str(len(shifts)), url)
        yield PackLine(f"pages per shift of {side}", f"{sum(each.pages for each in shifts) / len(shifts):.1f}", url)
        minutes = sum(each.interrupt_minutes for each in shifts)
        yield PackLine(f"interrupts of {side}", f"{minutes / 60:.1f} h", url)


def _releases(state: Engagement, released: Sequence[Released]) -> Iterator[PackLine]:
    url = "/v1/deployments?" + "&".join(f"service={service}" for service in state.services)
    if not released:
        yield PackLine("releases", "unknown", url, "nobody told of deployments")
        return
    failed = sum(each.failed for each in released)
    yield PackLine("releases", str(len(released)), url)
    yield PackLine("change-failure rate", f"{failed / len(released):.0%}", url, f"{failed} failed")


def _capacity(prospects: Mapping[str, Prospects]) -> Iterator[PackLine]:
    for service, known in prospects.items():
        url = f"/v1/services/{service}/capacity"
        if known.cover is None:
            yield PackLine(service, "unknown", url, "nobody said anything of its capacity")
            continue
        short = known.cover.outlook.shortfall if known.cover.outlook else None
        value = f"short on {short.day}" if short else known.cover.state
        yield PackLine(service, value, url, known.cover.detail)


def _risks(prospects: Mapping[str, Prospects]) -> Iterator[PackLine]:
    for service, known in prospects.items():
        risks, url = known.risks, f"/v1/services/{service}/risk-budget"
        share = "no SLO to count them against"
        if risks.promise:
            share = f"{risks.accepted_share:.0%} of the budget of {risks.promise.slo} is accepted"
        unassessed = f", {len(risks.unassessed)} not assessed" if risks.unassessed else ""
        yield PackLine(service, str(len(risks.risks)), url, f"{share}{unassessed}" if risks.risks else "")
        for risk in sorted(risks.risks, key=lambda each: -(each.bad_minutes or 0.0))[:_LARGEST]:
            cost = "not assessed" if risk.bad_minutes is None else f"{risk.bad_minutes:.0f} bad minutes a year"
            yield PackLine(risk.title, risk.state, f"/v1/risks/{risk.risk}", cost)


def _architecture(prospects: Mapping[str, Prospects]) -> Iterator[PackLine]:
    for service, known in prospects.items():
        url, facts = f"/v1/services/{service}/architecture-findings", known.architecture
        if facts is None:
            yield PackLine(service, "unknown", url, "nobody has looked at its architecture")
            continue
        looked = f"both sides looked at it on {facts.reviewed_at.date()}" if facts.reviewed_at else "never reviewed"
        yield PackLine(service, f"{len(facts.unsettled)} open", url, looked)
        for each in sorted(facts.unsettled, key=lambda each: (SEVERITIES.index(each.severity), each.since)):
            note = f"{each.severity}, since {each.since.date()}"
            yield PackLine(each.title, each.state.replace("_", " "), f"{url}/{each.finding}", note)


def _waivers(prospects: Mapping[str, Prospects]) -> Iterator[PackLine]:
    for service, known in prospects.items():
        for waiver in known.waivers:
            note = f"{waiver.control}; {waiver.risk_owner} bears it"
            url = f"/v1/waivers/{waiver.waiver}"
            yield PackLine(f"{service}: {waiver.check}", f"until {waiver.until.date()}", url, note)


def _rules(state: Engagement, measured: Sequence[Measured], since: datetime) -> Iterator[PackLine]:
    here = f"/v1/engagements/{state.engagement}"
    for rule, each in zip(state.rules, measured, strict=True):
        limit = f"{rule.comparison.replace('_', ' ')} {rule.limit:g}"
        value = "unknown" if each.value is None else f"{each.value:.3g}"
        yield PackLine(
            rule.id, value, f"{here}/ground-rules/status", ", ".join(filter(None, (limit, each.why_unknown)))
        )
    told = [breach for breach in state.breaches if breach.told.at > since]
    yield PackLine("breaches", str(len(told)), f"{here}/breaches")


def _tracked(tracked: Iterable[Tracked], seen: Seen) -> Iterator[PackLine]:
    for each in tracked:
        if each.goes_on or each.moved_at > seen.since:
            due = f"due on {each.due}" if each.due else ""
            yield PackLine(
                f"{each.kind}: {each.title}", each.state, each.path, ", ".join(filter(None, (each.owner, due)))
            )
