"""Agreement: a revision of an SLO is proposed, and takes effect when development, SRE and product agree to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import Effects, Outcome
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.etag import answer
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body, Text, example
from services.slo.api.promises import AnyStep, plan
from services.slo.api.schemas import Time, told
from services.slo.contract import AGREEMENT, POLICY, SLO
from services.slo.domain.agreement.commands import Agree, Command, Decline, Propose, Withdraw
from services.slo.domain.agreement.decider import Agreement, End, Open
from services.slo.domain.agreement.errors import NoProposalError
from services.slo.domain.agreement.events import RevisionProposed
from services.slo.domain.signing import Actor, Side, Signature, Signers
from services.slo.domain.slo.commands import Document
from services.slo.domain.slo.decider import Defined, Slo

router = Router(prefix="/v1/slos", tags=["agreement"])

_LAPSES: Final = timedelta(days=14)
Reason = Annotated[Text, Field(min_length=1)]


class Proposal(Body):
    """A revision: an OpenSLO document, or none to have the SLO agreed as it is. It lapses after two weeks."""

    model_config = example(reason="users notice at 99.5 %", expires="2026-12-05T10:00:00Z")

    document: dict[str, Any] | None = None
    reason: Reason
    expires: Time | None = None


class SignatureBody(Body):
    """One side's answer to a proposal: the one that was read."""

    model_config = example(proposal="019aa64c-2d80-7000-8000-000000000001", side="sre", reason="agreed")

    proposal: str
    side: Side
    reason: Reason


class WithdrawBody(Body):
    """The proposal that is taken back."""

    model_config = example(proposal="019aa64c-2d80-7000-8000-000000000001", reason="too early")

    proposal: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalAnswer:
    """A proposal, and who has signed it; `end` is empty while it waits for the sides that are `missing`."""

    proposal: str
    base_revision: int
    document: Document
    what_if: str
    signers: Signers
    signed: Sequence[Signature]
    missing: Sequence[Side]
    waiting_for: str
    supersedes: str
    reason: str
    by: str
    at: datetime
    expires: datetime
    end: End | None = None
    end_reason: str = ""
    ended_by: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementAnswer:
    """What is proposed of an SLO now, and what was before, the oldest first."""

    slo: str
    open: ProposalAnswer | None
    past: list[ProposalAnswer]


@router.post(
    "/{slo}:propose",
    status_code=201,
    response_model=AgreementAnswer,
    openapi_extra=needs("slos.write"),
    responses=responses(409, 422),
)
async def propose_revision(slo: str, body: Proposal, call: CallDep) -> Response:
    """Put a revision to the three sides; it supersedes the one that is open."""
    held = (await call.resources.handler.load(SLO, slo)).state
    document = body.document or (held.promise.document if isinstance(held, Defined) else {})
    service = await _service(call, slo, document)
    proposal, at = str(new_id()), call.context.at
    expires = body.expires or at + _LAPSES
    command = Propose(
        slo=slo,
        proposal=proposal,
        base_revision=_revision(held),
        document=document,
        what_if=f"/v1/slos/{slo}:what-if",
        signers=await _signers(call.resources, service),
        reason=body.reason,
        by=call.principal.name,
        expires=expires,
        at=at,
    )
    payload = codec.encode({"slo": slo, "proposal": proposal})
    timer = Timer(f"{AGREEMENT.category}/{proposal}", expires, AGREEMENT.category, payload)
    return await call.handle(
        AGREEMENT,
        slo,
        command,
        body=lambda outcome: _answer(slo, outcome.state),
        status=201,
        location=f"/v1/slos/{slo}/agreement",
        effects=Effects(schedule=(timer,)),
    )


@router.post(
    "/{slo}:agree",
    response_model=AgreementAnswer,
    openapi_extra=needs("slos.write"),
    responses=responses(403, 404, 409),
)
@retried_on_conflict
async def agree_to_revision(slo: str, body: SignatureBody, call: CallDep) -> Response:
    """Agree for one side; with the last side the document takes effect in the same transaction."""
    loaded = await call.resources.handler.load(AGREEMENT, slo)
    steps = await _revising(call, slo, body, loaded.state)
    command = Agree(
        slo=slo, proposal=body.proposal, side=body.side, reason=body.reason, by=_actor(call), at=call.context.at
    )
    return await _handle(call.pinned(loaded), slo, command, steps)


