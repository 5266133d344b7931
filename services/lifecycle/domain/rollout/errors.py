"""What a roll-out refuses, and why."""

from collections.abc import Sequence

from services.lifecycle.domain.errors import LifecycleError


class StepsError(LifecycleError):
    """The steps do not lead from few users to all of them."""

    def __init__(self, index: int, detail: str) -> None:
        super().__init__(detail)
        self.index = index


class IllegalRolloutError(LifecycleError):
    """What is asked does not follow from where the roll-out stands."""

    def __init__(self, rollout: str, state: str, allowed: Sequence[str], detail: str = "") -> None:
        ways = ", ".join(allowed) or "nothing; plan a new one"
        super().__init__(f"roll-out {rollout} is {state}{detail and f': {detail}'}; allowed: {ways}")
        self.state, self.allowed = state, tuple(allowed)


class SecondReviewerError(LifecycleError):
    """Nobody reviews what they planned themselves, and a machine reviews nothing."""

    def __init__(self, planned_by: str) -> None:
        super().__init__(f"{planned_by!r} planned this roll-out; another person, not a machine, reviews it")
        self.planned_by = planned_by
