"""`/v1/gate-policies`: what gates ask for, version by version; tried on all services before it is published."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from libs.events.codec import encode
from libs.events.handler import Loaded, Outcome
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page
from libs.web.problems import Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Line
from libs.web.shapes import FaultyDocumentError
from services.lifecycle.api.asked import INSTALLATION, AsOf, Gates, GatesDep, published
from services.lifecycle.config import parse_policy
from services.lifecycle.contract import GATE_POLICY
from services.lifecycle.domain.checks import NUMBERS
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.gate_policy.commands import Publish
from services.lifecycle.domain.gate_policy.decider import GatePolicies
from services.lifecycle.domain.gate_policy.events import GatePolicyPublished
from services.lifecycle.domain.gate_policy.inherited import Inherited, attested_only, inherited
from services.lifecycle.domain.policy import Policy
from services.lifecycle.domain.simulation import Difference, differences
from services.lifecycle.projections.facts import HEARD, facts_of_all

_AT_ONCE = 100  # services between two lines of progress
_NDJSON = "application/x-ndjson"
_EXAMPLE = 'version: "2027-01"\nevaluation_valid_days: {value: 14, source: "[D] a release train"}\n# ...'
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A whole policy, as YAML or JSON; change the one that GET answers.",
        "content": {
            kind: {"schema": {"type": ["object", "string"]}, "example": _EXAMPLE}
            for kind in ("application/yaml", "application/json")
        },
    }
}
_WRITE = needs("gate-policies.write")

router = Router(prefix="/v1/gate-policies", tags=["gates"])


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicyView(Policy):
    """A gate policy, whole; who published it is null for the one that comes with the program.

    Args:
        in_force: Whether gates go by it.
        published_by: Who put it in force.
        published_at: When.
        reason: Why.
        inherited: Numbers that it has not, of checks that the platform has learnt to measure since: gates take them
            from the policy that comes with the program until a version with numbers of its own is published.
        attested_only: Checks that are attested and not measured, because that policy has no numbers for them either.
        not_asked: Checks of the policy that comes with the program which this one does not have.
    """

    in_force: bool
    published_by: str | None
    published_at: datetime | None
    reason: str
    inherited: tuple[Inherited, ...] = ()
    attested_only: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What would change for which services if the policy were in force.

    Args:
        version: Of the policy that was tried.
        against: Of the one in force.
        services: How many were looked at: all but the unsupported.
        would_fail: How many could move on now, and could not then.
        would_pass: How many could not move on now, and could then.
        newly_at_risk: How many would not keep any more what their phase asks for.
        changed: The services for which anything changes, each check with its result now and then.
        seconds: How long it took.
    """

    version: str
    against: str
    services: int
    would_fail: int
    would_pass: int
    newly_at_risk: int
    changed: tuple[Difference, ...]
    seconds: float


@router.get("", openapi_extra=needs("services.read"))
async def list_gate_policies(gates: GatesDep, resources: ResourcesDep, as_of: AsOf = None) -> Page[GatePolicyView]:
    """List the policies, the one in force first: what each gate asks for, every number with its source."""
    found = await published(resources, as_of)
    return Page(
        items=[*(_view(each, found, gates.shipped) for each in reversed(found)), _shipped(gates.shipped, found)]
    )


@router.get("/{version}", response_model=GatePolicyView, openapi_extra=needs("services.read"), responses=responses(404))
async def get_gate_policy(
    version: str, gates: GatesDep, resources: ResourcesDep, request: Request, as_of: AsOf = None
) -> Response:
    """Read one version of the policy."""
    found = await published(resources, as_of)
    for each in found:
        if each.version == version:
            return etag.answer(request, _view(each, found, gates.shipped))
    if version != gates.shipped.version:
        raise UnknownError("gate policy", version)
    return etag.answer(request, _shipped(gates.shipped, found))