@router.post(
    "/{slo}:decline",
    response_model=AgreementAnswer,
    openapi_extra=needs("slos.write"),
    responses=responses(403, 404, 409),
)
async def decline_revision(slo: str, body: SignatureBody, call: CallDep) -> Response:
    """Refuse for one side; that ends the proposal."""
    command = Decline(
        slo=slo, proposal=body.proposal, side=body.side, reason=body.reason, by=_actor(call), at=call.context.at
    )
    return await _handle(call, slo, command)


@router.post(
    "/{slo}:withdraw",
    response_model=AgreementAnswer,
    openapi_extra=needs("slos.write"),
    responses=responses(403, 404, 409),
)
async def withdraw_revision(slo: str, body: WithdrawBody, call: CallDep) -> Response:
    """Take one's own proposal back."""
    command = Withdraw(slo=slo, proposal=body.proposal, reason=body.reason, by=call.principal.name, at=call.context.at)
    return await _handle(call, slo, command)


@router.get(
    "/{slo}/agreement", response_model=AgreementAnswer, openapi_extra=needs("slos.read"), responses=responses(404)
)
async def get_agreement(request: Request, slo: str, resources: ResourcesDep, as_of: Time | None = None) -> Response:
    """What is proposed of the SLO, who agreed and who is waited for, and how earlier proposals ended."""
    loaded = await resources.handler.load(AGREEMENT, slo, as_of=as_of)
    if loaded.state is None:
        raise NoProposalError(slo, "")
    return answer(request, _answer(slo, loaded.state), version=loaded.version)


async def _handle(call: Call, slo: str, command: Command, also: Sequence[AnyStep] = ()) -> Response:
    def body(outcome: Outcome[Agreement]) -> AgreementAnswer:
        return _answer(slo, outcome.state)

    return await call.handle(AGREEMENT, slo, command, body=body, also=also)


async def _service(call: Call, slo: str, document: Document) -> str:
    """Whose reliability *document* is about; it must be one that could be stored now."""
    made = await plan(call.resources, [document], call.context.at, mode="strict", revise=True, wait_s=0)
    for problem in made.refused.values():
        raise problem
    kind, name = made.planned[0].sent.key
    if (kind, name) != ("SLO", slo):
        detail = f"the document is the {kind} {name!r}, the path the SLO {slo!r}"
        raise Problem(422, "name-differs", "The names differ", detail, [Place(detail, "/document/metadata/name")])
    return made.planned[0].sent.decoded.fields["spec"]["service"]


async def _signers(resources: Resources, service: str) -> Signers:
    policy = (await resources.handler.load(POLICY, service)).state
    if policy is None:
        detail = (
            f"nobody is named who could sign for {service!r}: write its error-budget policy, which names the signers of"
            " all three sides (POST /v1/error-budget-policies)"
        )
        raise Problem(409, "no-signers", "Nobody may sign", detail)
    return policy.edition.document.signers


async def _revising(call: Call, slo: str, body: SignatureBody, state: Agreement) -> Sequence[AnyStep]:
    """What makes the proposed document the one that holds, if this is the last side that was missing."""
    if not isinstance(state, Open) or state.proposed.proposal != body.proposal or state.missing != (body.side,):
        return ()
    document = state.proposed.document
    made = await plan(call.resources, [document], call.context.at, mode="strict", revise=True, wait_s=0)
    read = made.read.get(("SLO", slo))
    if read is not None and (revision := _revision(read.state)) != state.proposed.base_revision:
        detail = f"it was written against revision {state.proposed.base_revision}, now it is {revision}; propose anew"
        raise Problem(409, "proposal-outdated", "The SLO has changed since", detail, extra={"revision": revision})
    for problem in made.refused.values():
        raise problem
    return made.steps


def _revision(held: Slo) -> int:
    return held.revision if isinstance(held, Defined) else 0


def _actor(call: Call) -> Actor:
    return Actor(call.principal.name, is_person=call.principal.kind == "person")


def _answer(slo: str, state: Agreement) -> AgreementAnswer:
    waiting = state if isinstance(state, Open) else None
    past = [
        replace(
            _proposal(ended.proposed, ended.signatures),
            end=ended.end,
            end_reason=ended.reason,
            ended_by=ended.by,
            ended_at=ended.at,
        )
        for ended in (state.past if state else ())
    ]
    now = waiting and replace(
        _proposal(waiting.proposed, waiting.signatures), missing=waiting.missing, waiting_for=waiting.waiting_for
    )
    return AgreementAnswer(slo=slo, open=now, past=past)


def _proposal(proposed: RevisionProposed, signatures: Sequence[Signature]) -> ProposalAnswer:
    return told(ProposalAnswer, proposed, signed=signatures, missing=(), waiting_for="")
