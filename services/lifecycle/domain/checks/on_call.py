"""Checks of who is called, and how often."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.lifecycle.domain.checks.finding import Finding, Question, day, worst_of
from services.lifecycle.domain.evaluation.events import Evidence, Value
from services.lifecycle.domain.facts import Member, Rota, Shift, Side


def rota_with_a_developer(question: Question) -> Finding | None:
    """Whether somebody is called: a developer at least, and an SRE where an SRE team is engaged."""
    rotas = question.facts.rotas
    if rotas is None:
        return None
    sides: tuple[Side, ...] = ("dev", "sre") if question.facts.engagement else ("dev",)
    return _has(rotas, sides)


def rota_with_both_sides(question: Question) -> Finding | None:
    """Whether developers and SREs share the rota; without an engagement there is nobody to share it with."""
    if question.facts.engagement is None:
        return Finding("not_applicable", "no SRE team is engaged; developers answer for it alone")
    rotas = question.facts.rotas
    return None if rotas is None else _has(rotas, ("dev", "sre"))


def rota_is_large_enough(question: Question) -> Finding | None:
    """Whether enough people share the rota for everybody to rest: at one site, or at two."""
    if question.facts.engagement is None:
        return Finding("not_applicable", "no SRE team is engaged; developers answer for it alone")
    rotas = question.facts.rotas
    if rotas is None:
        return None
    alone, together = question.number("people_at_one_site"), question.number("people_at_each_of_two_sites")
    people = {member.person: member.site for member in _members(rotas)}
    sites = Counter(people.values())
    told = ", ".join(f"{count} at {site or 'no site'}" for site, count in sorted(sites.items())) or "nobody"
    large = [site for site, count in sites.items() if count >= together]
    if max(sites.values(), default=0) >= alone or len(large) > 1:
        return Finding("pass", told, tuple(map(_seen, rotas)))
    fix = f"have {alone:g} people at one site, or {together:g} at each of two"
    return Finding("fail", told, tuple(map(_seen, rotas)), fix)


def pages_per_shift(question: Question) -> Finding | None:
    """Whether shifts leave time to follow up: a shift longer than usual counts as several."""
    shifts = _lately(question)
    if shifts is None:
        return None
    found = _too_few(question, shifts)
    if found is not None:
        return found
    usual = timedelta(hours=question.number("shift_hours"))
    worth = sum(max((shift.end - shift.start) / usual, 1.0) for shift in shifts)
    pages = sum(shift.pages for shift in shifts)
    most, mean = question.number("pages"), pages / worth
    detail = f"{pages} pages in {worth:.0f} shifts of {question.number('shift_hours'):g} hours: {mean:.2f} each"
    evidence = _summed(question, shifts, {"pages": pages, "shifts": round(worth, 2), "pages_per_shift": round(mean, 4)})
    if mean > most:
        fix = f"remove the causes of the most frequent pages until there are at most {most:g} per shift"
        return Finding("fail", detail, evidence, fix)
    return Finding("pass", detail, evidence)


def operational_load(question: Question) -> Finding | None:
    """Whether interruptions on call, and the work that the teams recorded, leave time for engineering."""
    found = [*_recorded(question)]
    interrupted = _interrupted(question)
    if interrupted is not None and not (found and interrupted.result == "unknown"):
        found.append(("on call", interrupted))
    if len(found) == 1:
        return replace(found[0][1], detail=f"{found[0][0]}: {found[0][1].detail}")
    return worst_of(found) if found else None


def _recorded(question: Question) -> Iterator[tuple[str, Finding]]:
    """What each team's records say; nothing where a team records its operational work alone."""
    since, most = (question.at - question.days("window_days")).date(), question.number("share")
    lately = [work for work in question.facts.work if work.until > since]
    for team in dict.fromkeys(work.team for work in lately):
        own = [work for work in lately if work.team == team]
        spent, total = sum(work.hours for work in own if work.is_operational), sum(work.hours for work in own)
        if spent == total:
            continue
        values: dict[str, Value] = {"operational_hours": spent, "recorded_hours": total, "records": len(own)}
        evidence = (Evidence(team, "operational-work", question.at, values),)
        detail = f"{spent:g} of {total:g} recorded hours are operational work: {spent / total:.0%}"
        fix = f"automate or hand back work until at most {most:.0%} is left of it"
        yield (
            team,
            Finding("fail", detail, evidence, fix) if spent / total > most else Finding("pass", detail, evidence),
        )


