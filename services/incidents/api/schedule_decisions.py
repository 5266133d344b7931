"""What people decide beside a schedule: overrides, taking a shift now, and swaps."""

from collections.abc import Callable
from datetime import datetime

from starlette.responses import Response

from libs.events.handler import Outcome
from libs.events.ids import new_id
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.rosters import active_person, scheduled, whoever
from services.incidents.api.schedule_decision_schemas import (
    DecideOverride,
    OfferSwapBody,
    OverrideAnswer,
    Overrides,
    SwapAnswer,
    Swaps,
    TakeShift,
    TakeSwapBody,
    override_answer,
    overrides_answer,
    swap_answer,
    swaps_answer,
)
from services.incidents.api.schemas import Why
from services.incidents.contract import SCHEDULE
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.on_call.errors import NotOnCallError
from services.incidents.domain.on_call.resolver import at_moment
from services.incidents.domain.on_call.roster import OnCall, Override
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.schedule.commands import (
    ApproveSwap,
    Cancel,
    Command,
    Decide,
    EndSwap,
    OfferSwap,
    TakeSwap,
)
from services.incidents.domain.schedule.state import Known, Schedule
from services.incidents.on_call.changes import changing

_READ, _WRITE = needs("schedules.read"), needs("schedules.write")

router = Router(prefix="/v1/schedules", tags=["schedules"])


@router.post(
    "/{schedule}/overrides",
    status_code=201,
    response_model=OverrideAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
)
async def decide_override(schedule: str, body: DecideOverride, call: CallDep) -> Response:
    """Decide that for a time somebody else is on call: in place of one person, alone above all layers, or nobody."""
    _, _, roster = await scheduled(call.resources, schedule)
    if body.person:
        await active_person(call.resources, body.person, "person")
    command = Decide(
        override=str(new_id()),
        kind=body.kind,
        person=body.person or "",
        replaces=body.replaces or "",
        start=body.start or call.context.at,
        end=body.end,
        rotations=roster.rotations,
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )
    return await _decide(call, schedule, command)


@router.get("/{schedule}/overrides", openapi_extra=_READ, responses=responses(404))
async def list_overrides(schedule: str, resources: ResourcesDep) -> Overrides:
    """List what was decided beside the layers, the latest first."""
    return overrides_answer((await scheduled(resources, schedule))[1])


@router.post(
    "/{schedule}/overrides/{override}:cancel",
    response_model=OverrideAnswer,
    openapi_extra=_WRITE,
    responses=responses(404),
)
async def cancel_override(schedule: str, override: str, call: CallDep, body: Why | None = None) -> Response:
    """Let a decision count no more, from now on."""
    reason = body.reason if body else ""
    command = Cancel(override=override, by=call.principal.name, reason=reason, at=call.context.at)
    return await _carry(call, schedule, command, lambda known: override_answer(_override(known, override)))


@router.post(
    "/{schedule}:take",
    status_code=201,
    response_model=OverrideAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
)
async def take_shift(schedule: str, call: CallDep, body: TakeShift | None = None) -> Response:
    """Take a shift now: in place of who is on call, until their shift ends."""
    asked, now = body or TakeShift(), call.context.at
    _, known, roster = await scheduled(call.resources, schedule)
    person = whoever(call, asked.person)
    await active_person(call.resources, person, "person")
    replaces, span = _taken(known, at_moment(roster, now), person, asked, now)
    command = Decide(
        override=str(new_id()),
        kind="take",
        person=person,
        replaces=replaces,
        start=span.start,
        end=span.end,
        rotations=roster.rotations,
        by=call.principal.name,
        reason=asked.reason,
        at=now,
    )
    return await _decide(call, schedule, command)


@router.post(
    "/{schedule}/swaps",
    status_code=201,
    response_model=SwapAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
)
async def offer_swap(schedule: str, body: OfferSwapBody, call: CallDep) -> Response:
    """Offer a time of one's own to the others."""
    _, _, roster = await scheduled(call.resources, schedule)
    person = whoever(call, body.person)
    command = OfferSwap(
        swap=str(new_id()),
        person=person,
        start=body.start,
        end=body.end,
        rotations=roster.rotations,
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )

    def offered(known: Known) -> SwapAnswer:
        mine = [it for it in known.swaps if (it.person, it.span.start, it.span.end) == (person, body.start, body.end)]
        return swap_answer(mine[-1], known.at(call.context.at).managers)

    return await _carry(call, schedule, command, offered, status=201)


