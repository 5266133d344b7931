"""The burn-rate alerts of an SLO."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.definitions import existing
from services.slo.contract import SLO
from services.slo.domain.burn_rate import Severity, Tier, duration, tiers_of
from services.slo.domain.openslo.definition import Operator
from services.slo.domain.openslo.encoding import read
from services.slo.projections.slo_alerts import SLO_ALERTS, alerts_of

AlertState = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What measurements that came later say about the moment in which an alert fired."""

    at: datetime
    would_fire: bool
    burn_rate_short: float
    burn_rate_long: float
    input_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAnswer:
    """A burn-rate alert that fired, and when it cleared.

    `input_version` counts the measurements that were known when it fired, `resolved_input_version` when it cleared;
    its windows end at `data_until`. With `no_data` it fired because data stopped. A correction changes none of this.
    """

    id: str
    slo: str
    service: str
    revision: int
    target: float
    state: AlertState
    severity: Severity
    tier: str
    policy: str
    short_window: str
    long_window: str
    op: Operator
    factor: float
    burn_rate_short: float
    burn_rate_long: float
    no_data: bool
    data_until: datetime | None
    input_version: int
    fired_at: datetime
    resolved_at: datetime | None
    resolved_input_version: int | None
    correction: Correction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertConditionAnswer:
    """A tier: fires while the burn rate over both windows is over the threshold, for `after_min` minutes.

    At the threshold, `share_of_budget` is spent in the long window. A long window with fewer events than
    `least_events` says nothing.
    """

    name: str
    policy: str
    severity: Severity
    short_window: str
    long_window: str
    op: Operator
    factor: float
    share_of_budget: float
    after_min: int
    on_burning: bool
    on_no_data: bool
    least_events: int
    targets: Sequence[str]
    tell_resolved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertConditions:
    """What an SLO alerts on, and why default tiers are left out or settings have no effect."""

    items: list[AlertConditionAnswer]
    warnings: Sequence[str]


router = Router(prefix="/v1/slos/{slo}", tags=["slos"])


@router.get("/alert-conditions", openapi_extra=needs("slos.read"), responses=responses(404))
async def list_slo_alert_conditions(slo: str, resources: ResourcesDep) -> AlertConditions:
    """The SLO's alert conditions: those of its policies, or the default tiers."""
    defined = existing((await resources.handler.load(SLO, slo)).state, slo)
    tiers, warnings = tiers_of(read(defined.promise.definition))
    return AlertConditions(items=list(map(_condition, tiers)), warnings=warnings)


@router.get("/alerts", openapi_extra=needs("slos.read"), responses=responses(404), dependencies=[fresh(SLO_ALERTS)])
async def list_slo_alerts(
    slo: str,
    resources: ResourcesDep,
    page: PageDep,
    state: Annotated[list[AlertState] | None, Query()] = None,
) -> Page[AlertAnswer]:
    """Burn-rate alerts of the SLO, the newest first."""
    existing((await resources.handler.load(SLO, slo)).state, slo)
    return await resources.views.read(
        page.fetch, alerts_of(slo, state or []), key=SLO_ALERTS.view.c.alert, item=_alert, descending=True
    )


def _condition(tier: Tier) -> AlertConditionAnswer:
    return AlertConditionAnswer(
        name=tier.name,
        policy=tier.policy,
        severity=tier.severity,
        short_window=duration(tier.short_min),
        long_window=duration(tier.long_min),
        op=tier.op,
        factor=float(tier.factor),
        share_of_budget=float(tier.share),
        after_min=tier.after_min,
        on_burning=tier.on_burning,
        on_no_data=tier.on_no_data,
        least_events=tier.least_events,
        targets=tier.targets,
        tell_resolved=tier.tell_resolved,
    )


def _alert(row: Mapping[Any, Any]) -> AlertAnswer:
    """A row of the read model `slo_alerts` as it is answered."""
    own = {"id": row["alert"], "resolved_input_version": row["resolved_version"], "correction": _correction(row)}
    same = (name for name in AlertAnswer.__dataclass_fields__ if name not in own)
    return AlertAnswer(**own, **{name: row[name] for name in same})


def _correction(row: Mapping[Any, Any]) -> Correction | None:
    if row["would_fire"] is None:
        return None
    return Correction(
        at=row["corrected_at"],
        would_fire=row["would_fire"],
        burn_rate_short=row["corrected_short"],
        burn_rate_long=row["corrected_long"],
        input_version=row["corrected_version"],
    )
