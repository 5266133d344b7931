"""What can be said of the code of a service."""

from dataclasses import dataclass

from services.lifecycle.domain.ci_report.events import CiReported


@dataclass(frozen=True, slots=True)
class Report:
    """Say what CI counted; sent again, nothing happens. Unless it is *dated*, it was counted when it was sent."""

    what: CiReported
    dated: bool = True


Command = Report