@router.get("/{schedule}/swaps", openapi_extra=_READ, responses=responses(404))
async def list_swaps(schedule: str, resources: ResourcesDep) -> Swaps:
    """List swaps, the latest first, and who must do what next."""
    return swaps_answer((await scheduled(resources, schedule))[1], resources.clock.now())


@router.post(
    "/{schedule}/swaps/{swap}:take",
    response_model=SwapAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
)
async def take_swap(schedule: str, swap: str, call: CallDep, body: TakeSwapBody | None = None) -> Response:
    """Take what somebody offers, for a time of one's own if one is named; it counts once it is approved."""
    asked = body or TakeSwapBody()
    _, _, roster = await scheduled(call.resources, schedule)
    person = whoever(call, asked.person)
    await active_person(call.resources, person, "person")
    command = TakeSwap(
        swap=swap,
        person=person,
        start=asked.start,
        end=asked.end,
        rotations=roster.rotations,
        by=call.principal.name,
        reason=asked.reason,
        at=call.context.at,
    )
    return await _swap(call, schedule, swap, command)


@router.post(
    "/{schedule}/swaps/{swap}:approve",
    response_model=SwapAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
)
async def approve_swap(schedule: str, swap: str, call: CallDep, body: Why | None = None) -> Response:
    """Approve a swap as somebody else than the two; both halves count from then on."""
    _, known, roster = await scheduled(call.resources, schedule)
    for taker in (it.taken_by for it in known.swaps if it.swap == swap and it.state == "taken"):
        await active_person(call.resources, taker, "swap")
    command = ApproveSwap(
        swap=swap,
        is_person=call.principal.kind == "person",
        rotations=roster.rotations,
        by=call.principal.name,
        reason=body.reason if body else "",
        at=call.context.at,
    )
    return await _swap(call, schedule, swap, command)


@router.post(
    "/{schedule}/swaps/{swap}:decline",
    response_model=SwapAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
)
async def decline_swap(schedule: str, swap: str, call: CallDep, body: Why | None = None) -> Response:
    """Decline or withdraw a swap that is not approved yet."""
    reason = body.reason if body else ""
    return await _swap(
        call, schedule, swap, EndSwap(swap=swap, by=call.principal.name, reason=reason, at=call.context.at)
    )


def _taken(known: Known, on_call: tuple[OnCall, ...], person: str, asked: TakeShift, now: datetime) -> tuple[str, Span]:
    """Whose shift is taken, for how long; sent again, what was taken.

    Raises:
        NotOnCallError: It is not clear whose, or there is none.
    """
    duty = [each for each in on_call if not each.shadow]
    theirs = [each for each in duty if each.person != person and asked.replaces in {None, each.person}]
    if len(theirs) == 1:
        return theirs[0].person, Span(now, asked.end or theirs[0].until)
    for it in known.overrides:
        same = (it.kind, it.person) == ("take", person) and asked.replaces in {None, it.replaces}
        if same and not theirs and it.start <= now < it.end and asked.end in {None, it.end}:
            return it.replaces, Span(it.start, it.end)
    told = ", ".join(sorted({each.person for each in duty})) or "nobody"
    detail = f"on call now: {told}; name one of the others as replaces, or decide an override where there is nobody"
    raise NotOnCallError("replaces", detail)


async def _decide(call: Call, schedule: str, command: Decide) -> Response:
    wanted = (command.kind, command.person, command.replaces, command.start, command.end)

    def decided(known: Known) -> OverrideAnswer:
        """The one that was made, or was made before by the same request."""
        found = (it for it in known.overrides if (it.kind, it.person, it.replaces, it.start, it.end) == wanted)
        return override_answer(next(found))

    return await _carry(call, schedule, command, decided, status=201)


async def _swap(call: Call, schedule: str, swap: str, command: Command) -> Response:
    def told(known: Known) -> SwapAnswer:
        return swap_answer(next(it for it in known.swaps if it.swap == swap), known.at(call.context.at).managers)

    return await _carry(call, schedule, command, told)


async def _carry(
    call: Call, schedule: str, command: Command, body: Callable[[Known], object], *, status: int = 200
) -> Response:
    def shown(outcome: Outcome[Schedule]) -> object:
        if outcome.state is None:
            raise AbsentError("schedule")
        return body(outcome.state)

    location = f"/v1/schedules/{schedule}" if status == 201 else None  # noqa: PLR2004  created
    return await call.handle(
        SCHEDULE, schedule, command, body=shown, status=status, location=location, effects=changing
    )


def _override(known: Known, name: str) -> Override:
    found = next((it for it in known.overrides if it.override == name), None)
    if found is None:
        raise AbsentError("override", f"/v1/schedules/{known.schedule}/overrides")
    return found
