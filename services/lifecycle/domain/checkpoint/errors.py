"""What a checkpoint refuses.

LifecycleError
└── CheckpointError
    ├── PlanFaultsError          the plan contradicts itself
    ├── PlanKindError            a plan of one kind does not become one of another
    ├── ResultKindError          the result is of another kind than the plan
    ├── FiguresMissingError      the result leaves out what was to be measured
    ├── PerformedError           it was not performed then
    ├── ObjectivesError          recovery objectives are missing, or laxer than what is declared
    ├── BaselineError            the earlier checkpoint gives nothing to compare with
    ├── NoUnitCapacityError      the load test does not say what one unit bears
    └── IllegalCheckpointError   not from here; names what is possible
"""

from collections.abc import Iterable
from datetime import datetime

from services.lifecycle.domain.errors import LifecycleError


class CheckpointError(LifecycleError):
    """Anything that a checkpoint refuses; *places* are where it stands in the body, with what to do."""

    places: tuple[tuple[str, str], ...] = ()

    def below(self, place: str) -> "CheckpointError":
        """The same, of what stands at *place* in the body."""
        self.places = tuple((f"{place}{pointer}", detail) for pointer, detail in self.places)
        return self


class PlanFaultsError(CheckpointError):
    """The plan contradicts itself."""

    def __init__(self, faults: Iterable[tuple[str, str]]) -> None:
        self.places = tuple((f"/plan{place}", detail) for place, detail in faults)
        super().__init__("; ".join(detail for _, detail in self.places))


class PlanKindError(CheckpointError):
    """A plan of one kind does not become one of another."""

    def __init__(self, planned: str, sent: str) -> None:
        super().__init__(f"a {planned} was planned, and this is a {sent}; cancel it, and plan the other anew")
        self.places = (("/plan/kind", str(self)),)


class ResultKindError(CheckpointError):
    """The result is of another kind than the plan."""

    def __init__(self, planned: str, sent: str) -> None:
        super().__init__(f"a {planned} was planned, and this is the result of a {sent}; send one of its own kind")
        self.places = (("/result/kind", str(self)),)


class FiguresMissingError(CheckpointError):
    """The result leaves out what was to be measured."""

    def __init__(self, metrics: Iterable[str]) -> None:
        said = tuple(metrics)
        super().__init__(f"no figure of {', '.join(said)}; send what was measured, or abort the checkpoint")
        self.places = tuple((f"/result/figures/{metric}", f"no figure of {metric}") for metric in said)


class PerformedError(CheckpointError):
    """It was not performed then."""

    def __init__(self, given: datetime, why: str) -> None:
        super().__init__(f"{given.isoformat()} {why}; say when it was performed")
        self.places = (("/performed_at", str(self)),)


class ObjectivesError(CheckpointError):
    """Recovery objectives are missing, or laxer than what the service declares."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.places = ((f"/plan/{field}", detail),)


class BaselineError(CheckpointError):
    """The earlier checkpoint gives nothing to compare with."""

    def __init__(self, checkpoint: str, why: str) -> None:
        super().__init__(f"checkpoint {checkpoint} {why}; name one of the service that was carried through")
        self.places = (("/plan/baseline_of", str(self)),)


class NoUnitCapacityError(CheckpointError):
    """The load test does not say what one unit bears."""

    def __init__(self, checkpoint: str, why: str) -> None:
        super().__init__(f"checkpoint {checkpoint} {why}; name a load test that passed and says how many units bore it")
        self.places = (("/load_test", str(self)),)


class IllegalCheckpointError(CheckpointError):
    """Not from here."""

    def __init__(self, state: str, verb: str, allowed: Iterable[str]) -> None:
        self.state, self.allowed = state, tuple(allowed)
        ways = ", ".join(self.allowed) or "nothing; plan a new one"
        super().__init__(f"the checkpoint is {state}, so it cannot be asked to {verb}; possible here: {ways}")
