"""What a gate, or a plan of capacity, asks of a service's checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.lifecycle.domain.checkpoint.events import Conclusion
from services.lifecycle.domain.checkpoint.plans import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One checkpoint that was carried through.

    Args:
        checkpoint: Its id.
        event: That of the event which concluded it.
        service: Whose.
        kind: Of what kind.
        title: What people call it.
        conclusion: Whether everything was as it had to be.
        performed_at: When.
        performed_by: Who carried it out.
        environment: Where; empty for a build.
        depends_on: The dependency that was taken away, or empty.
        showed: What was not as it had to be, in sentences; everything there was to see when it passed.
        figures: What was measured: `peak_ratio` and `unit_capacity` of a load test, `recovery_point_s` and
            `recovery_time_s` of a restore test, 1 or 0 for each signal of a build, and the metrics by their names.
        url: Where to see it.
    """

    checkpoint: str
    event: str
    service: str
    kind: Kind
    title: str
    conclusion: Conclusion
    performed_at: datetime
    performed_by: str
    environment: str
    depends_on: str
    showed: str
    figures: Mapping[str, float]
    url: str

    @property
    def passed(self) -> bool:
        """Whether everything was as it had to be."""
        return self.conclusion == "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFacts:
    """The newest checkpoints of a service; what was planned, aborted or cancelled shows nothing.

    Args:
        newest: By kind.
        without: By dependency, the newest experiment or test that took it away.
    """

    newest: Mapping[Kind, Shown]
    without: Mapping[str, Shown] = field(default_factory=dict[str, Shown])
