"""What an installation asks of postmortems and actions: plain data, every number with the source it comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Literal

from services.incidents.domain.action.events import Priority

_STRICT = {"extra": "forbid"}
_WEEK = 7
PRIORITIES: tuple[Priority, ...] = ("P0", "P1", "P2", "P3")


class InvalidPolicyError(Exception):
    """The policy cannot be gone by; *pointer* says where."""

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer, self.detail = pointer, detail


@dataclass(frozen=True, slots=True)
class Number:
    """A number, and who says so; `[D]` is a default of ours."""

    __pydantic_config__: ClassVar = _STRICT

    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Names:
    """Some names, and who says so."""

    __pydantic_config__: ClassVar = _STRICT

    value: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Review:
    """Whether a postmortem may be published before both sides approved it: with a reason that all see, or never."""

    __pydantic_config__: ClassVar = _STRICT

    publish_unreviewed: Literal["with_reason", "never"]
    source: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are no business days.

    Args:
        weekend: Days of the week, 1 is Monday.
        holidays: Further days.
        source: Who says so.
    """

    __pydantic_config__: ClassVar = _STRICT

    weekend: tuple[int, ...]
    holidays: tuple[date, ...]
    source: str

    def after(self, day: date, business_days: int) -> date:
        """The day that lies *business_days* after *day*; before it, where they are negative."""
        step = timedelta(days=1 if business_days >= 0 else -1)
        left = abs(business_days)
        while left:
            day += step
            left -= day.isoweekday() not in self.weekend and day not in self.holidays
        return day


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPolicy:
    """When a postmortem is due, who reviews it, and until when actions are done.

    Args:
        version: Named where it is applied.
        severities: Incidents of these need a postmortem.
        data_loss_tags: Incidents with one of these tags lost data, and need one.
        budget_share: An incident that spent more of a four-week error budget needs one.
        draft_business_days: Until the draft, from the day on which it is clear that one is needed.
        publish_business_days: Until it is published, from the same day.
        remind_business_days: How long before each of them somebody is reminded.
        calendar: Which days are no business days.
        review: Whether the review may be left out.
        action_days: By priority, until an action is done, where nobody says another day.
        action_remind_days: How long before an action is due its owner is reminded.
    """

    __pydantic_config__: ClassVar = _STRICT

    version: str
    severities: Names
    data_loss_tags: Names
    budget_share: Number
    draft_business_days: Number
    publish_business_days: Number
    remind_business_days: Number
    calendar: Calendar
    review: Review
    action_days: Mapping[Priority, Number]
    action_remind_days: Number

    def due(self, priority: Priority, today: date) -> date:
        """Until when an action of *priority* is done that is opened *today*."""
        return today + timedelta(days=int(self.action_days[priority].value))

    def validate(self) -> None:
        """Refuse what nobody could go by.

        Raises:
            InvalidPolicyError: Names the place.
        """
        for pointer, number in self._numbers():
            if number.value < 0:
                raise InvalidPolicyError("must not be negative", f"{pointer}/value")
            if not number.source.strip():
                raise InvalidPolicyError("say where the number comes from; [D] is your own", f"{pointer}/source")
        if missing := [each for each in PRIORITIES if each not in self.action_days]:
            message = f"{', '.join(missing)} is missing"
            raise InvalidPolicyError(message, "/action_days")
        if len(set(self.calendar.weekend)) >= _WEEK:
            raise InvalidPolicyError("leave at least one day to work on", "/calendar/weekend")
        if self.draft_business_days.value > self.publish_business_days.value:
            raise InvalidPolicyError("a postmortem is drafted before it is published", "/publish_business_days/value")

    def _numbers(self) -> Iterator[tuple[str, Number]]:
        names = "budget_share", "draft_business_days", "publish_business_days", "remind_business_days"
        for name in (*names, "action_remind_days"):
            yield f"/{name}", getattr(self, name)
        for priority, number in self.action_days.items():
            yield f"/action_days/{priority}", number
