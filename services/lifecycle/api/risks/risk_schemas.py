"""What comes in and goes out of the risk register."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import ConfigDict, Field, HttpUrl
from pydantic.config import JsonDict

from libs.web.schemas import Body, Line, Moment, Name, Text
from services.lifecycle.domain.risk_register.arithmetic import Estimate, Systemic
from services.lifecycle.domain.risk_register.decider import VERBS
from services.lifecycle.domain.risk_register.events import (
    AcceptanceEnded,
    MitigationBegun,
    Promise,
    RiskEliminated,
    RiskRealised,
    RiskState,
    RiskTransferred,
)
from services.lifecycle.domain.risk_register.policy import RiskPolicy, Share, Span
from services.lifecycle.domain.risk_register.state import Budget, Risk, budget_of, observed

Minutes = Annotated[float, Field(ge=0, le=525_960, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Filled = Annotated[Text, Field(min_length=1)]


class EstimateBody(Body):
    """What is expected of a risk."""

    ttd_minutes: Annotated[Minutes, Field(description="Until somebody or something notices.")]
    ttr_minutes: Annotated[Minutes, Field(description="From then until users are well again.")]
    users_fraction: Annotated[Fraction, Field(description="The share of users that it hits.")]
    mtbf_days: Annotated[
        float, Field(ge=0.001, le=36_525, allow_inf_nan=False, description="From one time to the next.")
    ]

    @property
    def estimate(self) -> Estimate:
        """The numbers."""
        return Estimate(self.ttd_minutes, self.ttr_minutes, self.users_fraction, self.mtbf_days)


_ESTIMATE: JsonDict = {"ttd_minutes": 60, "ttr_minutes": 120, "users_fraction": 0.25, "mtbf_days": 90}


class ProposeRisk(Body):
    """What could go wrong."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service": "checkout-api",
                    "title": "The payment provider is down",
                    "text": "Cards cannot be charged; a quarter of the users pay by card.",
                    "cause": "dependency-failure",
                    "estimate": _ESTIMATE,
                    "basis": "INC-7 and INC-12",
                }
            ]
        }
    )

    service: Name
    title: Line
    text: Text = ""
    cause: Annotated[Text, Field(description="Incidents whose `outage_class` is this are counted as this risk.")] = ""
    estimate: EstimateBody | None = None
    basis: Annotated[Text, Field(description="Where the numbers come from.")] = ""


class AssessRisk(EstimateBody):
    """How bad it is, and where the numbers come from."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_ESTIMATE, "basis": "INC-7 and INC-12"}]})

    basis: Filled


class Because(Body):
    """Why something is decided."""

    reason: Filled


class AcceptRisk(Because):
    """Until when it is lived with, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"until": "2027-05-21T00:00:00Z", "reason": "a second provider comes in May"}]}
    )

    until: Moment


class MitigateRisk(Body):
    """Who makes it smaller, how, and until when."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"plan": "add a second provider", "owner": "ana", "due": "2027-02-01"}]}
    )

    plan: Filled
    owner: Name
    due: date
    reason: Text = ""


class EliminateRisk(Because):
    """Where it can be seen that it cannot happen any more."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://git.example/checkout/pull/9", "reason": "no longer called"}]}
    )

    url: HttpUrl


class TransferRisk(Because):
    """Who bears it from now on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to": "the payment provider, by contract", "reason": "signed in March"}]}
    )

    to: Line


class RealiseRisk(Body):
    """The incident that was it; what is left out is what its own times tell, or as assessed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"incident": "INC-42", "ttr_minutes": 75, "users_fraction": 0.3}]}
    )

    incident: Annotated[Line, Field(description="Its number or its id.")]
    ttd_minutes: Minutes | None = None
    ttr_minutes: Minutes | None = None
    users_fraction: Fraction | None = None


@dataclass(frozen=True, slots=True)
class RiskStep:
    """What somebody must do; `team <name>` where it is a team's affair."""

    who: tuple[str, ...]
    what: str
    why: str
    verb: str
    due: datetime | date | None = None


