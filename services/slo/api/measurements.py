"""Measurements by HTTP: checked one by one, published, and accepted once the log has them on disk."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.bus import OutRecord
from libs.events.codec import encode
from libs.events.resources import Resources
from libs.events.store import Answer
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.slo.api.definitions import existing
from services.slo.api.schemas import Accepted, Buckets, ManyBuckets, PartlyAccepted, Results, WrongBucket
from services.slo.config import SloSettings
from services.slo.contract import SLO
from services.slo.domain.errors import NoSuchSloError
from services.slo.domain.slo.decider import definition_of
from services.slo.measurements.bucket_rules import REMEDIES, BucketRules, WrongBucketError, values_in
from services.slo.measurements.topic import Measurement, record
from services.slo.projections.slos import SLOS

router = Router(prefix="/v1", tags=["measurements"])
_NAMED = 100  # wrong buckets that are named one by one
_SOME = {"description": "Some buckets are wrong; the others are kept, and named"}


@router.post(
    "/slos/{slo}/measurements",
    status_code=202,
    response_model=Accepted,
    openapi_extra=needs("measurements.write"),
    responses=responses(404, 422) | {207: _SOME | {"model": PartlyAccepted}},
)
async def measure_slo(request: Request, slo: str, body: Buckets, call: CallDep) -> Response:
    """Send absolute counts per minute; sending again, late or corrected is safe.

    Of a composite, what its own indicators count is sent: of `cart` in `checkout-journey` as `checkout-journey.cart`.
    """

    async def work() -> Answer:
        await _refuse_unmeasured(call.resources, slo)
        records, accepted = _taken(slo, body, BucketRules(_latest(request, call.context.at)), call.context.at)
        if isinstance(accepted, PartlyAccepted) and not records:
            raise _nothing_kept(accepted)
        await call.resources.bus.publisher().publish(records)
        return Answer(_status(accepted), encode(accepted))

    return await call.run(work)


@router.post(
    "/measurements",
    status_code=202,
    response_model=Results,
    openapi_extra=needs("measurements.write"),
    responses=responses(422) | {207: _SOME | {"model": Results}},
)
async def measure_slos(request: Request, body: ManyBuckets, call: CallDep) -> Response:
    """Send counts of many SLOs; each gets a result of its own."""

    async def work() -> Answer:
        rules: dict[tuple[str, str], BucketRules] = {}  # an SLO may come twice, and a minute of it once
        refused = await _refused(call.resources, {item.slo for item in body.items})
        latest = _latest(request, call.context.at)
        records: list[OutRecord] = []
        results: list[dict[str, Any]] = []
        for index, item in enumerate(body.items):
            if item.slo in refused:
                results.append({"slo": item.slo} | _refusal(refused[item.slo], f"/items/{index}/slo"))
                continue
            rule = rules.setdefault((item.slo, item.source), BucketRules(latest))
            some, accepted = _taken(item.slo, item, rule, call.context.at, f"/items/{index}")
            records += some
            kept = {"status": _status(accepted)} | asdict(accepted)
            if isinstance(accepted, PartlyAccepted) and not some:
                kept = {"slo": item.slo} | _refusal(_nothing_kept(accepted))
            results.append(kept)
        await call.resources.bus.publisher().publish(records)
        kept_all = all(result["status"] == 202 for result in results)  # noqa: PLR2004  accepted
        return Answer(202 if kept_all else 207, encode({"items": results}))

    return await call.run(work)


def _taken(
    slo: str, sent: Buckets, rules: BucketRules, now: datetime, above: str = ""
) -> tuple[list[OutRecord], Accepted]:
    """The buckets of *sent* that are fine, as they are published, and what is said about all of them."""
    revision = int(now.timestamp() * 1_000_000) if sent.revision is None else sent.revision
    records: list[OutRecord] = []
    wrong: list[WrongBucket] = []
    refused: list[int] = []
    for index, bucket in enumerate(sent.buckets):
        try:
            start, good, total = values_in(bucket)
            at = rules.take(start, good, total)
        except WrongBucketError as error:
            refused.append(index)
            if len(wrong) < _NAMED:
                pointer = f"{above}/buckets/{index}" + (f"/{error.field}" if error.field else "")
                wrong.append(
                    WrongBucket(pointer=pointer, code=error.code, detail=error.detail, remedy=REMEDIES[error.code])
                )
        else:
            records.append(record(Measurement(slo, at, sent.source, revision, good, total)))
    number = len(records)
    if not refused:
        return records, Accepted(slo=slo, accepted=number)
    kept = _between(refused, len(sent.buckets))
    return records, PartlyAccepted(slo=slo, accepted=number, refused=len(refused), kept=kept, errors=wrong)


def _status(accepted: Accepted) -> int:
    return 207 if isinstance(accepted, PartlyAccepted) else 202


def _between(refused: Sequence[int], number: int) -> list[tuple[int, int]]:
    """The ranges of 0 to *number* that hold none of *refused*."""
    firsts, ends = [0, *(index + 1 for index in refused)], [*refused, number]
    return [(first, end) for first, end in zip(firsts, ends, strict=True) if first < end]


async def _refused(resources: Resources, slos: Collection[str]) -> dict[str, Problem]:
    """Those of *slos* that nothing is measured as, and why; one just defined may not be in the read model yet."""

    def known(connection: Connection) -> set[str]:
        view = SLOS.view.c
        names = {slo.partition(".")[0] for slo in slos}
        query = select(view.measured_as).where(view.slo.in_(names), view.service.is_not(None))
        return {each for found in connection.execute(query).scalars() for each in found.split()}

    refused: dict[str, Problem] = {}
    for slo in set(slos) - await resources.views.read(known):
        try:
            await _refuse_unmeasured(resources, slo)
        except NoSuchSloError as error:
            refused[slo] = Problem(404, "not-found", "There is no such SLO", str(error))
        except Problem as problem:
            refused[slo] = problem
    return refused


async def _refuse_unmeasured(resources: Resources, slo: str) -> None:
    """Refuse what nothing is measured as.

    Raises:
        NoSuchSloError: There is no such SLO, or it is no composite with an indicator of that name.
        Problem: 422, it is a composite, which is measured by its components.
    """
    name, _, component = slo.partition(".")
    definition = definition_of(existing((await resources.handler.load(SLO, name)).state, slo))
    if slo in definition.measured_as:
        return
    if component or not definition.composite:
        raise NoSuchSloError(slo)
    others = [
        each.component.of for each in definition.objectives if each.component and isinstance(each.component.of, str)
    ]
    detail = (
        f"{slo} is weighed from its components; send measurements of {', '.join((*definition.measured_as, *others))}"
    )
    raise Problem(422, "composite-not-measured", "A composite is not measured itself", detail, [Place(detail)])


def _latest(request: Request, now: datetime) -> datetime:
    settings: SloSettings = request.app.state.settings
    return now + timedelta(seconds=settings.future_s)


def _nothing_kept(accepted: PartlyAccepted) -> Problem:
    wrong = accepted.errors
    said = "; ".join(f"{each.pointer}: {each.detail}; {each.remedy}" for each in wrong[:3])
    more = f" (and {accepted.refused - 3} more)" if accepted.refused > 3 else ""  # noqa: PLR2004  as many as are said
    return Problem(422, "invalid-measurements", "No bucket can be kept", said + more, extra={"errors": wrong})


def _refusal(problem: Problem, pointer: str = "") -> dict[str, Any]:
    places = [Place(problem.detail, pointer)] if pointer else problem.errors
    said = {"code": problem.code, "title": problem.title, "detail": problem.detail, "errors": places}
    return {"status": problem.status, "problem": said | dict(problem.extra)}
