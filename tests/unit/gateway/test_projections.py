"""Read models are pure functions of the log that do not care which stream came first."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.codec import encode
from libs.events.envelope import Metadata, Recorded
from libs.events.projection import Key, Projection, Row
from libs.events.registry import EventRegistry
from services.gateway.projections import PROJECTIONS
from services.gateway.projections.journal import JOURNAL, SENTENCES, WORDS, placed, sortable
from services.incidents import contract as incidents
from services.lifecycle import contract as lifecycle
from services.slo import contract as slo

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
SERVICE = {"service": "s", "display_name": "S", "owner_team": "", "tier": 0}
SLO = {"slo": "a", "service": "s", "display_name": "A", "target": 0.9, "window": "28d"}
INCIDENT = {"incident": "i", "number": "INC-1", "service": "s", "severity": "sev2", "title": "down"}
ACTION = {"action": "a", "postmortem": "p", "incident": "i", "service": "s", "title": "t", "owner": "bo"}
BUDGET = {"sli": None, "good": 0, "total": 0, "coverage": 0.0, "error_budget_consumed": None}
GATE = {"service": "s", "phase": "active_development", "passed": False, "policy_version": "1", "checks": []}
STREAMS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "service/s": [
        ("lifecycle.service.registered", SERVICE | {"phase": "x"}),
        ("lifecycle.transition.requested", {"service": "s", "transition": "t", "from_phase": "x", "to_phase": "y"}),
        ("lifecycle.transition.approved", {"service": "s", "transition": "t"}),
        ("lifecycle.service.phase-changed", {"service": "s", "from_phase": "x", "to_phase": "y"}),
    ],
    "slo/a": [("slo.slo.defined", SLO | {"revision": 1}), ("slo.slo.defined", SLO | {"revision": 2})],
    "slo/b": [
        ("slo.slo.defined", SLO | {"slo": "b", "revision": 1}),
        ("slo.slo.ended", {"slo": "b", "service": "s", "revision": 1}),
    ],
    "budget/a": [
        ("slo.budget.assessed", SLO | BUDGET | {"state": state, "error_budget_remaining": None})
        for state in ("undefined", "met", "violated")
    ],
    "error-budget-policy/s": [
        ("slo.policy.written", {"service": "s", "version": 1, "missing": ["development", "sre"]}),
        ("slo.policy.signed", {"service": "s", "version": 1, "missing": []}),
        ("slo.policy.state-changed", {"service": "s", "to_state": "frozen", "reason": "spent"}),
        ("slo.policy.frozen", {"service": "s", "reason": "spent"}),
        ("slo.policy.budget-to-spare", {"service": "s"}),
    ],
    "evaluation/e1": [("lifecycle.gate.evaluated", GATE | {"evaluation": "e1"})],
    "evaluation/e2": [("lifecycle.gate.evaluated", GATE | {"evaluation": "e2", "passed": True})],
    "incident/i": [
        (f"incidents.incident.{verb}", INCIDENT)
        for verb in ("declared", "acknowledged", "mitigated", "resolved", "reopened")
    ]
    + [("incidents.incident.impact-changed", INCIDENT | {"affected": [{"service": "t"}]})],
    "action/a": [
        ("incidents.action.opened", ACTION | {"priority": "P1", "due": "2026-11-20"}),
        ("incidents.action.completed", {"action": "a", "service": "s"}),
    ],
    "action/b": [
        ("incidents.action.opened", ACTION | {"action": "b", "priority": "P1", "due": "2026-11-20"}),
        ("incidents.action.changed", ACTION | {"action": "b", "priority": "P0", "due": "2026-12-20"}),
    ],
}


def history() -> dict[str, list[Recorded]]:
    """Every stream's events, each with an id and a time of its own."""
    made: dict[str, list[Recorded]] = {}
    position = 0
    for stream, events in STREAMS.items():
        for version, (kind, data) in enumerate(events, start=1):
            position += 1
            at = NOW + timedelta(minutes=position)
            made.setdefault(stream, []).append(
                Recorded(
                    position=position,
                    stream=stream,
                    version=version,
                    type=f"io.concordat.{kind}.v1",
                    event_id=UUID(int=position),
                    occurred_at=at,
                    recorded_at=at,
                    data=encode({"at": at} | data),
                    metadata=encode(Metadata(actor="ana")),
                )
            )
    return made


def fold(projection: Projection, events: Sequence[Recorded]) -> dict[Key, Row]:
    """The rows after *events*."""
    rows: dict[Key, Row] = {}
    for recorded in events:
        if recorded.type in projection.events:
            event = projection.events.decode(recorded)
            for key in projection.folds[type(event)].keys(event, recorded):
                row = projection.folds[type(event)].apply(rows.get(key), event, recorded, key)
                rows = {known: kept for known, kept in (rows | {key: row or {}}).items() if kept}
    return rows


STORY = history()
IN_ORDER = [recorded for stream in STORY.values() for recorded in stream]
EXPECTED = {projection.name: fold(projection, IN_ORDER) for projection in PROJECTIONS}


@settings(deadline=None, max_examples=60)
@given(st.permutations([stream for stream, events in STORY.items() for _ in events]))
def test_streams_may_overtake_each_other(order: list[str]) -> None:
    left = {stream: iter(events) for stream, events in STORY.items()}
    shuffled = [next(left[stream]) for stream in order]
    for projection in PROJECTIONS:
        assert fold(projection, shuffled) == EXPECTED[projection.name]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_a_row_has_exactly_the_columns_of_its_table(projection: Projection) -> None:
    columns = {column.name for column in projection.columns()}
    for row in EXPECTED[projection.name].values():
        assert set(row) == columns


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_only_what_the_sources_write_is_folded(projection: Projection) -> None:
    assert {kind.name.split(".")[2] for kind in projection.events} == set(projection.sources)
    assert {kind.cls for kind in projection.events} == set(projection.folds)


@pytest.mark.parametrize("contract", [lifecycle.CONTRACT, slo.CONTRACT, incidents.CONTRACT])
def test_the_journal_has_a_sentence_for_everything_that_leaves_a_service(contract: EventRegistry) -> None:
    told = {kind.name for kind in contract if kind.published}
    assert told <= {kind.name for kind in JOURNAL.events}


@pytest.mark.parametrize("contract", [lifecycle.CONTRACT, slo.CONTRACT, incidents.CONTRACT])
def test_a_sentence_speaks_of_what_its_event_has(contract: EventRegistry) -> None:
    for kind in contract:
        sentence = SENTENCES.get(kind.name.removeprefix("io.concordat.").rpartition(".v")[0], "")
        named = {name for _, name, _, _ in Formatter().parse(sentence) if name}
        assert named <= {field.name for field in fields(kind.cls)} | WORDS.keys(), kind.name


def test_the_journal_sorts_by_the_time_of_recording() -> None:
    moments = [NOW, NOW + timedelta(microseconds=1), NOW + timedelta(seconds=1), NOW + timedelta(days=400)]
    assert sorted(map(sortable, reversed(moments))) == [sortable(moment) for moment in moments]


def test_a_place_in_the_journal_tells_when_and_which() -> None:
    (key, *_) = EXPECTED[JOURNAL.name]
    recorded_at, event_id = placed(key[0])
    assert (recorded_at, event_id) == (sortable(IN_ORDER[0].recorded_at), str(IN_ORDER[0].event_id))
