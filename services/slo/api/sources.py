"""Sources of measurements: where counts come from, and whether that works."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Select, func, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.applied import all_applied
from libs.events.handler import Outcome
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body, Name
from services.slo.config import SloSettings
from services.slo.contract import SOURCE
from services.slo.domain.errors import NoSuchSourceError
from services.slo.domain.source.commands import Auth, DefineSource, RetireSource, Settings, Tls
from services.slo.domain.source.decider import Defined, Retired, Source, Working
from services.slo.polling.polls import SOURCE_POLLS, failing, slos_of, time_of
from services.slo.projections.polled_slos import POLLED_SLOS, still_measured
from services.slo.projections.slos import SLOS
from services.slo.projections.sources import SOURCES
from services.slo.prometheus import Fault

router = Router(prefix="/v1/sources", tags=["sources"])
_HEALTH = ("slos", "error", "last_asked_at", "last_success_at", "read_until", "lag_s")  # what read models know
_NAMED = 20  # SLOs that are named one by one
_CATCH_UP_S = 5.0  # whether SLOs need it is asked of read models, when they show all that is stored

SourceState = Literal["unknown", "working", "failing", "retired"]
Secret = Annotated[str, Field(max_length=253, description="The name of a file in the service's folder of secrets.")]


class SourceAuth(Body):
    """How to show who asks; a secret is named, never sent."""

    kind: Literal["none", "basic", "bearer"] = "none"
    username: Annotated[str, Field(max_length=200)] = ""
    secret: Secret = ""


class SourceTls(Body):
    """Whom to trust, and who asks: names of secrets that hold PEM."""

    ca: Secret = ""
    certificate: Secret = ""
    key: Secret = ""


class SourceSettings(Body):
    """How a source is asked."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "prometheus",
                    "address": "https://prometheus.example.com",
                    "auth": {"kind": "bearer", "secret": "prometheus-token"},
                }
            ]
        }
    )

    kind: Literal["prometheus"] = "prometheus"
    address: Annotated[str, Field(max_length=500, description="Up to where /api/v1 begins.")]
    auth: SourceAuth = SourceAuth()
    tls: SourceTls = SourceTls()
    insecure: bool = False
    concurrency: Annotated[int, Field(strict=True, ge=1, le=64)] = 4
    timeout_s: Annotated[int, Field(strict=True, ge=1, le=300)] = 30
    settle_s: Annotated[int, Field(strict=True, ge=0, le=3600)] = 30
    late_s: Annotated[int, Field(strict=True, ge=60, le=86_400)] = 600

    @property
    def settings(self) -> Settings:
        """As the rules know them."""
        given = self.model_dump(exclude={"name", "auth", "tls"})
        return Settings(**given, auth=Auth(**self.auth.model_dump()), tls=Tls(**self.tls.model_dump()))


