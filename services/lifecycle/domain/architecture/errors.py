"""What is refused about architecture findings; what their life refuses stands with readiness reviews.

LifecycleError
└── KnownFindingError    the same is known already, and nobody has dealt with it
"""

from services.lifecycle.domain.errors import LifecycleError


class KnownFindingError(LifecycleError):
    """The same is known already, and nobody has dealt with it."""

    def __init__(self, title: str, finding: str) -> None:
        super().__init__(f"{title!r} is known already: finding {finding}; go on with that one")
        self.finding = finding
