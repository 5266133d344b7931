"""A finding's rules: who does what next, and that nobody passes their own work.

open > triaged > in_progress > fixed > verified > closed
open | triaged | in_progress > waived > open, when the waiver is over
open | triaged | in_progress > rejected
fixed | verified | closed | waived | rejected > open again
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from services.lifecycle.domain.errors import UnknownReferenceError
from services.lifecycle.domain.readiness_review.commands import (
    FindingCommand,
    FindingStep,
    MoveFinding,
    OpenFinding,
    Reclassify,
    Request,
    Triage,
    Waive,
)
from services.lifecycle.domain.readiness_review.errors import (
    IllegalStepError,
    InvalidDueError,
    UnknownPartError,
    WaivedTooOftenError,
)
from services.lifecycle.domain.readiness_review.events import (
    FindingEvent,
    FindingMoved,
    FindingOpened,
    FindingReclassified,
    FindingState,
    FindingTriaged,
    FindingWaived,
)
from services.lifecycle.domain.readiness_review.rights import (
    Judges,
    require_judge,
    require_text,
)
from services.lifecycle.domain.readiness_review.state import Finding

VERBS: dict[FindingState, tuple[str, ...]] = {
    "open": ("triage", "waive", "reject", "reclassify"),
    "triaged": ("start", "triage", "waive", "reject", "reclassify"),
    "in_progress": ("fix", "waive", "reject", "reclassify"),
    "fixed": ("verify", "reopen", "reclassify"),
    "verified": ("close", "reopen"),
    "closed": ("reopen",),
    "waived": ("reopen",),
    "rejected": ("reopen",),
}
_LEADS_TO: dict[FindingStep, FindingState] = {
    "start": "in_progress",
    "fix": "fixed",
    "verify": "verified",
    "close": "closed",
    "reject": "rejected",
    "reopen": "open",
}


@dataclass(frozen=True, slots=True)
class Found:
    """Where findings are: in a readiness review, or in what is known of a service's architecture.

    Args:
        service: What they are about.
        items: What a finding can be about.
        findings: By id.
        judges: Who may judge them.
    """

    service: str
    items: Container[str]
    findings: Mapping[str, Finding]
    judges: Judges


def about_finding(command: FindingCommand, found: Found) -> tuple[FindingEvent, ...]:
    """The facts a command about a finding produces; none if it was already carried out.

    Raises:
        ReviewError: It is refused (`errors.py`).
    """
    if isinstance(command, OpenFinding):
        return _opened(command, found)
    finding = found.findings.get(command.finding)
    if finding is None:
        raise UnknownPartError("finding", command.finding)
    match command:
        case Triage():
            return _triaged(command, found, finding)
        case Reclassify():
            return _reclassified(command, found, finding)
        case Waive():
            return _waived(command, found, finding)
        case MoveFinding():
            return _moved(command, found, finding)


def gone_on(command: Request) -> Iterator[FindingOpened]:
    """The findings that a delta review takes over: those that nobody has settled; a waived one is decided anew."""
    previous = command.previous.record if command.previous else None
    for name, finding in previous.findings.items() if previous else ():
        if not finding.is_unsettled and finding.state != "waived":
            continue
        opened = finding.opened
        yield FindingOpened(
            review=command.review,
            service=command.service,
            finding=command.finding_ids[name],
            item=opened.item,
            title=opened.title,
            text=opened.text,
            severity=finding.severity,
            source=opened.source,
            carried_from=name,
            owner=finding.owner,
            due=finding.due,
            by=opened.by,
            at=command.at,
        )


def _opened(command: OpenFinding, found: Found) -> tuple[FindingEvent, ...]:
    if command.item and command.item not in found.items:
        raise UnknownReferenceError("item", command.item, "item")
    if command.finding in found.findings:
        return ()
    return (
        FindingOpened(
            review=command.review,
            service=found.service,
            finding=command.finding,
            item=command.item,
            title=command.title,
            text=command.text,
            severity=command.severity,
            source=command.source,
            carried_from="",
            owner="",
            due=None,
            by=command.by.name,
            at=command.at,
        ),
    )


def _triaged(command: Triage, found: Found, finding: Finding) -> tuple[FindingEvent, ...]:
    if (finding.state, finding.owner, finding.due) == ("triaged", command.owner, command.due):
        return ()
    _require_step(finding, "triage")
    if command.due < command.at.date():
        raise InvalidDueError(command.due, None, "", "/due")
    return (
        FindingTriaged(
            command.review,
            found.service,
            command.finding,
            command.owner,
            command.due,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _reclassified(command: Reclassify, found: Found, finding: Finding) -> tuple[FindingEvent, ...]:
    if finding.severity == command.severity:
        return ()
    _require_step(finding, "reclassify")
    found.judges.require_decider(command.by, *([finding.owner] if finding.owner else []))
    require_text(command.reason, "reason", "whoever is blocked, or no longer, wants to know why")
    return (
        FindingReclassified(
            command.review,
            found.service,
            command.finding,
            command.severity,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _waived(command: Waive, found: Found, finding: Finding) -> tuple[FindingEvent, ...]:
    waiver, policy = finding.waiver, command.policy
    if finding.state == "waived" and waiver and (waiver.until, waiver.control) == (command.until, command.control):
        return ()
    _require_step(finding, "waive")
    require_judge(found.judges, finding, command.by)
    require_text(command.reason, "reason", "a risk that is taken has a reason")
    latest = command.at + policy.waiver.span
    if not command.at < command.until <= latest:
        raise InvalidDueError(command.until, latest, policy.waiver.source, "/until")
    if finding.waivers >= policy.waivers.count:
        raise WaivedTooOftenError(command.finding, policy.waivers.count, policy.waivers.source)
    return (
        FindingWaived(
            command.review,
            found.service,
            command.finding,
            command.control,
            command.control_url,
            command.until,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _moved(command: MoveFinding, found: Found, finding: Finding) -> tuple[FindingEvent, ...]:
    to = _LEADS_TO[command.step]
    if finding.state == to:
        return ()
    _require_step(finding, command.step)
    match command.step:
        case "fix":
            require_text(command.url, "url", "say where the fix can be seen")
        case "verify":
            found.judges.require_reviewer(command.by, finding.owner, finding.fixed_by)
        case "reject":
            require_judge(found.judges, finding, command.by)
            require_text(command.reason, "reason", "whoever found it wants to know why")
        case "reopen":
            require_text(command.reason, "reason", "whoever took it for settled wants to know why")
        case "start" | "close":
            pass
    return (
        FindingMoved(
            command.review,
            found.service,
            command.finding,
            finding.state,
            to,
            command.url,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _require_step(finding: Finding, step: str) -> None:
    if step not in VERBS[finding.state]:
        raise IllegalStepError("finding", finding.state, step, VERBS[finding.state])
