"""What can happen to an error budget. Each names the version of the measurements it was derived from."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.burn_rate import Severity
from services.slo.domain.error_budget import State
from services.slo.domain.openslo.definition import Operator


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
        revision: Of the SLO; 0 where it was not noted.
        target: The least SLI promised.
        op: How the burn rates compare with the factor.
        policy: The alert policy that asked for it; empty for a default tier.
        no_data: Whether it fired for want of data, not for what burned.
        data_until: Where the windows end.
        targets: Who is notified, by name.
        tell_resolved: Whether they hear of the end too.
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
    revision: int = 0
    target: float = 0.0
    op: Operator = "gt"
    policy: str = ""
    no_data: bool = False
    data_until: datetime | None = None
    targets: tuple[str, ...] = ()
    tell_resolved: bool = False


@dataclass(frozen=True, slots=True)
class AlertResolved:
    """One of the windows is not above the factor any more, or the condition is gone from the SLO.

    Args:
        alert: Which firing ended.
        slo: The SLO.
        service: Whose reliability it is about.
        severity: How urgent.
        tier: The condition's name within the SLO.
        input_version: How many measurements of this SLO had been taken in.
        at: When it ended.
        data_until: Where the windows end; None where no windows were looked at.
        targets: Who is notified, by name.
    """

    alert: str
    slo: str
    service: str
    severity: Severity
    tier: str
    input_version: int
    at: datetime
    data_until: datetime | None = None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertCorrected:
    """Measurements that came or were replaced later say otherwise about the moment in which an alert fired.

    The alert stays as it is: people acted on it.

    Args:
        alert: Which.
        slo: The SLO.
        service: Whose reliability it is about.
        severity: How urgent.
        tier: The condition's name within the SLO.
        would_fire: Whether it would have fired on what is known by now.
        factor: The threshold.
        burn_rate_short: In the short window of that moment, as known by now.
        burn_rate_long: In the long one.
        input_version: How many measurements of this SLO had been taken in.
        at: When that was noticed.
    """

    alert: str
    slo: str
    service: str
    severity: Severity
    tier: str
    would_fire: bool
    factor: float
    burn_rate_short: float
    burn_rate_long: float
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


Event = BudgetAssessed | AlertFired | AlertResolved | AlertCorrected | BudgetExhausted | BudgetRecovered
