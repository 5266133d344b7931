"""What an incident waits for, and of whom: the first thing to read when it wakes somebody."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Final

from services.incidents.domain.incident.state import Active, Known, Open, Record
from services.incidents.domain.local_times import local_times

_BY_STATE: Final = {
    "triage": "nobody has taken it on: POST :acknowledge",
    "investigating": "find the cause, then POST :identify, or :mitigate once users feel it no more",
    "identified": "put a remedy in place, then POST :monitor or :mitigate",
    "monitoring": "watch whether the remedy holds, then POST :mitigate or :resolve",
    "mitigated": "users feel it no more: mend the cause, then POST :resolve",
    "resolved": "look back (POST /v1/postmortems), then POST :close",
}
_SEVERE: Final = ("sev1", "sev2")


def next_steps(state: Known, now: datetime, zone: tzinfo = UTC) -> list[str]:
    """Who must do what next, and by which request; the most urgent first, times by *zone* too."""
    step = _BY_STATE.get(state.stage if isinstance(state, Active) else state.name)
    steps = [step] if step else []
    if isinstance(state, Open):
        steps += [*_of_roles(state.record), *_of_updates(state.record, now, zone)]
    return steps


def _of_roles(record: Record) -> Iterator[str]:
    if "incident_commander" not in record.roles and record.severity in _SEVERE:
        yield "nobody is incident commander: POST /roles"
    for role, held in record.roles.items():
        if held.offered_to:
            name = role.replace("_", " ")
            yield f"{held.offered_to} shall be {name}: POST /roles/{role}:acknowledge, or :decline"


def _of_updates(record: Record, now: datetime, zone: tzinfo) -> Iterator[str]:
    due = record.updates.next_due
    if due:
        said = "was due" if due <= now else "is due"
        yield f"an update {said} at {local_times(zone, due)}: POST /updates"
    elif record.details.customer_facing and record.updates.every_minutes is None:
        yield "customers feel it and nobody is told: PUT /updates/cadence"
