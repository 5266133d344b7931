"""What comes in and goes out of the findings of a readiness review."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import ConfigDict, Field, HttpUrl

from libs.web.schemas import Body, Filled, Line, Moment, Name, Text
from services.lifecycle.api.reviews.review_verdict_schemas import Why
from services.lifecycle.domain.readiness_review.events import (
    FindingState,
)
from services.lifecycle.domain.readiness_review.findings import VERBS as FINDING_VERBS
from services.lifecycle.domain.readiness_review.next_steps import NextStep, finding_step
from services.lifecycle.domain.readiness_review.state import (
    Change,
    Finding,
    Record,
)
from services.lifecycle.domain.review_template.checklist import Severity


class OpenFindingBody(Body):
    """Something that is not as it should be."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Retries without a limit",
                    "text": "A slow payment provider is asked again without end; bound the retries, and back off.",
                    "severity": "blocking",
                    "item": "failure-of-each-dependency",
                }
            ]
        }
    )

    title: Line
    text: Filled
    severity: Severity
    item: Annotated[str, Field(description="The item of the checklist that it is about.")] = ""
    source: Annotated[Text, Field(description="What brought it to light, such as a chaos experiment.")] = ""


class TriageBody(Why):
    """Who has a finding, and until when."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"owner": "ana", "due": "2026-12-04"}]})

    owner: Name
    due: date


class ReclassifyBody(Why):
    """How severe a finding is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"severity": "conditional", "reason": "only batch jobs are hit"}]}
    )

    severity: Severity


class FixBody(Why):
    """Where a fix can be seen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://git.example/checkout/pull/42"}]})

    url: HttpUrl


class WaiveBody(Why):
    """Until when a finding is lived with, and what makes up for it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "control": "the queue is drained by hand each morning",
                    "control_url": "https://wiki.example/runbooks/drain",
                    "until": "2026-12-31T00:00:00Z",
                    "reason": "the new queue comes with the next release",
                }
            ]
        }
    )

    control: Annotated[Text, Field(min_length=1, description="What is in place already.")]
    control_url: HttpUrl
    until: Moment


@dataclass(frozen=True, slots=True)
class FindingWaiverView:
    """Until when a finding is lived with, and what makes up for it."""

    control: str
    control_url: str
    until: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding; `next` is who must do what about it, `allowed` the verbs that are possible now."""

    id: str
    review: str
    service: str
    item: str | None
    title: str
    text: str
    severity: Severity
    state: FindingState
    owner: str | None
    due: date | None
    url: str | None
    waiver: FindingWaiverView | None
    source: str
    carried_from: str | None
    opened_by: str
    opened_at: datetime
    history: tuple[Change, ...]
    allowed: tuple[str, ...]
    next: NextStep | None


def finding_view(record: Record, finding: Finding) -> FindingView:
    """A finding of a readiness review as it is answered."""
    return shown_finding(finding, finding_step(record, finding))


def shown_finding(finding: Finding, next_step: NextStep | None) -> FindingView:
    """A finding as it is answered, with what must happen next about it."""
    opened, waiver = finding.opened, finding.waiver
    return FindingView(
        id=opened.finding,
        review=opened.review,
        service=opened.service,
        item=opened.item or None,
        title=opened.title,
        text=opened.text,
        severity=finding.severity,
        state=finding.state,
        owner=finding.owner or None,
        due=finding.due,
        url=finding.url or None,
        waiver=FindingWaiverView(waiver.control, waiver.control_url, waiver.until, waiver.by, waiver.reason)
        if waiver and finding.state == "waived"
        else None,
        source=opened.source,
        carried_from=opened.carried_from or None,
        opened_by=opened.by,
        opened_at=opened.at,
        history=finding.history,
        allowed=FINDING_VERBS[finding.state],
        next=next_step,
    )
