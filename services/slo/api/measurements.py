"""Measurements by HTTP: checked, published, and accepted once the log has them on disk."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.resources import Resources
from libs.events.store import Answer
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.slo.api.definitions import existing
from services.slo.api.schemas import Accepted, Bucket, Buckets, ManyBuckets, Results
from services.slo.config import SloSettings
from services.slo.contract import SLO
from services.slo.domain.errors import NoSuchSloError
from services.slo.measurements import Measurement, record

router = Router(prefix="/v1", tags=["measurements"])
_NAMED = 100  # wrong buckets that are named one by one


@router.post(
    "/slos/{slo}/measurements",
    status_code=202,
    response_model=Accepted,
    openapi_extra=needs("measurements.write"),
    responses=responses(404, 422),
)
async def measure_slo(request: Request, slo: str, body: Buckets, call: CallDep) -> Response:
    """Send absolute counts per minute; sending again, late or corrected is safe."""

    async def work() -> Answer:
        await _refuse_absent(call.resources, slo)
        wrong = _wrong(body.buckets, _latest(request, call.context.at))
        if wrong:
            raise _invalid(wrong)
        await _publish(call.resources, slo, body, call.context.at)
        return Answer(202, encode(Accepted(slo=slo, accepted=len(body.buckets))))

    return await call.run(work)


@router.post(
    "/measurements",
    status_code=207,
    response_model=Results,
    openapi_extra=needs("measurements.write"),
    responses=responses(422),
)
async def measure_slos(request: Request, body: ManyBuckets, call: CallDep) -> Response:
    """Send counts of many SLOs; each gets a result of its own."""

    async def work() -> Answer:
        latest = _latest(request, call.context.at)
        results: list[dict[str, Any]] = []
        for index, item in enumerate(body.items):
            try:
                await _refuse_absent(call.resources, item.slo)
            except NoSuchSloError as error:
                results.append(
                    _refused(item.slo, 404, "not-found", str(error), [Place(str(error), f"/items/{index}/slo")])
                )
                continue
            wrong = _wrong(item.buckets, latest, f"/items/{index}")
            if wrong:
                problem = _invalid(wrong)
                results.append(_refused(item.slo, 422, problem.code, problem.detail, wrong))
                continue
            await _publish(call.resources, item.slo, item, call.context.at)
            results.append({"slo": item.slo, "status": 202, "accepted": len(item.buckets)})
        return Answer(207, encode({"items": results}))

    return await call.run(work)


async def _refuse_absent(resources: Resources, slo: str) -> None:
    existing((await resources.handler.load(SLO, slo)).state, slo)


def _latest(request: Request, now: datetime) -> datetime:
    settings: SloSettings = request.app.state.settings
    return now + timedelta(seconds=settings.future_s)


def _wrong(buckets: Sequence[Bucket], latest: datetime, above: str = "") -> list[Place]:
    """What is wrong with *buckets* beyond their shape."""
    wrong: list[Place] = []
    for index, bucket in enumerate(buckets):
        at = f"{above}/buckets/{index}"
        if bucket.good > bucket.total:
            wrong.append(Place(f"good is {bucket.good}, more than total, which is {bucket.total}", f"{at}/good"))
        if bucket.start.second or bucket.start.microsecond:
            wrong.append(Place("a bucket starts at a full minute; send absolute counts per minute", f"{at}/start"))
        elif bucket.start > latest:
            wrong.append(Place(f"lies in the future, beyond {latest.isoformat()}; check the clock", f"{at}/start"))
    return wrong


def _invalid(wrong: Sequence[Place]) -> Problem:
    said = "; ".join(f"{place.pointer}: {place.detail}" for place in wrong[:3])
    more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""  # noqa: PLR2004  as many as are said
    return Problem(422, "invalid-measurements", "Buckets are wrong", said + more, wrong[:_NAMED])


def _refused(slo: str, status: int, code: str, detail: str, wrong: Sequence[Place]) -> dict[str, Any]:
    return {"slo": slo, "status": status, "problem": {"code": code, "detail": detail, "errors": wrong[:_NAMED]}}


async def _publish(resources: Resources, slo: str, body: Buckets, now: datetime) -> None:
    revision = int(now.timestamp() * 1_000_000) if body.revision is None else body.revision
    records = [record(Measurement(slo, b.start, body.source, revision, b.good, b.total)) for b in body.buckets]
    await resources.bus.publisher().publish(records)