class NewSource(SourceSettings):
    """A source under a name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "prometheus", "kind": "prometheus", "address": "https://prometheus.example.com"}]
        }
    )

    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFault:
    """What is wrong, where, and how to mend it."""

    code: str
    place: str
    detail: str
    remedy: str
    slo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceItem:
    """A source and its health.

    `read_until` is where the newest minute ends that was read, `lag_s` how long that is ago.
    """

    name: str
    revision: int | None
    state: SourceState
    since: datetime | None
    settings: Mapping[str, Any] | None
    slos: int
    error: SourceFault | None
    last_asked_at: datetime | None
    last_success_at: datetime | None
    read_until: datetime | None
    lag_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswer(SourceItem):
    """A source, its health, and SLOs whose queries it does not answer."""

    failing_slos: list[SourceFault]


@router.post(
    "",
    status_code=201,
    response_model=SourceItem,
    openapi_extra=needs("sources.write"),
    responses=responses(409, 422),
)
@retried_on_conflict
async def define_source(request: Request, body: NewSource, call: CallDep) -> Response:
    """Define a source that SLOs name in `metricSourceRef`; it is asked from now on."""
    loaded = await call.resources.handler.load(SOURCE, body.name)
    held = loaded.state
    if isinstance(held, Defined) and held.settings != body.settings:
        detail = f"source {body.name!r} has other settings (revision {held.revision}); PUT /v1/sources/{body.name}"
        raise Problem(409, "source-exists", "The name has other settings", detail, [Place(detail, "/name")])
    location = f"/v1/sources/{body.name}"
    return await _define(request, body.name, body.settings, call.pinned(loaded), status=201, location=location)


@router.put(
    "/{source}",
    response_model=SourceItem,
    openapi_extra=needs("sources.write"),
    responses=responses(409, 422),
)
async def revise_source(request: Request, source: str, body: SourceSettings, call: CallDep) -> Response:
    """Define the source, or change how it is asked."""
    return await _define(request, source, body.settings, call)


@router.delete(
    "/{source}",
    response_model=SourceItem,
    openapi_extra=needs("sources.write"),
    responses=responses(404, 409),
    dependencies=[fresh(POLLED_SLOS)],
)
async def retire_source(source: str, call: CallDep, reason: Annotated[str, Query(max_length=500)] = "") -> Response:
    """Ask it no more; it stays readable, and so do its measurements."""
    await all_applied(call.resources, SLOS, POLLED_SLOS, patience_s=_CATCH_UP_S)
    number, names = await call.resources.views.read(slos_of, source, _NAMED)
    if number:
        detail = f"{number} SLOs are polled from it ({', '.join(names)}); have them name another source first"
        raise Problem(409, "source-needed", "SLOs need the source", detail, extra={"slos": list(names)})
    command = RetireSource(source, reason, call.context.at)
    return await call.handle(SOURCE, source, command, body=_body)


@router.get("", openapi_extra=needs("sources.read"), dependencies=[fresh(SOURCES)])
async def list_sources(
    resources: ResourcesDep, page: PageDep, state: Annotated[list[SourceState] | None, Query()] = None
) -> Page[SourceItem]:
    """All sources with their health, by name."""
    now = resources.clock.now()
    query = _healthy()
    if state:
        query = query.where(SOURCES.view.c.state.in_(state))
    return await resources.views.read(
        page.fetch, query, key=SOURCES.view.c.source, item=lambda row: SourceItem(**_item(row, now))
    )


@router.get(
    "/{source}",
    response_model=SourceAnswer,
    openapi_extra=needs("sources.read"),
    responses=responses(404),
    dependencies=[fresh(SOURCES)],
)
async def get_source(request: Request, source: str, resources: ResourcesDep) -> Response:
    """One source: its settings, its health, and what it does not answer."""
    now = resources.clock.now()
    loaded = await resources.handler.load(SOURCE, source)
    said = _fields(source, loaded.state)

    def find(connection: Connection) -> SourceAnswer:
        row = connection.execute(_healthy().where(SOURCES.view.c.source == source)).mappings().one_or_none()
        told = {name: value for name, value in _item(row, now).items() if name in _HEALTH} if row else {}
        if row and row["state"] != said["state"]:
            told["error"] = None  # the read model is a moment behind
        faults = [
            SourceFault(slo=slo, **asdict(fault), remedy=fault.remedy)
            for slo, fault in failing(connection, source, _NAMED)
        ]
        return SourceAnswer(**said | told, failing_slos=faults)

    return answer(request, await resources.views.read(find))


async def _define(
    request: Request,
    source: str,
    settings: Settings,
    call: Call,
    status: int = 200,
    location: str | None = None,
) -> Response:
    allowed: SloSettings = request.app.state.settings
    if not allowed.may_ask(settings.address):
        fault = Fault("source-not-allowed", "address", f"the host of {settings.address!r} may not be asked")
        detail = f"{fault.detail}; {fault.remedy}"
        raise Problem(422, fault.code, "The host is not allowed", detail, [Place(detail, "/address")])
    command = DefineSource(source, settings, call.context.at)
    return await call.handle(SOURCE, source, command, body=_body, status=status, location=location)


def _body(outcome: Outcome[Source]) -> SourceItem:
    return SourceItem(**_fields(outcome.stream.partition("/")[2], outcome.state))


def _fields(source: str, state: Source) -> dict[str, Any]:
    """What the rules alone know."""
    held: dict[str, Any]
    match state:
        case None:
            raise NoSuchSourceError(source)
        case Retired(at=at):
            held = {"revision": None, "settings": None, "state": "retired", "since": at}
        case Defined(settings, revision, health):
            said: SourceState = "unknown"
            if health is not None:
                said = "working" if isinstance(health, Working) else "failing"
            since = None if health is None else health.since
            held = {"revision": revision, "settings": asdict(settings), "state": said, "since": since}
    return dict.fromkeys(_HEALTH) | {"name": source, "slos": 0} | held


def _healthy() -> Select[Any]:
    """Sources with their health and the number of their SLOs."""
    view, polls, polled = SOURCES.view, SOURCE_POLLS, POLLED_SLOS.view
    asked = select(func.count()).where(polled.c.source == view.c.source, still_measured())
    slos = asked.scalar_subquery().label("slos")
    query = select(view, slos, polls.c.asked_at, polls.c.succeeded_at, polls.c.read_until)
    return query.outerjoin(polls, polls.c.source == view.c.source)


def _item(row: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    read_until = None if row["read_until"] is None else time_of(row["read_until"])
    error = SourceFault(**{name: row[name] for name in ("code", "place", "detail", "remedy")}) if row["code"] else None
    return {
        "name": row["source"],
        "revision": row["revision"],
        "state": row["state"],
        "since": row["since"],
        "settings": row["settings"],
        "slos": row["slos"],
        "error": error,
        "last_asked_at": row["asked_at"],
        "last_success_at": row["succeeded_at"],
        "read_until": read_until,
        "lag_s": None if read_until is None else (now - read_until).total_seconds(),
    }
