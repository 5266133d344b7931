from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.incidents.contract import INCIDENT
from services.incidents.domain.incident import events as of
from services.incidents.domain.incident import work_events as of_work
from services.incidents.domain.next_steps import next_steps

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
FACT: dict[str, Any] = {
    "incident": "i1",
    "number": "INC-1",
    "service": "checkout-api",
    "severity": "sev3",
    "by": "ana",
    "at": AT,
}
DECLARED = of.IncidentDeclared(**FACT, title="Checkout fails", impact_started=AT, detected=AT)
RESOLVED = of.IncidentResolved(**FACT)
EVERY = of_work.IncidentCadenceSet(**FACT, every_minutes=30, next_due=AT + timedelta(minutes=30))
LEADS = of_work.IncidentRoleAssumed(**FACT, role="incident_commander", person="ana")
OFFERED = of_work.IncidentRoleOffered(**FACT, role="incident_commander", person="bo")


@pytest.mark.parametrize(
    ("past", "words"),
    [
        ((DECLARED,), ["nobody has taken it on"]),
        ((DECLARED, of.IncidentAcknowledged(**FACT)), ["find the cause"]),
        ((DECLARED, of.IncidentStageChanged(**FACT, stage="identified")), ["put a remedy in place"]),
        ((DECLARED, of.IncidentStageChanged(**FACT, stage="monitoring")), ["watch whether the remedy holds"]),
        ((DECLARED, of.IncidentMitigated(**FACT)), ["users feel it no more"]),
        ((DECLARED, EVERY, RESOLVED), ["look back"]),
        ((DECLARED, RESOLVED, of.IncidentClosed(**FACT)), []),
        ((replace(DECLARED, severity="sev1"),), ["nobody has taken it on", "nobody is incident commander"]),
        ((DECLARED, LEADS, OFFERED), ["nobody has taken it on", "bo shall be incident commander"]),
        ((DECLARED, EVERY), ["nobody has taken it on", "an update is due at 10:30 UTC"]),
        (
            (replace(DECLARED, customer_facing=True),),
            ["nobody has taken it on", "customers feel it and nobody is told"],
        ),
    ],
)
def test_an_incident_says_what_it_waits_for(past: tuple[of.Event, ...], words: list[str]) -> None:
    state = INCIDENT.fold(None, past)
    assert state is not None
    for step, said in zip(next_steps(state, AT), words, strict=True):
        assert step.startswith(said)


def test_an_update_that_is_late_was_due() -> None:
    state = INCIDENT.fold(None, (DECLARED, EVERY))
    assert state is not None
    assert next_steps(state, AT + timedelta(hours=1))[1].startswith("an update was due at 10:30")