@router.post(
    "",
    status_code=201,
    response_model=GatePolicyView,
    openapi_extra=_WRITE | _BODY,
    responses=responses(409, 422),
)
async def publish_gate_policy(
    request: Request,
    call: CallDep,
    gates: GatesDep,
    reason: Annotated[Line, Query(description="Why the rules change.")],
) -> Response:
    """Put a policy, YAML or JSON, in force; evaluations under the old one cannot be used for a move any more."""
    policy = _parsed(await request.body())
    command = Publish(policy, gates.shipped, reason, call.principal.name, call.context.at)

    def shown(outcome: Outcome[GatePolicies] | Loaded[GatePolicies]) -> GatePolicyView:
        known = outcome.state
        return _view(known[-1], known, gates.shipped) if known else _shipped(gates.shipped, ())

    location = f"/v1/gate-policies/{policy.version}"
    return await call.handle(GATE_POLICY, INSTALLATION, command, body=shown, status=201, location=location)


@router.post(
    ":simulate",
    response_model=Simulation,
    openapi_extra=needs("gate-policies.read") | _BODY,
    responses=responses(422) | {200: {"content": {_NDJSON: {"schema": {"type": "string"}}}}},
    dependencies=[fresh(*HEARD)],
)
async def simulate_gate_policy(request: Request, gates: GatesDep, resources: ResourcesDep) -> Response:
    """Say which services could or could not move on, or stay, under another policy; nothing is stored.

    With `Accept: application/x-ndjson` lines `{"done", "total"}` tell how far it is; the last line is the answer.
    """
    policy, started = _parsed(await request.body()), time.perf_counter()
    at = resources.clock.now()
    await gates.caught_up()
    facts = list((await resources.views.read_long(facts_of_all, at)).values())
    compared = _compared(policy, gates, facts, at)
    if _NDJSON in request.headers.get("accept", ""):
        return StreamingResponse(_told(compared, policy, gates, len(facts), started), media_type=_NDJSON)
    found = [each async for part, _ in compared for each in part]
    return Response(encode(_simulation(policy, gates, len(facts), found, started)), media_type="application/json")


async def _compared(
    policy: Policy, gates: Gates, facts: Sequence[Facts], at: datetime
) -> AsyncIterator[tuple[list[Difference], int]]:
    """The differences, some services at a time, and how many are done; other requests go on in between."""
    for first in range(0, len(facts), _AT_ONCE):
        part = facts[first : first + _AT_ONCE]
        yield await asyncio.to_thread(differences, gates.policy, policy, part, at), first + len(part)


async def _told(
    compared: AsyncIterator[tuple[list[Difference], int]], policy: Policy, gates: Gates, total: int, started: float
) -> AsyncIterator[bytes]:
    found: list[Difference] = []
    async for part, done in compared:
        found += part
        yield encode({"done": done, "total": total}) + b"\n"
    yield encode(_simulation(policy, gates, total, found, started)) + b"\n"


def _simulation(policy: Policy, gates: Gates, total: int, found: Sequence[Difference], started: float) -> Simulation:
    return Simulation(
        version=policy.version,
        against=gates.policy.version,
        services=total,
        would_fail=sum(each.passes_now and not each.would_pass for each in found),
        would_pass=sum(each.would_pass and not each.passes_now for each in found),
        newly_at_risk=sum(each.would_be_at_risk and not each.is_at_risk for each in found),
        changed=tuple(found),
        seconds=round(time.perf_counter() - started, 3),
    )


def _parsed(text: bytes) -> Policy:
    try:
        return parse_policy(text)
    except FaultyDocumentError as error:
        raise Problem(422, "invalid-policy", "The policy cannot be used", str(error), error.places) from error


def _view(each: GatePolicyPublished, all_of_them: GatePolicies, shipped: Policy) -> GatePolicyView:
    is_last = each is all_of_them[-1]
    return GatePolicyView(
        **_plain(each.policy),
        in_force=is_last,
        published_by=each.by,
        published_at=each.at,
        reason=each.reason,
        inherited=inherited(each.policy, shipped, NUMBERS),
        attested_only=attested_only(each.policy, shipped, NUMBERS),
        not_asked=tuple(sorted(set(shipped.checks) - set(each.policy.checks))),
    )


def _shipped(policy: Policy, all_of_them: GatePolicies) -> GatePolicyView:
    reason = "comes with the program, or with CONCORDAT_GATE_POLICY"
    return GatePolicyView(
        **_plain(policy), in_force=not all_of_them, published_by=None, published_at=None, reason=reason
    )


def _plain(policy: Policy) -> dict[str, Any]:
    return {field.name: getattr(policy, field.name) for field in fields(Policy)}
