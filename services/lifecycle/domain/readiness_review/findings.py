"""A finding's rules: who does what next, and that nobody passes their own work.

open > triaged > in_progress > fixed > verified > closed
open | triaged | in_progress > waived > open, when the waiver is over
open | triaged | in_progress > rejected
fixed | verified | closed | waived | rejected > open again
"""

from collections.abc import Iterator

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
    Event,
    FindingMoved,
    FindingOpened,
    FindingReclassified,
    FindingState,
    FindingTriaged,
    FindingWaived,
)
from services.lifecycle.domain.readiness_review.rights import (
    require_decider,
    require_judge,
    require_reviewer,
    require_text,
)
from services.lifecycle.domain.readiness_review.state import Finding, Record

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


def about_finding(command: FindingCommand, record: Record) -> tuple[Event, ...]:
    """The facts a command about a finding produces; none if it was already carried out.

    Raises:
        ReviewError: It is refused (`errors.py`).
    """
    if isinstance(command, OpenFinding):
        return _opened(command, record)
    finding = record.findings.get(command.finding)
    if finding is None:
        raise UnknownPartError("finding", command.finding)
    match command:
        case Triage():
            return _triaged(command, record, finding)
        case Reclassify():
            return _reclassified(command, record, finding)
        case Waive():
            return _waived(command, record, finding)
        case MoveFinding():
            return _moved(command, record, finding)


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


def _opened(command: OpenFinding, record: Record) -> tuple[Event, ...]:
    if command.item and command.item not in record.items:
        raise UnknownReferenceError("item", command.item, "item")
    if command.finding in record.findings:
        return ()
    return (
        FindingOpened(
            review=command.review,
            service=record.request.service,
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


def _triaged(command: Triage, record: Record, finding: Finding) -> tuple[Event, ...]:
    if (finding.state, finding.owner, finding.due) == ("triaged", command.owner, command.due):
        return ()
    _require_step(finding, "triage")
    if command.due < command.at.date():
        raise InvalidDueError(command.due, None, "", "/due")
    return (
        FindingTriaged(
            command.review,
            record.request.service,
            command.finding,
            command.owner,
            command.due,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _reclassified(command: Reclassify, record: Record, finding: Finding) -> tuple[Event, ...]:
    if finding.severity == command.severity:
        return ()
    _require_step(finding, "reclassify")
    require_decider(record, command.by, *([finding.owner] if finding.owner else []))
    require_text(command.reason, "reason", "whoever is blocked, or no longer, wants to know why")
    return (
        FindingReclassified(
            command.review,
            record.request.service,
            command.finding,
            command.severity,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _waived(command: Waive, record: Record, finding: Finding) -> tuple[Event, ...]:
    waiver, policy = finding.waiver, command.policy
    if finding.state == "waived" and waiver and (waiver.until, waiver.control) == (command.until, command.control):
        return ()
    _require_step(finding, "waive")
    require_judge(record, finding, command.by)
    require_text(command.reason, "reason", "a risk that is taken has a reason")
    latest = command.at + policy.waiver.span
    if not command.at < command.until <= latest:
        raise InvalidDueError(command.until, latest, policy.waiver.source, "/until")
    if finding.waivers >= policy.waivers.count:
        raise WaivedTooOftenError(command.finding, policy.waivers.count, policy.waivers.source)
    return (
        FindingWaived(
            command.review,
            record.request.service,
            command.finding,
            command.control,
            command.control_url,
            command.until,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _moved(command: MoveFinding, record: Record, finding: Finding) -> tuple[Event, ...]:
    to = _LEADS_TO[command.step]
    if finding.state == to:
        return ()
    _require_step(finding, command.step)
    match command.step:
        case "fix":
            require_text(command.url, "url", "say where the fix can be seen")
        case "verify":
            require_reviewer(record, command.by, finding.owner, finding.fixed_by)
        case "reject":
            require_judge(record, finding, command.by)
            require_text(command.reason, "reason", "whoever found it wants to know why")
        case "reopen":
            require_text(command.reason, "reason", "whoever took it for settled wants to know why")
        case "start" | "close":
            pass
    return (
        FindingMoved(
            command.review,
            record.request.service,
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