def _interrupted(question: Question) -> Finding | None:
    shifts = _lately(question)
    if shifts is None:
        return None
    found = _too_few(question, shifts)
    if found is not None:
        return found
    hours_a_day = question.number("working_hours_a_day")
    working = sum((shift.end - shift.start) / timedelta(days=1) * hours_a_day for shift in shifts)
    spent = sum(shift.interrupt_minutes for shift in shifts) / 60
    share, most = spent / working, question.number("share")
    detail = f"{spent:.1f} of {working:.0f} working hours on call were interrupted: {share:.0%}"
    values: dict[str, Value] = {"interrupted_hours": round(spent, 2), "working_hours": round(working, 2)}
    evidence = _summed(question, shifts, values)
    if share > most:
        return Finding("fail", detail, evidence, f"automate or hand back work until at most {most:.0%} is left of it")
    return Finding("pass", detail, evidence)


def receiving_rota_live(question: Question) -> Finding | None:
    """Whether those who take the service over have answered for it long enough: developers, in a live rota."""
    rotas = question.facts.rotas
    if rotas is None:
        return None
    found = _has(rotas, ("dev",))
    if found.result != "pass":
        return found
    since = min(rota.active_since for rota in rotas if any(member.side == "dev" for member in rota.members))
    until = since + question.days("days")
    if question.at < until:
        fix = f"wait until {day(until)}; the handing side stays on call until then"
        return Finding("fail", f"live since {day(since)} only", found.evidence, fix)
    return Finding("pass", f"live since {day(since)}", found.evidence)


def _has(rotas: Sequence[Rota], sides: Sequence[Side]) -> Finding:
    present = {member.side for member in _members(rotas)}
    missing = [side for side in sides if side not in present]
    evidence = tuple(map(_seen, rotas))
    if missing:
        named = {"dev": "a developer", "sre": "an SRE"}
        absent = " and ".join(named[side] for side in missing)
        return Finding("fail", f"the rota lacks {absent}", evidence, f"add {absent} to a schedule of the service")
    people = len({member.person for member in _members(rotas)})
    return Finding("pass", f"{people} people, {' and '.join(sorted(present))}", evidence)


def _members(rotas: Sequence[Rota]) -> list[Member]:
    return [member for rota in rotas for member in rota.members]


def _seen(rota: Rota) -> Evidence:
    sides = Counter(member.side for member in rota.members)
    values: dict[str, Value] = {"schedule": rota.schedule, "dev": sides["dev"], "sre": sides["sre"]}
    return Evidence(rota.id, "schedule.changed", rota.at, values)


def _lately(question: Question) -> list[Shift] | None:
    """The shifts of the window, cut nowhere; None while no shift was ever heard of."""
    if question.facts.shifts is None:
        return None
    since, _ = _window(question)
    return [shift for shift in question.facts.shifts if shift.end > since]


def _window(question: Question) -> tuple[datetime, datetime]:
    """The weeks that are looked at: up to the end of the last shift while the one after it may still be going on.

    What a shift cost is told when it is over; otherwise a rota of weeks would be unknown on six days of seven.
    """
    shifts, until = question.facts.shifts or (), question.at
    last: datetime = max((shift.end for shift in shifts), default=until)
    longest: timedelta = max((shift.end - shift.start for shift in shifts), default=timedelta())
    if timedelta() <= until - last <= longest:
        until = last
    return until - question.days("window_days"), until


def _too_few(question: Question, shifts: Sequence[Shift]) -> Finding | None:
    """What to say when the shifts that were heard of leave too much of the window open."""
    start, until = _window(question)
    covered, reached = timedelta(), start
    for shift in sorted(shifts, key=lambda shift: shift.start):
        begin, end = max(shift.start, reached), min(shift.end, until)
        if end > begin:
            covered, reached = covered + (end - begin), end
    share, least = covered / question.days("window_days"), question.number("coverage")
    if share >= least:
        return None
    detail = f"closed shifts cover {share:.0%} of the last {question.number('window_days'):g} days"
    fix = "close the shifts that are over in the incidents service; the rest comes with time"
    return Finding("unknown", detail, _summed(question, shifts, {"coverage": round(share, 4)}), fix)


def _summed(question: Question, shifts: Sequence[Shift], values: dict[str, Value]) -> tuple[Evidence, ...]:
    last: datetime = max((shift.end for shift in shifts), default=question.at)
    ids = ", ".join(shift.id for shift in shifts)
    return (Evidence(question.facts.service, "shift.closed", last, values | {"events": ids}),)
