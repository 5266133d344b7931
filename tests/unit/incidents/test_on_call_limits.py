"""How much being on call may cost: each limit is told where it is broken, and nowhere else."""

from datetime import UTC, datetime, timedelta

import pytest

from services.incidents.config import IncidentsSettings, load_on_call
from services.incidents.domain.on_call.limits import Breach, breaches, of_shift
from services.incidents.domain.on_call.load import Member, Share, at_once, balance, shares_of
from services.incidents.domain.on_call.moves import moves
from services.incidents.domain.on_call.roster import OnCall, Source
from services.incidents.domain.on_call.spans import Span

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = load_on_call(IncidentsSettings.model_fields["on_call_policy"].default)
EIGHT = tuple("abcdefgh")


def duty(person: str, start: float, hours: float, *, shadow: bool = False, schedule: str = "cart") -> OnCall:
    """From some hour after Monday's midnight on."""
    since = MONDAY + start * HOUR
    return OnCall(person, since, since + hours * HOUR, Source("rotation"), shadow, schedule)


def found(*held: OnCall, people: tuple[str, ...] = EIGHT, sites: str = "", days: int = 28) -> dict[str, list[Breach]]:
    """What is told of a plan, by limit; the people are at one site, or at those of *sites*, a letter each."""
    members = {name: Member(name, "sre", sites[number : number + 1]) for number, name in enumerate(people)}
    told: dict[str, list[Breach]] = {}
    for each in breaches(POLICY, held, members, MONDAY, MONDAY + days * DAY):
        told.setdefault(each.limit, []).append(each)
    return told


def test_eight_people_who_take_turns_by_the_day_are_within_every_limit() -> None:
    assert found(*(duty(EIGHT[day % 8], day * 24 + 9, 8) for day in range(56)), days=56) == {}


def test_a_schedule_of_nobody_breaks_nothing() -> None:
    assert found(people=()) == {}


@pytest.mark.parametrize(
    ("number", "sites", "kept"),
    [
        (8, "", True),
        (7, "", False),
        (12, "mmmmmmzzzzzz", True),
        (11, "mmmmmmzzzzz", False),
        (9, "mmmmmmmmz", True),  # eight at one of them
        (9, "mmmzzzbbb", False),
    ],
)
def test_eight_people_at_one_site_or_six_at_each_of_two(number: int, sites: str, *, kept: bool) -> None:
    people = tuple(f"p{each}" for each in range(number))
    told = found(people=people, sites=sites).get("people", [])
    assert not told if kept else told[0].detail.endswith("have 8 people at one site, or 6 at each of two")


def test_how_many_there_are_at_each_site_is_said_in_the_order_of_their_names() -> None:
    (breach,) = found(people=tuple("abcde"), sites="zzmm")["people"]
    assert breach.detail.startswith("1 at no site, 2 at m, 2 at z; ")


def test_nobody_is_on_call_for_more_than_a_quarter_of_the_time() -> None:
    a_quarter = [duty("a", day * 24, 6) for day in range(28)]
    assert "share" not in found(*a_quarter)

    (breach,) = found(*a_quarter, duty("a", 7, 1))["share"]

    assert (breach.subject, breach.allowed) == ("a", 0.25)
    assert breach.value > 0.25
    assert "SRE book" in breach.source


def test_a_moment_counts_once_and_a_shadow_not_at_all() -> None:
    twice = [duty("a", day * 24, 6) for day in range(28)] * 2
    assert "share" not in found(*twice, duty("a", 0, 600, shadow=True))


@pytest.mark.parametrize(("limit", "first"), [("nights", 0), ("weekends", 5 * 24 + 10)])
def test_nights_and_weekends_are_shared(limit: str, first: int) -> None:
    week = 7 * 24
    even = [duty(name, first + number * week, 4) for number, name in enumerate(EIGHT)]
    assert limit not in found(*even, days=63)

    others = [duty("a", first + number * week, 4) for number in range(8)]

    (breach,) = found(*others, days=63)[limit]
    assert (breach.subject, breach.value, breach.allowed) == ("a", 8, 1.5)


@pytest.mark.parametrize(
    ("of_one", "of_other", "allowed"),
    [
        (1, 0, None),  # more than half as much again as the mean, but not by a whole night
        (3, 1, None),  # just half as much again
        (2, 0, 1.5),
        (5, 1, 4.5),
    ],
)
def test_a_burden_is_a_night_more_than_the_mean_and_more_than_half_as_much_again(
    of_one: int, of_other: int, allowed: float | None
) -> None:
    nights = [duty("a", night * 24, 4) for night in range(of_one)] + [duty("b", 240, 4)] * of_other
    assert [each.allowed for each in found(*nights, people=("a", "b")).get("nights", [])] == [allowed] * bool(allowed)


