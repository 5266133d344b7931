"""What postmortems and actions have waiting: when somebody is reminded, and when a day is over."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from libs.events import codec
from libs.events.handler import NO_EFFECTS, Effects
from libs.events.store import Timer
from services.incidents.domain.action.decider import UNFINISHED, Action
from services.incidents.domain.action.events import Event as ActionEvent
from services.incidents.domain.learning import LearningPolicy
from services.incidents.domain.postmortem_duty.decider import State, reminder_day
from services.incidents.domain.postmortem_duty.events import Event as DutyEvent

ACTION_LOOK: Final = "action-look"
DUTY_LOOK: Final = "postmortem-duty-look"
OWNER_LEFT: Final = "action-owner-left"


class _About(msgspec.Struct, frozen=True):
    key: str


_ABOUT: Final = codec.decoder(_About)


def key_of(timer: Timer) -> str:
    """What *timer* is about."""
    return _ABOUT.decode(timer.payload).key


def acting(policy: LearningPolicy) -> Callable[[Action, tuple[ActionEvent, ...]], Effects]:
    """An action's owner is reminded before its day, and told the day after; each once for one day."""
    ahead = timedelta(days=int(policy.action_remind_days.value))

    def effects(state: Action, events: tuple[ActionEvent, ...]) -> Effects:
        if state is None or not events:
            return NO_EFFECTS
        item = state.item
        key = item.opened.action
        if state.name not in UNFINISHED or item.overdue_for == item.due:
            return Effects(cancel=(f"{ACTION_LOOK}/{key}",))
        near, over = _morning(item.due - ahead), _morning(item.due + timedelta(days=1))
        due = near if item.reminded_for != item.due and near > events[-1].at else over
        return Effects(schedule=(_timer(ACTION_LOOK, key, due),))

    return effects


def owing(policy: LearningPolicy) -> Callable[[State, tuple[DutyEvent, ...]], Effects]:
    """Who owes a postmortem is reminded before each of its two days, and told the day after."""

    def effects(state: State, events: tuple[DutyEvent, ...]) -> Effects:
        if state is None or not events:
            return NO_EFFECTS
        key, at = state.first.incident, events[-1].at
        days: list[datetime] = []
        for stage in ("draft", "publish"):
            if state.stage is None or stage in state.met or stage in state.overdue:
                continue
            near = _morning(reminder_day(state, stage, policy))
            over = _morning(state.due(stage) + timedelta(days=1))
            days.append(near if stage not in state.reminded and near > at else over)
        if not days:
            return Effects(cancel=(f"{DUTY_LOOK}/{key}",))
        return Effects(schedule=(_timer(DUTY_LOOK, key, min(days)),))

    return effects


def leaving(person: str, at: datetime) -> Timer:
    """What *person* owns is looked at when they leave."""
    return _timer(OWNER_LEFT, person, at)


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _timer(kind: str, key: str, at: datetime) -> Timer:
    return Timer(f"{kind}/{key}", at, kind, codec.encode(_About(key)))
