"""An error budget's rules: what is worth saying about it, and when an alert fires and clears."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from services.slo.domain.budget.commands import Assess, Command, Reading, Review
from services.slo.domain.budget.events import (
    AlertCorrected,
    AlertFired,
    AlertResolved,
    BudgetAssessed,
    BudgetExhausted,
    BudgetRecovered,
    Event,
)
from services.slo.domain.burn_rate import duration

_A_POINT = 0.01  # of the budget, or of coverage
_REPEATED = timedelta(days=1)
_CORRECTABLE = 20  # alerts of one SLO; older ones are history


@dataclass(frozen=True, slots=True)
class Budget:
    """What was said so far.

    Args:
        assessed: The last figures; None before the first.
        firing: Per tier, the alert that fires.
        exhausted: Whether more was spent than there was.
        fired: The last alerts that fired, and whether they would still have on what is known by now.
    """

    assessed: BudgetAssessed | None = None
    firing: Mapping[str, AlertFired] = field(default_factory=dict[str, AlertFired])
    exhausted: bool = False
    fired: tuple[tuple[AlertFired, bool], ...] = ()


UNASSESSED = Budget()


def decide(command: Command, state: Budget) -> tuple[Event, ...]:
    """The facts that the figures amount to, given what was said before; often none.

    Figures of an older revision or of fewer measurements than the last ones say nothing: two processes may evaluate at
    once, and one may be late. Clocks do not tell which; they may be set back.
    """
    if isinstance(command, Review):
        return tuple(_correction(command, state))
    figures = command.figures
    last = state.assessed
    if last is not None and (figures.revision, figures.input_version) < (last.revision, last.input_version):
        return ()
    return (
        *((figures,) if _worth_saying(command, state.assessed) else ()),
        *_threshold(figures, exhausted=state.exhausted),
        *_alerts(command, state.firing),
    )


def evolve(state: Budget, event: Event) -> Budget:
    """The state after one more fact."""
    match event:
        case BudgetAssessed():
            return replace(state, assessed=event)
        case AlertFired():
            fired = (*state.fired, (event, True))[-_CORRECTABLE:]
            return replace(state, firing={**state.firing, event.tier: event}, fired=fired)
        case AlertResolved():
            return replace(state, firing={tier: a for tier, a in state.firing.items() if a.alert != event.alert})
        case AlertCorrected(alert, would_fire=would):
            fired = tuple([(a, would if a.alert == alert else before) for a, before in state.fired])
            return replace(state, fired=fired)
        case BudgetExhausted():
            return replace(state, exhausted=True)
        case BudgetRecovered():
            return replace(state, exhausted=False)


def _worth_saying(command: Assess, last: BudgetAssessed | None) -> bool:
    """At every change of state or revision, once a day, and when something moved by a point.

    A budget that moves is told at most once a minute. Coverage is told at once: it moves fast only while history
    is sent, at most a hundred points, and gates wait for it.
    """
    now = command.figures
    if last is None or (now.state, now.revision) != (last.state, last.revision):
        return True
    since = now.at - last.at
    moved = abs((now.error_budget_remaining or 0.0) - (last.error_budget_remaining or 0.0))
    return (
        since >= _REPEATED
        or abs(now.coverage - last.coverage) >= _A_POINT
        or (moved >= _A_POINT and since >= command.quiet_for)
    )


def _threshold(now: BudgetAssessed, *, exhausted: bool) -> Iterator[Event]:
    """Exhausted below zero, recovered at zero or above; without events nothing is known, so nothing changes."""
    remaining = now.error_budget_remaining
    if remaining is None or exhausted == (remaining < 0):
        return
    kind = BudgetExhausted if remaining < 0 else BudgetRecovered
    yield kind(now.slo, now.service, remaining, now.at)


def _correction(command: Review, state: Budget) -> Iterator[Event]:
    for alert, would_fire in state.fired:
        if alert.alert == command.alert and would_fire != command.burning:
            yield AlertCorrected(
                alert.alert,
                alert.slo,
                alert.service,
                alert.severity,
                alert.tier,
                command.burning,
                alert.factor,
                command.burn_rate_short,
                command.burn_rate_long,
                command.input_version,
                command.at,
            )


def _alerts(command: Assess, firing: Mapping[str, AlertFired]) -> Iterator[Event]:
    """Each tier fires and clears by itself; `unknown` and `few` leave it as it is."""
    now = command.figures
    readings = {reading.tier.name: reading for reading in command.readings}
    for tier, alert in firing.items():
        reading = readings.get(tier)
        if reading is None or reading.verdict == "quiet":
            yield AlertResolved(
                alert.alert,
                now.slo,
                now.service,
                alert.severity,
                tier,
                now.input_version,
                now.at,
                reading.data_until if reading else None,
                alert.targets if alert.tell_resolved else (),
            )
    for tier, reading in readings.items():
        if tier not in firing and (reading.verdict == "burning" or _silent(reading, now)):
            yield _fired(reading, now)


def _silent(reading: Reading, now: BudgetAssessed) -> bool:
    """Whether data that used to come has stopped, and that is to be told."""
    return reading.verdict == "unknown" and reading.tier.on_no_data and now.input_version > 0


def _fired(reading: Reading, now: BudgetAssessed) -> AlertFired:
    tier = reading.tier
    return AlertFired(
        alert=reading.alert,
        slo=now.slo,
        service=now.service,
        severity=tier.severity,
        tier=tier.name,
        short_window=duration(tier.short_min),
        long_window=duration(tier.long_min),
        factor=float(tier.factor),
        burn_rate_short=reading.burn_rate_short,
        burn_rate_long=reading.burn_rate_long,
        input_version=now.input_version,
        at=now.at,
        revision=now.revision,
        target=now.target,
        op=tier.op,
        policy=tier.policy,
        no_data=reading.verdict == "unknown",
        data_until=reading.data_until,
        targets=tier.targets,
        tell_resolved=tier.tell_resolved,
    )