@dataclass(frozen=True, slots=True)
class AssessmentView:
    """How bad a risk is: `bad_minutes = (ttd + ttr) * users_fraction * 365.25 / mtbf_days`, in a year."""

    ttd_minutes: float
    ttr_minutes: float
    users_fraction: float
    mtbf_days: float
    bad_minutes: float
    basis: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AcceptanceView:
    """Until when a risk is lived with, against which promise."""

    until: datetime
    by: str
    reason: str
    at: datetime
    promise: Promise


@dataclass(frozen=True, slots=True)
class RiskView:
    """A risk; `observed` is what its incidents say, `share` what it costs of the service's error budget."""

    id: str
    service: str
    title: str
    text: str
    cause: str
    state: RiskState
    proposed_by: str
    proposed_at: datetime
    assessment: AssessmentView | None
    share: float | None
    too_big: bool | None
    acceptance: AcceptanceView | None
    acceptance_ended: AcceptanceEnded | None
    mitigation: MitigationBegun | None
    eliminated: RiskEliminated | None
    transferred: RiskTransferred | None
    realised: tuple[RiskRealised, ...]
    observed: AssessmentView | None
    allowed: tuple[str, ...]
    next: tuple[RiskStep, ...]


@dataclass(frozen=True, slots=True)
class SystemicView:
    """What something that makes every risk worse would add in a year, and whether what is accepted would still fit."""

    more_often: float
    ttd_minutes: float
    ttr_minutes: float
    bad_minutes: float
    still_fits: bool


