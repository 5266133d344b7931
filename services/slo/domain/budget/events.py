"""What can happen to an error budget. Each names the version of the measurements it was derived from."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.burn_rate import Severity
from services.slo.domain.error_budget import State


@dataclass(frozen=True, slots=True)
class BudgetAssessed:
    """The figures of an SLO at one time.

    Args:
        slo: The SLO.
        service: Whose reliability it is about.
        revision: Of the SLO.
        state: What the figures amount to.
        target: The least SLI promised.
        sli: good / total; None without events.
        good: Good events of the window.
        total: Events of the window.
        coverage: Share of the window's minutes that were observed.
        window: Its length, such as `28d`.
        window_start: Its first moment.
        window_end: The moment after its last.
        error_budget_consumed: Share of the budget that is spent; over 1 when violated; None without events.
        error_budget_remaining: 1 - consumed, so negative when violated.
        input_version: How many measurements of this SLO had been taken in.
        at: When it was assessed.
    """

    slo: str
    service: str
    revision: int
    state: State
    target: float
    sli: float | None
    good: int
    total: int
    coverage: float
    window: str
    window_start: datetime
    window_end: datetime
    error_budget_consumed: float | None
    error_budget_remaining: float | None
    input_version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertFired:
    """Both windows of an alert condition burn faster than its factor.

    Args:
        alert: Identifies this firing.
        slo: The SLO.
        service: Whose reliability it is about.
        severity: How urgent.
        tier: The condition's name within the SLO.
        short_window: Such as `5m`.
        long_window: Such as `1h`.
        factor: The threshold.
        burn_rate_short: In the short window.
        burn_rate_long: In the long window.
        input_version: How many measurements of this SLO had been taken in.
        at: When it fired.
    """

    alert: str
    slo: str
    service: str
    severity: Severity
    tier: str
    short_window: str
    long_window: str
    factor: float
    burn_rate_short: float
    burn_rate_long: float
    input_version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertResolved:
    """One of the windows is not above the factor any more, or the condition is gone from the SLO."""

    alert: str
    slo: str
    service: str
    severity: Severity
    tier: str
    input_version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class BudgetExhausted:
    """More is spent than there was."""

    slo: str
    service: str
    error_budget_remaining: float
    at: datetime


@dataclass(frozen=True, slots=True)
class BudgetRecovered:
    """An exhausted budget is within its limit again."""

    slo: str
    service: str
    error_budget_remaining: float
    at: datetime


Event = BudgetAssessed | AlertFired | AlertResolved | BudgetExhausted | BudgetRecovered
