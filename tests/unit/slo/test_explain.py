"""Where the budget went: shares that add up, whatever overlaps."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.adjustments import Excused
from services.slo.domain.error_budget import Target
from services.slo.domain.explain import Cause, Spell, explain, worst
from services.slo.domain.methods import SCALE, Empty, Measured, Method, Slicing
from services.slo.domain.series import Buckets, Series

TARGET = Target.of("0.9")
RANGES = st.tuples(st.integers(0, 130), st.integers(0, 130)).map(lambda w: range(min(w), max(w)))
BUCKETS = st.dictionaries(
    st.integers(0, 120), st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
)


def test_a_minute_in_which_two_incidents_lasted_is_split_between_them() -> None:
    """Ten bad events a minute in minutes 0 to 3; 100 events, so that the budget is ten."""
    measured = Measured(Series.of({0: (0, 10), 1: (0, 10), 2: (0, 10), 3: (0, 10), 4: (60, 60)}))
    got = explain(measured, TARGET, range(5), [Cause("a", range(2)), Cause("b", range(1, 3))])
    assert got is not None
    assert [(s.name, s.consumed, s.touched) for s in got.shares] == [
        ("a", Fraction(3, 2), 2),
        ("b", Fraction(3, 2), 2),
    ]
    assert (got.consumed, got.remainder) == (4, 1)


def test_a_slice_that_an_incident_touches_is_its_own() -> None:
    measured = Measured(Series.of(dict.fromkeys(range(10), (1, 2))), "timeslices", Slicing(5))
    got = explain(measured, TARGET, range(10), [Cause("a", range(9, 12))])
    assert got is not None
    assert (got.shares[0].consumed, got.remainder) == (5, 5)


def test_no_events_cannot_be_explained() -> None:
    assert explain(Measured(Series.of({})), TARGET, range(10), []) is None
    assert worst(Measured(Series.of({})), TARGET, range(10)) == ()


@given(
    BUCKETS,
    RANGES,
    st.sampled_from(["occurrences", "timeslices", "ratio-timeslices"]),
    st.integers(1, 9),
    st.sampled_from(["ignore", "good", "bad"]),
    st.lists(RANGES, max_size=5),
)
def test_shares_add_up_exactly_to_what_was_spent(
    buckets: Buckets, window: range, method: Method, length: int, empty: Empty, lasted: list[range]
) -> None:
    slicing = Slicing(length, Fraction(1, 2), empty)
    measured = Measured(Series.of(buckets), method, slicing, Excused((range(10, 20),), (range(20, 30), range(50, 55))))
    causes = [Cause(str(i), minutes) for i, minutes in enumerate(lasted)]
    good, total = measured.sli(window)
    starts, bad = measured.bad(window)
    assert sum(bad.tolist()) == total - good
    assert starts.tolist() == sorted(set(starts.tolist()))
    got = explain(measured, TARGET, window, causes)
    if got is None:
        assert total == 0
        return
    assert got.consumed == Fraction(total - good, total) * 10
    assert sum(share.consumed for share in got.shares) + got.remainder == got.consumed
    assert all(0 <= share.consumed <= share.touched <= got.consumed for share in got.shares)
    spells = worst(measured, TARGET, window, step_min=7, most=1000)
    assert sum(spell.consumed for spell in spells) == got.consumed


@given(BUCKETS, RANGES)
def test_a_cause_that_lasted_all_the_time_spent_everything(buckets: Buckets, window: range) -> None:
    got = explain(Measured(Series.of(buckets)), TARGET, window, [Cause("all", window)])
    assert got is None or (got.remainder, got.shares[0].consumed) == (0, got.consumed)


def test_a_window_of_nothing_but_bad_slices_is_explained_too() -> None:
    measured = Measured(Series.of({0: (0, 7)}), "ratio-timeslices")
    assert measured.bad(range(1))[1].tolist() == [SCALE]


def test_the_worst_hours_come_first() -> None:
    measured = Measured(Series.of({0: (9, 10), 61: (5, 10), 119: (9, 10), 200: (70, 70)}))
    assert worst(measured, TARGET, range(240), most=1) == (Spell(range(60, 120), Fraction(6, 10)),)
    assert len(worst(measured, TARGET, range(240))) == 2
