"""Prometheus rules of an SLO, under Sloth's names and labels.

Three groups, so that each may be empty: the SLI over every window, figures about the SLO, and its alerts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from services.slo.domain.burn_rate import Severity, Tier
from services.slo.domain.openslo.definition import Operator
from services.slo.exchange.level import Alert, Events, Raw, ServiceLevel
from services.slo.exchange.queries import render
from services.slo.exchange.windows import DAY, Catalogue, duration

Labels = Mapping[str, str]
Rule = dict[str, object]
Group = dict[str, object]

BAD_EVENTS, TOTAL_EVENTS = "slo:sli_bad_events:rate", "slo:sli_total_events:rate"
NO_DATA = "ErrorBudgetUnknown"
_OPERATORS: Mapping[Operator, str] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_DECIMALS = (2, 5)  # the prime factors of 10


@dataclass(frozen=True, slots=True)
class Origin:
    """What the rules say about where they come from (`sloth_slo_info`)."""

    version: str
    mode: str
    spec: str


def groups(
    level: ServiceLevel,
    catalogue: Catalogue,
    origin: Origin,
    *,
    recordings: bool = True,
    alerts: bool = True,
    event_weighted: bool = False,
) -> Iterator[Group]:
    """The rule groups of *level*, in the order they are to be evaluated."""
    made: list[tuple[str, bool, Callable[[], Iterator[Rule]]]] = [
        ("sloth-slo-sli-recordings-", recordings, lambda: _sli_rules(level, catalogue, event_weighted=event_weighted)),
        ("sloth-slo-meta-recordings-", recordings, lambda: _figure_rules(level, catalogue, origin)),
        ("sloth-slo-alerts-", alerts, lambda: _alert_rules(level, catalogue)),
    ]
    for prefix, wanted, make in made:
        if wanted and (rules := list(make())):
            yield {"name": prefix + level.id, "rules": rules}


def plain(number: Fraction) -> str:
    """*number* as a decimal without exponent: exact where decimals can, else as exact as a float."""
    rest = number.denominator
    for prime in _DECIMALS:
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return repr(float(number))
    digits = next(places for places in range(number.denominator + 1) if 10**places % number.denominator == 0)
    whole = abs(number.numerator) * 10**digits // number.denominator
    text = str(whole).rjust(digits + 1, "0")
    sign = "-" if number < 0 else ""
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def _identity(level: ServiceLevel) -> dict[str, str]:
    return {"sloth_id": level.id, "sloth_service": level.service, "sloth_slo": level.name}


def _labels(level: ServiceLevel, more: Labels | None = None) -> dict[str, str]:
    return dict(sorted({**_identity(level), **(more or {}), **level.labels}.items()))


def _filter(level: ServiceLevel) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in _identity(level).items()) + "}"


def _sli_rules(level: ServiceLevel, catalogue: Catalogue, *, event_weighted: bool) -> Iterator[Rule]:
    lengths = sorted({length for window in catalogue.windows for length in (window.short_min, window.long_min)})
    shortest, period = catalogue.windows[0].short_min, level.period_min
    for length in lengths:
        if length != period:
            yield _recording(level, f"slo:sli_error:ratio_rate{duration(length)}", _ratio(level.sli, length), length)
    if event_weighted and (events := level.sli if isinstance(level.sli, Events) else level.sli.events):
        short = duration(shortest)
        bad = f"({events.bad})\nor\n({events.total}) * 0\n"  # no series of failures: no event failed
        yield _recording(level, BAD_EVENTS + short, render(bad, short), shortest)
        yield _recording(level, TOTAL_EVENTS + short, render(f"{events.total.strip()}\n", short), shortest)
        # Windows side by side, so that each event counts once: where there were none, there is no ratio.
        over = f"{_filter(level)}[{duration(period)}:{short}]"
        sums = [f"sum_over_time({metric}{short}{over})" for metric in (BAD_EVENTS, TOTAL_EVENTS)]
        expression = f"{sums[0]}\n/\n({sums[1]} > 0)\n"
    else:
        # As Sloth: the mean of the short window's ratios, each moment weighing the same, whatever its traffic.
        over = f"slo:sli_error:ratio_rate{duration(shortest)}{_filter(level)}[{duration(period)}]"
        expression = f"sum_over_time({over})\n/ ignoring (sloth_window)\ncount_over_time({over})\n"
    yield _recording(level, f"slo:sli_error:ratio_rate{duration(period)}", expression, period)


def _ratio(sli: Events | Raw, length: int) -> str:
    match sli:
        case Events(bad, total):
            expression = f"({bad})\n/\n({total})\n"
        case Raw(error_ratio):
            expression = f"({error_ratio})"
    return render(expression, duration(length))


def _recording(level: ServiceLevel, metric: str, expression: str, window: int) -> Rule:
    return {"record": metric, "expr": expression, "labels": _labels(level, {"sloth_window": duration(window)})}


def _figure_rules(level: ServiceLevel, catalogue: Catalogue, origin: Origin) -> Iterator[Rule]:
    labels, only = _labels(level), _filter(level)
    target = Fraction(level.target.p, level.target.q)
    about = {
        "sloth_mode": origin.mode,
        "sloth_objective": plain(target * 100),
        "sloth_spec": origin.spec,
        "sloth_version": origin.version,
    }
    short, period = duration(catalogue.windows[0].short_min), duration(level.period_min)
    for metric, expression in (
        ("slo:objective:ratio", f"vector({plain(target)})"),
        ("slo:error_budget:ratio", f"vector(1-{plain(target)})"),
        ("slo:time_period:days", f"vector({plain(Fraction(level.period_min, DAY))})"),
        ("slo:current_burn_rate:ratio", _burn_rate(short, only)),
        ("slo:period_burn_rate:ratio", _burn_rate(period, only)),
        ("slo:period_error_budget_remaining:ratio", f"1 - slo:period_burn_rate:ratio{only}"),
    ):
        yield {"record": metric, "expr": expression, "labels": labels}
    yield {"record": "sloth_slo_info", "expr": "vector(1)", "labels": dict(sorted((labels | about).items()))}


def _burn_rate(window: str, only: str) -> str:
    return (
        f"slo:sli_error:ratio_rate{window}{only}\n"
        "/ on(sloth_id, sloth_slo, sloth_service) group_left\n"
        f"slo:error_budget:ratio{only}\n"
    )


def _alert_rules(level: ServiceLevel, catalogue: Catalogue) -> Iterator[Rule]:
    severities: tuple[tuple[Severity, Alert | None], ...] = (("page", level.page), ("ticket", level.ticket))
    for severity, alert in severities:
        windows = [window for window in catalogue.windows if window.severity == severity]
        if alert is None or not windows:
            continue
        if not level.separate:
            yield _alert(level, severity, alert, windows)
            continue
        for window in windows:
            own = {"long": duration(window.long_min), "short": duration(window.short_min), "sloth_slo": level.name}
            if window.policy:
                own["policy"] = window.policy
            if window.condition:
                own["condition"] = window.condition
            if window.on_burning:
                made = _alert(level, severity, alert, [window], own)
                yield made | ({"for": duration(window.after_min)} if window.after_min else {})
            if window.on_no_data:
                yield _no_data(level, window, own)


def _alert(level: ServiceLevel, severity: str, alert: Alert, windows: list[Tier], more: Labels | None = None) -> Rule:
    who = "{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate"
    said = {"summary": f"{who} is over expected.", "title": f"({severity}) {who} is too fast."}
    return {
        "alert": alert.name,
        "expr": "or\n".join(_condition(level, window) for window in windows),
        "labels": dict(sorted({"sloth_severity": severity, **(more or {}), **alert.labels}.items())),
        "annotations": dict(sorted((said | dict(alert.annotations)).items())),
    }


def _condition(level: ServiceLevel, window: Tier) -> str:
    budget = 1 - Fraction(level.target.p, level.target.q)
    threshold = f"{_OPERATORS[window.op]} ({plain(window.factor)} * {plain(budget)})"
    short, long = (
        f"    max(slo:sli_error:ratio_rate{duration(length)}{_filter(level)} {threshold}) without (sloth_window)\n"
        for length in (window.short_min, window.long_min)
    )
    return f"(\n{short}    and\n{long})\n"


def _no_data(level: ServiceLevel, window: Tier, labels: Labels) -> Rule:
    """Fires when the long window passes without a ratio: no data, or no events, which Prometheus cannot tell apart."""
    who = "{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO"
    ratio = f"slo:sli_error:ratio_rate{duration(window.short_min)}{_filter(level)}"
    return {
        "alert": NO_DATA,
        "expr": f"absent_over_time({ratio}[{duration(window.long_min)}])\n",
        "labels": dict(sorted({"sloth_severity": window.severity, **labels}.items())),
        "annotations": {
            "summary": f"{who} has had no data for {duration(window.long_min)}.",
            "title": f"({window.severity}) {who} has no data.",
        },
    }
