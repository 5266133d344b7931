"""What is refused about dependencies, and why."""

from collections.abc import Sequence

from services.lifecycle.domain.errors import LifecycleError


class DependencyCycleError(LifecycleError):
    """Services that each fail without the next cannot be started, nor brought back after an outage."""

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(
            f"{' -> '.join(path)} is a cycle of hard dependencies: none of them could be brought back alone; make one"
            " of them soft (say what the service does without the other), or remove one"
        )
        self.path = tuple(path)
