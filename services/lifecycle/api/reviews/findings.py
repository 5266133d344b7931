"""`/v1/findings`: what is not as it should be, across all services."""

from datetime import date
from typing import Annotated

from fastapi import Query

from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.reviews.review_finding_schemas import FindingView, finding_view
from services.lifecycle.api.reviews.reviewing import READ, ReviewsDep
from services.lifecycle.domain.readiness_review.events import FindingState
from services.lifecycle.domain.readiness_review.state import Ended, Finding
from services.lifecycle.domain.review_template.checklist import Severity
from services.lifecycle.projections.review_findings import REVIEW_FINDINGS
from services.lifecycle.projections.review_findings import findings as known_findings

router = Router(prefix="/v1/findings", tags=["readiness-reviews"])


@router.get("", openapi_extra=READ, dependencies=[fresh(REVIEW_FINDINGS)])
async def list_all_findings(  # noqa: PLR0913, PLR0917  each is a filter
    known: ReviewsDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    owner: Annotated[list[str] | None, Query(description="Who has it.")] = None,
    state: Annotated[list[FindingState] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    overdue: Annotated[  # noqa: FBT002  a parameter
        bool, Query(description="Only those that are not settled though their day is over.")
    ] = False,
    as_of: AsOf = None,
) -> Page[FindingView]:
    """List the findings of all reviews that go on or hold, the oldest first.

    What a delta review took over stands here once, as a finding of that one. A page may hold fewer findings than asked
    for, even none, while more follow.
    """
    today = (as_of or known.resources.clock.now()).date() if overdue else None
    query = known_findings(
        service or [],
        owners=owner or [],
        states=state or [],
        severities=severity or [],
        overdue_on=today,
        as_of=as_of,
    )
    view = REVIEW_FINDINGS.view
    found = await known.resources.views.read(
        page.fetch,
        query,
        key=view.c.finding,
        orders={"opened_at": view.c.opened_at},
        item=lambda row: (str(row["review"]), str(row["finding"])),
    )
    items: list[FindingView] = []
    for review, name in found.items:
        reviewed, _ = await known.load(review, as_of)
        finding = reviewed.record.findings[name]
        asked = (not owner or finding.owner in owner) and (not state or finding.state in state)
        asked = asked and (not severity or finding.severity in severity) and _is_late(finding, today)
        if asked and not isinstance(reviewed, Ended):
            items.append(finding_view(reviewed.record, finding))
    return Page(items=items, next_page_token=found.next_page_token)


def _is_late(finding: Finding, today: date | None) -> bool:
    return today is None or (finding.is_unsettled and finding.due is not None and finding.due < today)
