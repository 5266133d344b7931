"""What senders say, read by the rules of their interfaces: no database is asked."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.incidents.domain.errors import MatcherError
from services.incidents.domain.integration.decider import Active
from services.incidents.domain.integration.events import Mapped, Profile, UrgencyRule
from services.incidents.domain.matchers import all_match, check_matchers, matcher
from services.incidents.senders.alertmanager import AlertmanagerError, read_notification
from services.incidents.senders.mapped import MappingError, check, read_mapped
from services.incidents.senders.pagerduty import InvalidEventError, UnrecognizedError, read_change, read_event
from services.incidents.senders.rates import Rates
from services.incidents.senders.sorting import Said, sort

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
KEY = "R0UTINGKEYR0UTINGKEYR0UTINGKEY01"
PAYLOAD: dict[str, Any] = {"summary": "disk full", "source": "db-1", "severity": "critical"}
TRIGGER: dict[str, Any] = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "d1", "payload": PAYLOAD}
CLUMSY: list[tuple[str, Any]] = [
    ('"a\\u0000b"', "a\ufffdb"),
    ('"cut \\ud83d"', "cut \ufffd"),
    ('"\\udc00 \\ud83d\\ude00"', "\ufffd \U0001f600"),
    ('{"\\u0000": ["\\ud83d"]}', {"\ufffd": ["\ufffd"]}),
    ("[-1e400, 1.5]", ["-1e400", 1.5]),
]


def event(**changes: Any) -> Any:
    return read_event(json.dumps(TRIGGER | changes).encode(), "made", NOW)


class TestPagerDuty:
    def test_a_trigger_says_what_fires(self) -> None:
        read = event(
            payload=PAYLOAD | {"component": "pg", "timestamp": "2026-11-21T09:00:00+01:00", "custom_details": 7}
        )

        assert (read.routing_key, read.action, read.dedup_key) == (KEY, "trigger", "d1")
        assert (read.said.summary, read.said.severity, read.said.fired) == (
            "disk full",
            "critical",
            NOW - timedelta(hours=2),
        )
        assert read.said.labels == {"source": "db-1", "component": "pg"}
        assert read.said.details == {"custom_details": 7}

    def test_a_trigger_without_a_key_gets_one(self) -> None:
        assert event(dedup_key=None).dedup_key == "made"

    @pytest.mark.parametrize("action", ["acknowledge", "resolve"])
    def test_what_ends_an_alert_needs_its_key_and_nothing_else(self, action: str) -> None:
        body = {"routing_key": KEY, "event_action": action, "dedup_key": "d1"}
        assert read_event(json.dumps(body).encode(), "made", NOW).said is None
        del body["dedup_key"]
        with pytest.raises(InvalidEventError, match="'dedup_key' is missing or blank"):
            read_event(json.dumps(body).encode(), "made", NOW)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"routing_key": ""}, "'routing_key' is missing or blank"),
            ({"routing_key": "-" * 32}, "'routing_key' is invalid"),
            ({"event_action": "page"}, "'event_action' is missing or unknown"),
            ({"event_action": ["trigger"]}, "'event_action' is missing or unknown"),
            ({"dedup_key": "d" * 256}, "'dedup_key' is too long"),
            ({"dedup_key": 7}, "'dedup_key' is invalid"),
            ({"payload": None}, "'payload' is missing"),
            ({"payload": PAYLOAD | {"summary": " "}}, "'payload.summary' is missing or blank"),
            ({"payload": PAYLOAD | {"summary": "s" * 1025}}, "'payload.summary' is too long"),
            ({"payload": PAYLOAD | {"source": None}}, "'payload.source' is missing or blank"),
            ({"payload": PAYLOAD | {"severity": "sev1"}}, "'payload.severity' is missing or unknown"),
        ],
    )
    def test_what_decides_is_refused_with_place_and_remedy(self, changes: dict[str, Any], said: str) -> None:
        with pytest.raises(InvalidEventError) as refused:
            event(**changes)
        assert len(refused.value.errors) == 1
        assert refused.value.errors[0].startswith(said)
        assert "; " in refused.value.errors[0]

    @pytest.mark.parametrize("key", ["short", "k" * 33])
    def test_a_key_of_another_length_is_refused_in_pagerdutys_words(self, key: str) -> None:
        with pytest.raises(InvalidEventError) as refused:
            event(routing_key=key)
        assert refused.value.errors == ("Length of 'routing_key' is incorrect (should be 32 characters)",)

    def test_an_empty_payload_lacks_all_that_it_must_have(self) -> None:
        with pytest.raises(InvalidEventError, match=r"summary.*; .*source.*; .*severity"):
            event(payload={})

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        with pytest.raises(InvalidEventError) as refused:
            read_event(b"{}", "made", NOW)
        assert len(refused.value.errors) == 3

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000])
    def test_what_is_no_object_is_not_recognised(self, body: bytes) -> None:
        with pytest.raises(UnrecognizedError):
            read_event(body, "made", NOW)

    @pytest.mark.parametrize(("sent", "kept"), CLUMSY)
    def test_what_no_database_keeps_costs_no_alert(self, sent: str, kept: Any) -> None:
        body = json.dumps(TRIGGER | {"client": "SENT", "payload": PAYLOAD | {"custom_details": {"x": "SENT"}}})
        said = read_event(body.replace('"SENT"', sent).encode(), "made", NOW).said
        assert said is not None
        assert (said.details["client"], said.details["custom_details"]) == (kept, {"x": kept})

    @pytest.mark.parametrize(
        ("encoding", "summary"),
        [("utf-8-sig", "Störung"), ("utf-16", "Störung"), ("latin-1", "St\ufffdrung")],
    )
    def test_whatever_it_is_encoded_in_costs_no_alert(self, encoding: str, summary: str) -> None:
        body = json.dumps(TRIGGER | {"payload": PAYLOAD | {"summary": "Störung"}}, ensure_ascii=False)
        said = read_event(body.encode(encoding), "made", NOW).said
        assert said is not None
        assert said.summary == summary

    def test_bytes_that_are_no_characters_are_refused_in_what_tells_alerts_apart(self) -> None:
        body = json.dumps(TRIGGER | {"dedup_key": "Störung"}, ensure_ascii=False).encode("latin-1")
        with pytest.raises(InvalidEventError, match="dedup_key"):
            read_event(body, "made", NOW)

    @pytest.mark.parametrize("character", ["\x00", "\ud83d"])
    @pytest.mark.parametrize("action", ["trigger", "resolve"])
    @pytest.mark.parametrize("name", ["routing_key", "dedup_key"])
    def test_what_tells_alerts_apart_is_not_mended(self, name: str, action: str, character: str) -> None:
        with pytest.raises(InvalidEventError, match=name):
            event(**{"event_action": action, name: f"disk{character}"})

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "1" * 5000])
    @pytest.mark.parametrize("beside", ["plain", "clumsy \x00"])
    def test_what_is_no_number_is_no_json(self, number: str, beside: str) -> None:
        body = json.dumps(TRIGGER | {"client": "SENT", "client_url": beside}).replace('"SENT"', number)
        with pytest.raises(UnrecognizedError):
            read_event(body.encode(), "made", NOW)

    def test_what_nests_deeper_than_anybody_reads_is_kept_as_text(self) -> None:
        nested = "[" * 500 + "7" + "]" * 500
        value = json.loads(json.dumps(event(links=json.loads(nested)).said.details["links"]))
        levels = 0
        while isinstance(value, list):
            [value], levels = value, levels + 1
        assert (levels, value) == (32, "[" * 468 + "7" + "]" * 468)

    @pytest.mark.parametrize(
        "changes",
        [
            {"images": [{"url": "https://x"}], "links": "x", "client": 7},
            {"payload": PAYLOAD | {"timestamp": "yesterday"}},
            {"payload": PAYLOAD | {"timestamp": 17, "class": 3, "group": None, "unknown": {}}},
        ],
    )
    def test_what_decides_nothing_may_be_anything(self, changes: dict[str, Any]) -> None:
        assert event(**changes).said.fired == NOW

    def test_a_time_ahead_of_ours_is_now(self) -> None:
        assert event(payload=PAYLOAD | {"timestamp": "2030-01-01T00:00:00Z"}).said.fired == NOW

    def test_a_change_needs_key_and_summary(self) -> None:
        body = {"routing_key": KEY, "payload": {"summary": "deployed", "timestamp": "2026-11-21T10:00:00+00:00Z"}}
        assert read_change(json.dumps(body).encode(), NOW).at == NOW  # as PagerDuty's own client writes times
        with pytest.raises(InvalidEventError, match="payload"):
            read_change(json.dumps({"routing_key": KEY}).encode(), NOW)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*TRIGGER, *PAYLOAD, "x"]), inner),
        )
    )
    def test_whatever_is_sent_is_read_or_refused(self, value: Any) -> None:
        with suppress(InvalidEventError, UnrecognizedError):
            read_event(json.dumps(value).encode(), "made", NOW)


ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "severity": "warning", "service": "search-api"},
    "annotations": {"summary": "disk of db-1 is full"},
    "startsAt": "2026-11-21T09:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "c0ffee",
}


def notification(*alerts: Any, **changes: Any) -> Any:
    body = {"version": "4", "groupKey": "{}:{}", "status": "firing", "alerts": list(alerts), "new": 1} | changes
    return read_notification(json.dumps(body).encode(), NOW)


class TestAlertmanager:
    def test_a_firing_alert_is_known_by_its_fingerprint_and_grouped_by_its_group(self) -> None:
        [said] = notification(ALERT, externalURL="http://am").firing
        assert (said.dedup_key, said.group, said.severity) == ("c0ffee", "{}:{}", "warning")
        assert (said.summary, said.fired) == ("disk of db-1 is full", NOW - timedelta(hours=1))
        assert said.details["generatorURL"] == "http://prometheus/graph"

    def test_a_group_that_fires_may_hold_resolved_alerts(self) -> None:
        gone = ALERT | {"status": "resolved", "fingerprint": "beef", "endsAt": "2026-11-21T09:30:00Z"}
        told = notification(ALERT, gone)
        assert [said.dedup_key for said in told.firing] == ["c0ffee"]
        assert told.resolved == (("beef", NOW - timedelta(minutes=30)),)

    def test_the_year_one_is_no_time(self) -> None:
        [(_, at)] = notification(ALERT | {"status": "resolved"}).resolved
        assert at == NOW

    def test_an_alert_without_a_fingerprint_is_known_by_its_labels(self) -> None:
        bare = {name: value for name, value in ALERT.items() if name != "fingerprint"}
        later = bare | {"startsAt": "2026-11-21T09:59:00Z"}
        assert notification(bare).firing[0].dedup_key == notification(later).firing[0].dedup_key

    def test_an_alert_without_annotations_is_called_by_its_name(self) -> None:
        assert notification(ALERT | {"annotations": None}).firing[0].summary == "DiskFull"

    @pytest.mark.parametrize(
        ("alerts", "changes", "pointer"),
        [
            ([ALERT], {"version": "3"}, "/version"),
            ([], {"alerts": {}}, "/alerts"),
            ([ALERT] * 10_001, {}, "/alerts"),
            (["x"], {}, "/alerts/0"),
            ([ALERT, ALERT | {"status": "open"}], {}, "/alerts/1/status"),
            ([ALERT, ALERT | {"status": ["firing"]}], {}, "/alerts/1/status"),
            ([ALERT | {"labels": {}}], {}, "/alerts/0/labels"),
            ([ALERT | {"labels": {"a": 1}}], {}, "/alerts/0/labels"),
        ],
    )
    def test_what_is_not_of_version_4_is_refused_with_its_place(
        self, alerts: list[Any], changes: dict[str, Any], pointer: str
    ) -> None:
        with pytest.raises(AlertmanagerError) as refused:
            notification(*alerts, **changes)
        assert [place for place, _ in refused.value.places] == [pointer]

    @pytest.mark.parametrize(("sent", "kept"), CLUMSY)
    def test_what_no_database_keeps_costs_no_alert(self, sent: str, kept: Any) -> None:
        body = json.dumps({"version": "4", "alerts": [ALERT | {"annotations": {"x": "SENT"}}]})
        told = read_notification(body.replace('"SENT"', sent).encode(), NOW)
        assert told.firing[0].details["annotations"] == {"x": kept}

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
    def test_what_is_no_object_is_refused(self, body: bytes) -> None:
        with pytest.raises(AlertmanagerError):
            read_notification(body, NOW)


CHECK = {"host": "db-1", "check": "disk", "output": "disk full", "level": 2, "state": "DOWN", "since": 1795255200}
MAPPED = Mapped(
    action="state",
    dedup_key="join('/', [host, check])",
    summary="output",
    severity="level",
    fired="since",
    labels={"host": "host", "nothing": "absent"},
    actions={"DOWN": "trigger", "UP": "resolve"},
    severities={"2": "critical"},
)


class TestMapped:
    def test_expressions_find_what_an_alert_needs(self) -> None:
        event = read_mapped(MAPPED, CHECK, "made", NOW)
        assert (event.action, event.dedup_key) == ("trigger", "db-1/disk")
        assert event.said is not None
        assert (event.said.summary, event.said.severity, event.said.labels) == (
            "disk full",
            "critical",
            {"host": "db-1"},
        )

    def test_words_are_translated(self) -> None:
        assert read_mapped(MAPPED, CHECK | {"state": "UP"}, "made", NOW).action == "resolve"

    def test_without_a_mapping_plain_names_are_looked_for(self) -> None:
        event = read_mapped(None, {"id": "x", "title": "broken", "status": "resolved"}, "made", NOW)
        assert (event.action, event.dedup_key) == ("resolve", "x")

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"state": "SIDEWAYS"}, "/mapping/action"),
            ({"output": None}, "/mapping/summary"),
            ({"host": "h" * 300}, "/mapping/dedup_key"),
            ({"state": "UP", "host": None}, "/mapping/dedup_key"),
        ],
    )
    def test_what_is_not_found_is_refused_with_the_expression_that_looked_for_it(
        self, changes: dict[str, Any], pointer: str
    ) -> None:
        with pytest.raises(MappingError) as refused:
            read_mapped(MAPPED, CHECK | changes, "made", NOW)
        assert [place for place, _ in refused.value.places] == [pointer]

    def test_a_mapping_is_checked_before_it_is_saved(self) -> None:
        with pytest.raises(MappingError) as refused:
            check(Mapped(summary="a ||", labels={"x": "]"}, actions={"a": "page"}))
        assert [place for place, _ in refused.value.places] == [
            "/mapping/summary",
            "/mapping/labels/x",
            "/mapping/actions/a",
        ]


class TestMatchers:
    @pytest.mark.parametrize(
        ("text", "labels", "holds"),
        [
            ('severity="critical"', {"severity": "critical"}, True),
            ("severity=critical", {"severity": "critical"}, True),
            ('severity!="critical"', {}, True),
            ('host=~"db-.*"', {"host": "db-1"}, True),
            ('host=~"db"', {"host": "db-1"}, False),
            ('host!~"db-.*"', {"host": "db-1"}, False),
            ('host=""', {}, True),
            (r'text="a \"quoted\" word"', {"text": 'a "quoted" word'}, True),
            ('host=~"(a+)+b"', {"host": "a" * 5_000}, False),  # which would take longer than the universe by trying
        ],
    )
    def test_mean_what_they_mean_to_alertmanager(self, text: str, labels: dict[str, str], holds: bool) -> None:  # noqa: FBT001  a case
        assert matcher(text).matches(labels) is holds

    @pytest.mark.parametrize("text", ["", "severity", '="x"', "a=~(", "a=~(?=b)", '9a="x"', "a=" + "x" * 1000])
    def test_what_is_none_is_refused_with_its_place(self, text: str) -> None:
        with pytest.raises(MatcherError) as refused:
            check_matchers(["a=b", text], "matchers")
        assert refused.value.field == "matchers/1"

    def test_all_of_them_must_hold(self) -> None:
        assert all_match(["a=b", "c!=d"], {"a": "b"})
        assert not all_match(["a=b", "c=d"], {"a": "b"})
        assert not all_match(["a=b", "a=~(?=b)"], {"a": "b"})


def said(**changes: Any) -> Said:
    plain: dict[str, Any] = {"dedup_key": "d1", "summary": "full", "severity": "critical", "fired": NOW}
    return Said(**plain | {"labels": {"host": "db-1", "service": "search-api"}, "details": {}} | changes)


def sender(**changes: Any) -> Active:
    return Active("pd", "pagerduty", Profile("checkout-api", **changes), "hash", NOW, "ana")


class TestSorting:
    @pytest.mark.parametrize(
        ("severity", "urgency", "of_incident"),
        [
            ("critical", "high", "sev2"),
            ("error", "high", "sev3"),
            ("Warning", "low", "sev3"),
            ("info", "low", "sev4"),
            ("", "high", "sev3"),
            ("P1", "high", "sev3"),
        ],
    )
    def test_what_is_not_known_to_be_mild_pages(self, severity: str, urgency: str, of_incident: str) -> None:
        signal = sort(sender(), said(severity=severity))
        assert (signal.urgency, signal.severity) == (urgency, of_incident)

    def test_the_first_rule_that_matches_decides_the_urgency(self) -> None:
        rules = (UrgencyRule(("host=~'x'",), "high"), UrgencyRule(('host=~"db.*"', "service=checkout-api"), "low"))
        assert sort(sender(urgencies=rules), said()).urgency == "low"

    @pytest.mark.parametrize(
        ("group_by", "own", "group"),
        [
            (None, "", "pd/checkout-api"),
            (None, "{}:{}", "pd/{}:{}"),
            (("service",), "{}:{}", "pd/checkout-api"),
            (("host", "absent"), "", 'pd/["db-1",""]'),
            ((), "{}:{}", ""),
        ],
    )
    def test_what_agrees_in_its_labels_is_of_one_group(
        self, group_by: tuple[str, ...] | None, own: str, group: str
    ) -> None:
        assert sort(sender(group_by=group_by), said(group=own)).group == group

    def test_a_label_names_the_service_where_that_is_known(self) -> None:
        named = sender(service_label="service")
        assert sort(named, said(), frozenset({"search-api"})).service == "search-api"
        assert sort(named, said(), frozenset()).service == "checkout-api"


def test_a_batch_larger_than_a_minutes_share_is_taken_and_waited_for_afterwards() -> None:
    rates = Rates(60)

    assert rates.take("prometheus", 180) == 0
    assert 119 < rates.take("prometheus") <= 121
    assert rates.take("another") == 0
