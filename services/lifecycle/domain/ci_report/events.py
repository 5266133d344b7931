"""What CI says about the code of a service; never about who wrote it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CiReported:
    """CI counted something; None is what it did not count.

    Args:
        report: Its id, given by CI.
        service: Of which service.
        changes: Changes that were merged and no earlier report has told of.
        test_coverage: Of the code as it is, the share that its tests run through.
        escaped_defects: Defects that users met and no earlier report has told of.
        commit: What it was counted at, or empty.
        url: Where to see it, or empty.
        done_at: When it was counted.
        by: Who sent it.
        at: When it was sent.
    """

    report: str
    service: str
    changes: int | None = None
    test_coverage: float | None = None
    escaped_defects: int | None = None
    commit: str = ""
    url: str = ""
    done_at: datetime
    by: str
    at: datetime


Event = CiReported