def test_nobody_is_on_call_for_more_than_a_week_without_relief() -> None:
    assert "shift_length" not in found(duty("a", 0, 100), duty("a", 100, 68))  # a week in two parts

    (breach,) = found(duty("a", 0, 100), duty("a", 100, 69), duty("a", 300, 9))["shift_length"]

    assert (breach.subject, breach.value, breach.allowed) == ("a", 169, 168)


def test_between_two_shifts_there_are_eleven_hours_of_rest() -> None:
    assert "rest" not in found(duty("a", 0, 12), duty("a", 23, 8), duty("b", 12, 11))

    (breach,) = found(duty("a", 0, 12), duty("a", 22, 8), duty("a", 99, 8))["rest"]

    assert (breach.subject, breach.value, breach.allowed) == ("a", 10, 11)


def test_nobody_is_on_call_by_two_schedules_at_once() -> None:
    after = (duty("a", 0, 12), duty("a", 12, 12, schedule="till"))
    another = duty("b", 0, 12, schedule="till")
    layers, shadowing = duty("a", 6, 6), duty("a", 0, 24, shadow=True, schedule="till")
    assert "schedules_at_once" not in found(*after, another, layers, shadowing)

    beside = (duty("a", 6, 3, schedule="till"), duty("a", 8, 4, schedule="till"), duty("a", 99, 4, schedule="search"))
    (breach,) = found(*after, *beside)["schedules_at_once"]

    assert (breach.subject, breach.value, breach.allowed) == ("a", 2, 1)
    assert breach.detail == "a is on call by cart and till at once, for 6 hours; let others take some"
    assert breach.source


def test_when_somebody_is_on_call_by_more_schedules_than_they_may() -> None:
    three = [duty("a", 0, 12), duty("a", 3, 6, schedule="till"), duty("a", 6, 12, schedule="search")]

    def hours(most: int) -> list[tuple[float, float]]:
        return [((it.start - MONDAY) / HOUR, (it.end - MONDAY) / HOUR) for it in at_once(three, most)]

    assert (hours(1), hours(2), hours(3)) == ([(3, 12)], [(6, 9)], [])


@pytest.mark.parametrize(
    ("start", "hours", "share"),
    [
        (20, 1, Share(1, 0, 0, 1)),  # from 21 to 22 in Berlin
        (21, 1, Share(1, 1, 0, 1)),
        (6, 1, Share(1, 1, 0, 1)),
        (7, 1, Share(1, 0, 0, 1)),
        (-2, 36, Share(36, 2, 1, 1)),  # of Sunday, an hour
        (4 * 24 + 22, 25, Share(25, 2, 1, 1)),  # from the last hour of Friday to the end of Saturday
        (4 * 24 + 23, 48, Share(48, 3, 2, 1)),  # a weekend
    ],
)
def test_nights_and_weekends_are_those_of_everybodys_own_clock(start: int, hours: int, share: Share) -> None:
    members = {"a": Member("a", "sre", "", "Europe/Berlin"), "b": Member("b", "sre", "")}
    told = shares_of([duty("a", start, hours)], members, MONDAY - 7 * DAY, MONDAY + 14 * DAY)
    assert told == {"a": share, "b": Share()}


@pytest.mark.parametrize(("hours", "said"), [((4, 1, 2), 0.25), ((3, 3), 1), ((0, 0), None), ((), None)])
def test_balance_is_the_least_over_the_most(hours: tuple[float, ...], said: float | None) -> None:
    assert balance(hours) == said


def test_whose_time_changes_hears_what_is_gained_and_what_is_lost() -> None:
    before = [duty("a", 0, 12), duty("b", 12, 12), duty("c", 24, 12), duty("zoe", 0, 24, shadow=True)]
    after = [duty("a", 0, 8), duty("b", 8, 4), duty("b", 12, 12), duty("c", 24, 12), duty("a", 40, 20)]

    def told(*spans: Span) -> list[tuple[float, float]]:
        return [((span.start - MONDAY) / HOUR, (span.end - MONDAY) / HOUR) for span in spans]

    moved = moves(before, after, Span(MONDAY, MONDAY + 48 * HOUR))
    assert [(person, told(*gained), told(*lost)) for person, gained, lost in moved] == [
        ("a", [(40, 48)], [(8, 12)]),
        ("b", [(8, 12)], []),
    ]


@pytest.mark.parametrize(
    ("hours", "incidents", "allowed"),
    [(12, 2, None), (12, 3, 2), (4, 2, None), (4, 3, 2), (14, 3, 2.33), (24, 4, None), (24, 5, 4), (168, 28, None)],
)
def test_two_incidents_in_twelve_hours_of_a_shift(hours: int, incidents: int, allowed: float | None) -> None:
    breach = of_shift(POLICY, "checkout.primary.a", hours * HOUR, incidents)
    assert (breach.allowed if breach else None) == allowed
    if breach:
        assert (breach.limit, breach.value) == ("incidents_per_shift", incidents)
