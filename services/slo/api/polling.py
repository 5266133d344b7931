"""How far an SLO's source has been read, and reading more of the past."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.resources import Resources
from libs.events.store import Answer
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.etag import answer
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body
from services.slo.api.definitions import existing
from services.slo.api.schemas import Time
from services.slo.api.sources import SourceFault
from services.slo.contract import SLO
from services.slo.domain.slo.decider import definition_of
from services.slo.polling.polls import ask_backfill, read, time_of
from services.slo.prometheus import Fault, Progress
from services.slo.prometheus.polled import Polled, polled

router = Router(prefix="/v1/slos/{slo}", tags=["sources"])


class AskBackfill(Body):
    """Which past to read; full minutes, `until` not included."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"from": "2026-10-24T00:00:00Z", "until": "2026-11-21T00:00:00Z"}]}
    )

    since: Annotated[Time, Field(alias="from")]
    until: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class PollProgress:
    """What is read of a range: everything up to `done_until`."""

    since: datetime
    until: datetime
    done_until: datetime
    minutes: int
    minutes_done: int
    done: bool
    error: SourceFault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """How far the source of an SLO is read: live, and the backfill that was asked for last."""

    slo: str
    source: str
    live: PollProgress | None
    backfill: PollProgress | None


@router.get("/polling", response_model=Polling, openapi_extra=needs("slos.read"), responses=responses(404, 409))
async def get_slo_polling(request: Request, slo: str, resources: ResourcesDep) -> Response:
    """How far the source of the SLO is read."""
    source = (await _polled(resources, slo)).source
    return answer(request, await _found(resources, slo, source))


@router.post(
    ":backfill",
    status_code=202,
    response_model=Polling,
    openapi_extra=needs("measurements.write"),
    responses=responses(404, 409, 422),
)
async def backfill_slo(slo: str, body: AskBackfill, call: CallDep) -> Response:
    """Read the past of the SLO from its source, oldest first; asked again while it runs, it goes on."""

    async def work() -> Answer:
        source = (await _polled(call.resources, slo)).source
        progress = Progress.between(body.since, min(body.until, call.context.at))
        if progress.first >= progress.end:
            detail = "holds no full minute of the past; from must lie before until, and before now"
            raise Problem(422, "empty-range", "The range is empty", detail, [Place(detail, "/from")])
        await call.resources.views.write(ask_backfill, slo, progress)
        return Answer(202, encode(await _found(call.resources, slo, source)))

    return await call.run(work)


async def _polled(resources: Resources, slo: str) -> Polled:
    defined = existing((await resources.handler.load(SLO, slo.partition(".")[0])).state, slo)
    found = polled(definition_of(defined)).get(slo)
    if found is None:
        detail = (
            f"measurements of {slo!r} are sent; to have them polled, name a source (/v1/sources) in the"
            " metricSourceRef of each of its metrics"
        )
        raise Problem(409, "not-polled", "The SLO is not polled", detail)
    return found


async def _found(resources: Resources, slo: str, source: str) -> Polling:
    found = {kind: _progress(*held) for kind, held in (await resources.views.read(read, slo)).items()}
    return Polling(slo=slo, source=source, live=found.get("live"), backfill=found.get("backfill"))


def _progress(progress: Progress, fault: Fault | None) -> PollProgress:
    return PollProgress(
        since=time_of(progress.first),
        until=time_of(progress.end),
        done_until=time_of(progress.done),
        minutes=progress.end - progress.first,
        minutes_done=progress.done - progress.first,
        done=progress.done >= progress.end,
        error=fault and SourceFault(**asdict(fault), remedy=fault.remedy),
    )
