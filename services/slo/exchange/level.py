"""What every format says about one SLO, as far as Prometheus needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.slo.domain.burn_rate import Tier
from services.slo.domain.error_budget import Target


@dataclass(frozen=True, slots=True)
class Events:
    """Bad and total events over `{{.window}}`, each a query."""

    bad: str
    total: str


@dataclass(frozen=True, slots=True)
class Raw:
    """The ratio of bad to total events over `{{.window}}`, as one query.

    Args:
        error_ratio: The query.
        events: The two queries it is made of, where they are known.
    """

    error_ratio: str
    events: Events | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """What the alerts of one severity carry."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """One SLO.

    Args:
        id: Unique among all SLOs whose rules one Prometheus evaluates (`sloth_id`).
        name: Its name within the service (`sloth_slo`).
        service: Whose reliability it is about (`sloth_service`).
        target: The least ratio of good to total events.
        sli: How events are counted.
        period_min: Length of the rolling window, minutes.
        labels: On all its recorded series.
        page: Its pages; None for none.
        ticket: Its tickets; None for none.
        separate: Whether each condition is an alert of its own; Sloth joins two in one.
        conditions: Its own conditions; None for those of its period.
    """

    id: str
    name: str
    service: str
    target: Target
    sli: Events | Raw
    period_min: int
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    page: Alert | None = None
    ticket: Alert | None = None
    separate: bool = False
    conditions: tuple[Tier, ...] | None = None
