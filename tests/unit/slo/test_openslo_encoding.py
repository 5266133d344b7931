"""A definition survives the way through an event."""

import json
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.slo.domain.error_budget import Target
from services.slo.domain.openslo.definition import (
    Component,
    Condition,
    Definition,
    Indicator,
    Limit,
    Metric,
    Notification,
    Objective,
    Policy,
    Ratio,
    RawRatio,
    Slices,
    Source,
    Threshold,
)
from services.slo.domain.openslo.encoding import encode, read
from services.slo.domain.openslo.promise import without_effect
from services.slo.domain.windows import Calendar, Rolling
from services.slo.measurements.book import terms_of

TEXT, NAME = st.text("aé-", max_size=3), st.text("ab", min_size=1, max_size=3)
MINUTES = st.integers(1, 600_000)
FRACTION = st.fractions(min_value=0)
MAYBE = st.booleans()
JSON = st.none() | MAYBE | st.integers() | TEXT | st.lists(TEXT, max_size=2)
METRIC = st.builds(Metric, st.builds(Source, TEXT, TEXT), st.dictionaries(TEXT, JSON, max_size=2))
RATIO = st.builds(Ratio, METRIC, METRIC, st.none() | METRIC, MAYBE)
RAW = st.builds(RawRatio, METRIC, st.sampled_from(["success", "failure"]), MAYBE)
INDICATOR = st.builds(Indicator, NAME, TEXT, TEXT, RATIO | RAW | st.builds(Threshold, METRIC))
SLICES = st.none() | st.builds(Slices, MINUTES, st.none() | FRACTION)
METHODS = st.sampled_from(["Occurrences", "Timeslices", "RatioTimeslices"])
LEAF = st.builds(
    Component,
    NAME | INDICATOR,
    FRACTION,
    st.sampled_from(["good", "bad", "ignore"]),
    st.integers(0, 60),
    st.none() | METHODS,
    SLICES,
)
COMPONENT = LEAF | st.builds(Component, NAME, FRACTION, method=METHODS, parts=st.lists(LEAF, max_size=2).map(tuple))
OBJECTIVE = st.builds(
    Objective,
    TEXT,
    st.builds(Target, st.integers(0, 10**9), st.integers(10**9 + 1, 10**12)),
    SLICES,
    st.none() | st.builds(Limit, st.sampled_from(["gt", "lt", "gte", "lte"]), st.fractions()),
    st.none() | COMPONENT,
)
CONDITION = st.builds(
    Condition, NAME, NAME, st.sampled_from(["gt", "gte"]), FRACTION, MINUTES, st.integers(0, 100), TEXT
)
POLICIES = st.lists(
    st.builds(
        Policy,
        NAME,
        TEXT,
        TEXT,
        MAYBE,
        MAYBE,
        MAYBE,
        st.lists(CONDITION, max_size=2).map(tuple),
        st.lists(st.builds(Notification, NAME, NAME, TEXT), max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)
CALENDAR = st.builds(
    Calendar, st.integers(1, 5), st.sampled_from("dwMQY"), st.datetimes(), st.sampled_from(["UTC", "Europe/Berlin"])
)
DEFINITION = st.builds(
    Definition,
    NAME,
    TEXT,
    TEXT,
    NAME,
    METHODS,
    st.builds(Rolling, MINUTES) | CALENDAR,
    st.none() | INDICATOR,
    st.lists(OBJECTIVE, min_size=1, max_size=3).map(tuple),
    POLICIES,
    st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=2),
    st.dictionaries(TEXT, TEXT, max_size=2),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(DEFINITION)
def test_what_is_encoded_reads_back_as_it_was_also_through_json(definition: Definition) -> None:
    assert read(json.loads(json.dumps(encode(definition)))) == definition


def test_connection_details_are_not_said_to_everybody() -> None:
    metric = Metric(Source("prom", "prometheus", {"password": "hunter2"}), {"query": "up"})
    indicator = Indicator("good", "", "", Threshold(metric))
    objective = Objective("", Target(9, 10), limit=Limit("lt", Fraction(1, 5)))
    definition = Definition("a", "", "", "web", "Occurrences", Rolling(60), indicator, (objective,), (), {}, {})
    assert "hunter2" not in json.dumps(encode(definition))


def test_a_composite_of_the_first_version_is_undefined_and_says_how_to_mend_it() -> None:
    """It did not say how the SLIs of its components come about."""
    objective = Objective("", Target(9, 10), component=Component("a", Fraction(1)))
    definition = Definition("both", "", "", "web", "Occurrences", Rolling(60), None, (objective,), (), {}, {})
    assert read(json.loads(json.dumps(encode(definition)))) == definition
    assert terms_of(definition).parts == ()
    assert "PUT its document again" in without_effect(definition)[0]
