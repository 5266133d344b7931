"""`/v1/ci-reports`: what CI counts about the code of services, as raw numbers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import ConfigDict, Field, HttpUrl, StringConstraints
from sqlalchemy import RowMapping, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Loaded, Outcome
from libs.events.ids import new_id
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body, Moment, Name
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.delivery.deployment_schemas import Id
from services.lifecycle.api.references import living_service
from services.lifecycle.api.views import key_of
from services.lifecycle.contract import CI_REPORT
from services.lifecycle.domain.ci_report.commands import Report
from services.lifecycle.domain.ci_report.decider import CiReport
from services.lifecycle.domain.ci_report.events import CiReported
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.projections.ci_reports import CI_REPORTS

router = Router(prefix="/v1/ci-reports", tags=["ci-reports"])
_READ, _WRITE = needs("ci-reports.read"), needs("ci-reports.write")
_COUNTED = ("changes", "test_coverage", "escaped_defects")
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class NewCiReport(Body):
    """What CI counted about the code of a service; at least one of the three numbers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "main-4711",
                    "service": "checkout-api",
                    "changes": 3,
                    "test_coverage": 0.81,
                    "escaped_defects": 0,
                    "commit": "9fceb02d0ae598e95dc970b74767f19372d61af8",
                    "url": "https://ci.example/runs/4711",
                }
            ]
        }
    )

    id: Id | None = Field(default=None, description="The sender's own; the same id again changes nothing.")
    service: Name
    changes: Count | None = Field(default=None, description="Merged, and not told of before.")
    test_coverage: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        default=None, description="The share of the code that tests run through."
    )
    escaped_defects: Count | None = Field(
        default=None, description="Met by users, and not told of before; 0 says that there are none."
    )
    commit: Annotated[str, StringConstraints(max_length=200)] = ""
    url: HttpUrl | None = None
    at: Moment | None = Field(default=None, description="When it was counted; now, unless given.")


@dataclass(frozen=True, slots=True)
class CiReportView:
    """What CI counted; null is what it did not count."""

    id: str
    service: str
    changes: int | None
    test_coverage: float | None
    escaped_defects: int | None
    commit: str
    url: str | None
    at: datetime
    by: str
    recorded: datetime


@router.post("", status_code=201, response_model=CiReportView, openapi_extra=_WRITE, responses=responses(409, 422))
async def report_from_ci(body: NewCiReport, call: CallDep) -> Response:
    """Tell how many changes were merged, what tests cover, and which defects users met; never whose they were."""
    await living_service(call.resources, body.service, "service")
    if all(getattr(body, name) is None for name in _COUNTED):
        place = Place(f"give at least one of {', '.join(_COUNTED)}", "/changes")
        raise Problem(422, "nothing-counted", "Nothing is counted", place.detail, [place])
    report = body.id or str(new_id())
    what = CiReported(
        report=report,
        service=body.service,
        changes=body.changes,
        test_coverage=body.test_coverage,
        escaped_defects=body.escaped_defects,
        commit=body.commit,
        url=str(body.url or ""),
        done_at=body.at or call.context.at,
        by=call.principal.name,
        at=call.context.at,
    )
    command = Report(what, dated=body.at is not None)
    return await call.handle(CI_REPORT, report, command, body=_shown, status=201, location=f"/v1/ci-reports/{report}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(CI_REPORTS)])
async def list_ci_reports(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[CiReportView]:
    """List what CI reported, the newest first."""
    view = CI_REPORTS.view
    query = select(view)
    if service:
        query = query.where(view.c.service.in_(service))
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    return await resources.views.read(
        page.fetch, query, key=view.c.report, orders={"done_at": view.c.done_at}, item=_row, descending=True
    )


@router.get("/{report}", response_model=CiReportView, openapi_extra=_READ, responses=responses(404))
async def get_ci_report(report: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read one report."""
    loaded = await resources.handler.load(CI_REPORT, report, as_of=as_of)
    return etag.answer(request, _shown(loaded), version=loaded.version)


def _shown(found: Loaded[CiReport] | Outcome[CiReport]) -> CiReportView:
    if found.state is None:
        raise UnknownError("report", key_of(found))
    return _view(found.state)


def _row(row: RowMapping) -> CiReportView:
    told = {name: row[name] for name in CiReported.__dataclass_fields__}
    return _view(CiReported(**told))


def _view(told: CiReported) -> CiReportView:
    return CiReportView(
        id=told.report,
        service=told.service,
        changes=told.changes,
        test_coverage=told.test_coverage,
        escaped_defects=told.escaped_defects,
        commit=told.commit,
        url=told.url or None,
        at=told.done_at,
        by=told.by,
        recorded=told.at,
    )
