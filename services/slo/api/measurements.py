"""Measurements by HTTP: checked one by one, published, and accepted once the log has them on disk."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.resources import Resources
from libs.events.store import Answer
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router, ServiceRoute
from services.slo.api.definitions import existing
from services.slo.api.schemas import (
    Accepted,
    AcceptedLines,
    Buckets,
    ManyBuckets,
    PartlyAccepted,
    PartlyAcceptedLines,
    Results,
    RevisionParameter,
    SourceParameter,
    WrongBucket,
    lines_body,
)
from services.slo.config import SloSettings
from services.slo.contract import SLO
from services.slo.domain.day_sums import DAY_MIN
from services.slo.domain.errors import NoSuchSloError
from services.slo.domain.slo.decider import definition_of
from services.slo.measurements.bucket_rules import REMEDIES, BucketRules, WrongBucketError, values_in
from services.slo.measurements.retention import SloDay, gone
from services.slo.measurements.topic import Measurement, publish
from services.slo.projections.slos import SLOS


class _CountsRoute(ServiceRoute):
    """One whose NaN costs its bucket, not the batch."""

    takes_nan = True


router = Router(prefix="/v1", tags=["measurements"], route_class=_CountsRoute)
NAMED: Final = 100  # wrong buckets that are named one by one
_SOME = {"description": "Some buckets are wrong; the others are kept, and named"}


@router.post(
    "/slos/{slo}/measurements",
    status_code=202,
    response_model=Accepted | AcceptedLines,
    openapi_extra=needs("measurements.write") | lines_body("start,good,total"),
    responses=responses(404, 422) | {207: _SOME | {"model": PartlyAccepted | PartlyAcceptedLines}},
)
async def measure_slo(
    request: Request,
    slo: str,
    body: Buckets,
    call: CallDep,
    source: SourceParameter = None,
    revision: RevisionParameter = None,
) -> Response:
    """Send absolute counts per minute; sending again, late or corrected is safe.

    As JSON, or as CSV or JSON lines, where what is wrong is named by its line. Of a composite, what its own indicators
    count is sent: of `cart` in `checkout-journey` as `checkout-journey.cart`.
    """

    async def work() -> Answer:
        await refuse_unmeasured(call.resources, slo)
        judged = _judged(slo, body, BucketRules(latest(request, call.context.at)), call.context.at, source, revision)
        judged.refuse(await too_late(request, call, judged.kept.values()))
        accepted = judged.accepted()
        if isinstance(accepted, PartlyAccepted) and not judged.kept:
            raise _nothing_kept(accepted)
        await publish(call.resources.bus.publisher(), judged.kept.values())
        return Answer(_status(accepted), encode(accepted))

    return await call.run(work)


@router.post(
    "/measurements",
    status_code=202,
    response_model=Results | AcceptedLines,
    openapi_extra=needs("measurements.write") | lines_body("slo,start,good,total"),
    responses=responses(422) | {207: _SOME | {"model": Results | PartlyAcceptedLines}},
)
async def measure_slos(
    request: Request,
    body: ManyBuckets,
    call: CallDep,
    source: SourceParameter = None,
    revision: RevisionParameter = None,
) -> Response:
    """Send counts of many SLOs; each gets a result of its own.

    As JSON, or as CSV or JSON lines that name an SLO each, where what is wrong is named by its line.
    """

    async def work() -> Answer:
        rules: dict[tuple[str, str], BucketRules] = {}  # an SLO may come twice, and a minute of it once
        refused = await unmeasured(call.resources, {item.slo for item in body.items})
        last = latest(request, call.context.at)
        found: dict[int, _Judged] = {}
        for index, item in enumerate(body.items):
            if item.slo not in refused:
                rule = rules.setdefault((item.slo, _source(item, source)), BucketRules(last))
                found[index] = _judged(item.slo, item, rule, call.context.at, source, revision)
        late = await too_late(request, call, (each for judged in found.values() for each in judged.kept.values()))
        results: list[dict[str, Any]] = []
        for index, item in enumerate(body.items):
            judged = found.get(index)
            if judged is None:
                results.append({"slo": item.slo} | _refusal(refused[item.slo], f"/items/{index}/slo"))
                continue
            judged.refuse(late)
            accepted = judged.accepted(f"/items/{index}")
            kept = {"status": _status(accepted)} | asdict(accepted)
            if isinstance(accepted, PartlyAccepted) and not judged.kept:
                kept = {"slo": item.slo} | _refusal(_nothing_kept(accepted))
            results.append(kept)
        measurements = (each for judged in found.values() for each in judged.kept.values())
        await publish(call.resources.bus.publisher(), measurements)
        kept_all = all(result["status"] == 202 for result in results)  # noqa: PLR2004  accepted
        return Answer(202 if kept_all else 207, encode({"items": results}))

    return await call.run(work)


def latest(request: Request, now: datetime) -> datetime:
    """A bucket may start no later."""
    return now + timedelta(seconds=_settings(request).future_s)


async def too_late(request: Request, call: Call, sent: Iterable[Measurement]) -> set[SloDay]:
    """The days of *sent* whose minutes are not kept any more."""
    oldest = call.context.at - timedelta(days=_settings(request).minutes_kept_d)
    old = {(each.slo, each.minute // DAY_MIN) for each in sent if each.start < oldest}
    return await call.resources.views.read(gone, old) if old else set()


@dataclass(frozen=True, slots=True)
class _Judged:
    """Buckets of an SLO by their places: those that are fine, and what is wrong with the others."""

    slo: str
    number: int
    kept: dict[int, Measurement]
    wrong: dict[int, WrongBucketError]

    def refuse(self, days: Collection[SloDay]) -> None:
        """Refuse what is of *days*."""
        if days:
            for place, error in late_in(self.kept, days).items():
                del self.kept[place]
                self.wrong[place] = error

    def accepted(self, above: str = "") -> Accepted:
        """What is said about all of them; *above*: the pointer to where they stand."""
        number = len(self.kept)
        if not self.wrong:
            return Accepted(slo=self.slo, accepted=number)
        refused = sorted(self.wrong)
        errors: list[WrongBucket] = []
        for place in refused[:NAMED]:
            error = self.wrong[place]
            pointer = f"{above}/buckets/{place}" + (f"/{error.field}" if error.field else "")
            errors.append(
                WrongBucket(pointer=pointer, code=error.code, detail=error.detail, remedy=REMEDIES[error.code])
            )
        kept = _between(refused, self.number)
        return PartlyAccepted(slo=self.slo, accepted=number, refused=len(refused), kept=kept, errors=errors)


def late_in(kept: Mapping[int, Measurement], days: Collection[SloDay]) -> dict[int, WrongBucketError]:
    """Which of *kept* are of *days*, whose minutes are gone, as refusals by their places."""
    return {
        place: WrongBucketError("too-late", "start", f"start is {each.start.isoformat()}, long ago")
        for place, each in kept.items()
        if (each.slo, each.minute // DAY_MIN) in days
    }


def _judged(
    slo: str, sent: Buckets, rules: BucketRules, now: datetime, source: str | None, revision: int | None
) -> _Judged:
    """What of *sent* is fine by itself; *source* and *revision* are for a body that does not say."""
    counted_by = _source(sent, source)
    revision = revision_at(now, revision if sent.revision is None else sent.revision)
    judged = _Judged(slo, len(sent.buckets), {}, {})
    for index, bucket in enumerate(sent.buckets):
        try:
            start, good, total = values_in(bucket)
            at = rules.take(start, good, total)
        except WrongBucketError as error:
            judged.wrong[index] = error
        else:
            judged.kept[index] = Measurement(slo, at, counted_by, revision, good, total)
    return judged


def _source(sent: Buckets, source: str | None) -> str:
    return sent.source if source is None or "source" in sent.model_fields_set else source


def revision_at(now: datetime, sent: int | None) -> int:
    """The revision of what comes *now*: as it is *sent*, else what comes later wins."""
    return int(now.timestamp() * 1_000_000) if sent is None else sent


def _status(accepted: Accepted) -> int:
    return 207 if isinstance(accepted, PartlyAccepted) else 202


def _between(refused: Sequence[int], number: int) -> list[tuple[int, int]]:
    """The ranges of 0 to *number* that hold none of *refused*."""
    firsts, ends = [0, *(index + 1 for index in refused)], [*refused, number]
    return [(first, end) for first, end in zip(firsts, ends, strict=True) if first < end]


async def unmeasured(resources: Resources, slos: Collection[str]) -> dict[str, Problem]:
    """Those of *slos* that nothing is measured as, and why; one just defined may not be in the read model yet."""

    def known(connection: Connection) -> set[str]:
        view = SLOS.view.c
        names = {slo.partition(".")[0] for slo in slos}
        query = select(view.measured_as).where(view.slo.in_(names), view.service.is_not(None))
        return {each for found in connection.execute(query).scalars() for each in found.split()}

    refused: dict[str, Problem] = {}
    for slo in set(slos) - await resources.views.read(known):
        try:
            await refuse_unmeasured(resources, slo)
        except NoSuchSloError as error:
            refused[slo] = Problem(404, "not-found", "There is no such SLO", str(error))
        except Problem as problem:
            refused[slo] = problem
    return refused


async def refuse_unmeasured(resources: Resources, slo: str) -> None:
    """Refuse what nothing is measured as.

    Raises:
        NoSuchSloError: There is no such SLO, or it is no composite with an indicator of that name.
        Problem: 422, it is a composite, which is measured by its components.
    """
    name, _, component = slo.partition(".")
    definition = definition_of(existing((await resources.handler.load(SLO, name)).state, slo))
    if slo in definition.indicators:
        return
    if component or not definition.composite:
        raise NoSuchSloError(slo)
    others = (each.component.of for each in definition.objectives if each.component)
    names = (*definition.indicators, *(each for each in others if isinstance(each, str)))
    detail = f"{slo} is weighed from its components; send measurements of {', '.join(names)}"
    raise Problem(422, "composite-not-measured", "A composite is not measured itself", detail, [Place(detail)])


def _settings(request: Request) -> SloSettings:
    settings: SloSettings = request.app.state.settings
    return settings


def _nothing_kept(accepted: PartlyAccepted) -> Problem:
    wrong = accepted.errors
    said = "; ".join(f"{each.pointer}: {each.detail}; {each.remedy}" for each in wrong[:3])
    more = f" (and {accepted.refused - 3} more)" if accepted.refused > 3 else ""  # noqa: PLR2004  as many as are said
    return Problem(422, "invalid-measurements", "No bucket can be kept", said + more, extra={"errors": wrong})


def _refusal(problem: Problem, pointer: str = "") -> dict[str, Any]:
    places = [Place(problem.detail, pointer)] if pointer else problem.errors
    said = {"code": problem.code, "title": problem.title, "detail": problem.detail, "errors": places}
    return {"status": problem.status, "problem": said | dict(problem.extra)}
