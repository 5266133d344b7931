"""How much being on call may cost: each limit is told where it is broken, and nowhere else."""

from datetime import UTC, datetime, timedelta

import pytest

from services.incidents.config import IncidentsSettings, load_on_call
from services.incidents.domain.on_call.limits import Breach, breaches, of_shift
from services.incidents.domain.on_call.load import Member, at_once
from services.incidents.domain.on_call.roster import OnCall, Source

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
    assert ("people" not in found(people=people, sites=sites)) is kept


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


def test_one_night_more_than_the_mean_is_nobodys_burden() -> None:
    assert "nights" not in found(duty("a", 0, 4), duty("b", 24, 4), people=("a", "b"))


def test_nobody_is_on_call_for_more_than_a_week_without_relief() -> None:
    assert "shift_length" not in found(duty("a", 0, 100), duty("a", 100, 68))  # a week in two parts

    (breach,) = found(duty("a", 0, 100), duty("a", 100, 69))["shift_length"]

    assert (breach.subject, breach.value, breach.allowed) == ("a", 169, 168)


def test_between_two_shifts_there_are_eleven_hours_of_rest() -> None:
    assert "rest" not in found(duty("a", 0, 12), duty("a", 23, 8), duty("b", 12, 11))

    (breach,) = found(duty("a", 0, 12), duty("a", 22, 8))["rest"]

    assert (breach.subject, breach.value, breach.allowed) == ("a", 10, 11)


def test_nobody_is_on_call_by_two_schedules_at_once() -> None:
    after = (duty("a", 0, 12), duty("a", 12, 12, schedule="till"))
    beside = duty("b", 0, 12, schedule="till")
    layers, shadowing = duty("a", 6, 6), duty("a", 0, 24, shadow=True, schedule="till")
    assert "schedules_at_once" not in found(*after, beside, layers, shadowing)

    (breach,) = found(*after, duty("a", 6, 3, schedule="till"), duty("a", 8, 4, schedule="till"))["schedules_at_once"]

    assert (breach.subject, breach.value, breach.allowed) == ("a", 2, 1)
    assert breach.detail == "a is on call by cart and till at once, for 6 hours; let others take some"
    assert breach.source


def test_when_somebody_is_on_call_by_more_schedules_than_they_may() -> None:
    three = [duty("a", 0, 12), duty("a", 3, 6, schedule="till"), duty("a", 6, 12, schedule="search")]

    def hours(most: int) -> list[tuple[float, float]]:
        return [((it.start - MONDAY) / HOUR, (it.end - MONDAY) / HOUR) for it in at_once(three, most)]

    assert (hours(1), hours(2), hours(3)) == ([(3, 12)], [(6, 9)], [])


@pytest.mark.parametrize(
    ("hours", "incidents", "allowed"),
    [(12, 2, None), (12, 3, 2), (4, 2, None), (4, 3, 2), (14, 3, 2.33), (24, 4, None), (24, 5, 4), (168, 28, None)],
)
def test_two_incidents_in_twelve_hours_of_a_shift(hours: int, incidents: int, allowed: float | None) -> None:
    breach = of_shift(POLICY, "checkout.primary.a", hours * HOUR, incidents)
    assert (breach.allowed if breach else None) == allowed
    if breach:
        assert (breach.limit, breach.value) == ("incidents_per_shift", incidents)