@dataclass(frozen=True, slots=True)
class RiskShare:
    """What one risk costs of the budget."""

    id: str
    title: str
    state: RiskState
    bad_minutes: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class RiskBudgetView:
    """The error budget of a service's strictest SLO as bad minutes a year, and what known risks take of it."""

    service: str
    promise: Promise | None
    minutes: float | None
    cap: float | None
    accepted: float | None
    unallocated: float | None
    risks: tuple[RiskShare, ...]
    systemic: SystemicView | None
    limits: dict[str, Share | Span]
    policy_version: str
    next: tuple[RiskStep, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a risk is looked at against: who owns the service, what it promises, what may be accepted, and now."""

    owner_team: str
    promise: Promise | None
    policy: RiskPolicy
    at: datetime


def risk_view(risk: Risk, around: Surroundings) -> RiskView:
    """A risk as it is answered."""
    proposed, assessed, settled = risk.proposed, risk.assessed, risk.settled
    held, seen, budget = risk.acceptance, observed(risk, around.at), _budget([risk], around)
    return RiskView(
        id=proposed.risk,
        service=proposed.service,
        title=proposed.title,
        text=proposed.text,
        cause=proposed.cause,
        state=risk.state,
        proposed_by=proposed.by,
        proposed_at=proposed.at,
        assessment=_assessment(assessed.estimate, assessed.basis, assessed.by, assessed.at) if assessed else None,
        share=risk.bad_minutes / budget.minutes if budget and assessed else None,
        too_big=risk.bad_minutes > budget.cap if budget and assessed else None,
        acceptance=AcceptanceView(held.until, held.by, held.reason, held.at, held.promise) if held else None,
        acceptance_ended=risk.ended,
        mitigation=settled if risk.state == "mitigating" and isinstance(settled, MitigationBegun) else None,
        eliminated=settled if risk.state == "eliminated" and isinstance(settled, RiskEliminated) else None,
        transferred=settled if risk.state == "transferred" and isinstance(settled, RiskTransferred) else None,
        realised=risk.happened,
        observed=_assessment(seen, f"{len(risk.realised)} incidents", "", around.at) if seen else None,
        allowed=VERBS[risk.state],
        next=tuple(_next(risk, around)),
    )


def risk_budget_view(service: str, risks: list[Risk], around: Surroundings, systemic: Systemic) -> RiskBudgetView:
    """A service's risk budget as it is answered."""
    borne = [risk for risk in risks if risk.state not in {"eliminated", "transferred"}]
    budget, policy = _budget(borne, around), around.policy
    shares = [
        RiskShare(
            risk.proposed.risk,
            risk.proposed.title,
            risk.state,
            risk.bad_minutes if risk.assessed else None,
            risk.bad_minutes / budget.minutes if budget and risk.assessed else None,
        )
        for risk in borne
    ]
    if budget is None:
        define = RiskStep((_team(around),), "define an SLO", "risks are accepted within its error budget", "/v1/slos")
        following: tuple[RiskStep, ...] = (define,)
    else:
        following = tuple(step for risk in borne for step in _next(risk, around))
    return RiskBudgetView(
        service=service,
        promise=around.promise,
        minutes=budget.minutes if budget else None,
        cap=budget.cap if budget else None,
        accepted=budget.accepted if budget else None,
        unallocated=budget.unallocated if budget else None,
        risks=tuple(sorted(shares, key=lambda each: -(each.bad_minutes or 0.0))),
        systemic=_systemic(borne, budget, systemic) if budget and systemic != Systemic() else None,
        limits={"largest": policy.largest, "accepted": policy.accepted, "acceptance": policy.acceptance},
        policy_version=policy.version,
        next=following,
    )


def _systemic(risks: list[Risk], budget: Budget, factor: Systemic) -> SystemicView:
    known = [risk.assessed.estimate for risk in risks if risk.assessed]
    held = [risk.assessed.estimate for risk in risks if risk.assessed and risk.state == "accepted"]
    return SystemicView(
        factor.more_often,
        factor.ttd_minutes,
        factor.ttr_minutes,
        factor.bad_minutes(known),
        budget.accepted + factor.bad_minutes(held) <= budget.allocatable,
    )


def _next(risk: Risk, around: Surroundings) -> Iterator[RiskStep]:
    path, team = f"/v1/risks/{risk.proposed.risk}", (_team(around),)
    title, budget, settled = risk.proposed.title, _budget([risk], around), risk.settled
    fresh = [each for each in risk.realised if risk.assessed is None or each.at > risk.assessed.at]
    if fresh and risk.assessed:
        why = f"it has happened since: {', '.join(each.incident for each in fresh)}"
        yield RiskStep(team, f"assess it anew, by what was observed: {title}", why, f"{path}:reestimate")
    match risk.state:
        case "proposed":
            yield RiskStep(team, f"say how bad it is: {title}", "nobody has", f"{path}:assess")
        case "assessed" if budget and risk.bad_minutes > budget.cap:
            why = f"it costs {risk.bad_minutes:.1f} bad minutes a year, and one risk may cost {budget.cap:.1f}"
            yield RiskStep(
                team, f"make it smaller: {title}", f"{why} ({around.policy.largest.source})", f"{path}:mitigate"
            )
        case "assessed":
            who = (f"anybody but {risk.proposed.by}",)
            why = risk.ended.reason if risk.ended else "it is assessed, and nothing is decided"
            yield RiskStep(who, f"accept it for a time, or have it made smaller: {title}", why, f"{path}:accept")
        case "mitigating" if isinstance(settled, MitigationBegun):
            what = f"{settled.plan}; then assess it anew"
            yield RiskStep((settled.owner,), what, title, f"{path}:assess", settled.due)
        case _:
            pass


def _assessment(estimate: Estimate, basis: str, by: str, at: datetime) -> AssessmentView:
    return AssessmentView(
        estimate.ttd_minutes,
        estimate.ttr_minutes,
        estimate.users_fraction,
        estimate.mtbf_days,
        estimate.bad_minutes,
        basis,
        by,
        at,
    )


def _budget(risks: list[Risk], around: Surroundings) -> Budget | None:
    return budget_of(risks, around.promise, around.policy) if around.promise else None


def _team(around: Surroundings) -> str:
    return f"team {around.owner_team}" if around.owner_team else "whoever owns the service"
