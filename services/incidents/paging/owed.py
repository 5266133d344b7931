"""Whether what somebody is reminded of is still owed when the reminder is sent: it may have waited for the morning."""

from collections.abc import Sequence

from libs.events.handler import CommandHandler
from services.incidents.contract import ACTION, DUTY
from services.incidents.domain.action.decider import InProgress, Opened
from services.incidents.domain.notification.decider import together
from services.incidents.domain.notification.events import Message, Part


async def what_stands(handler: CommandHandler, parts: Sequence[Part]) -> Message | None:
    """All of *parts* that is still so, as one message; None: nothing is."""
    still = [part.message for part in parts if await _stands(handler, part.owed)]
    return together(still) if still else None


async def _stands(handler: CommandHandler, owed: str) -> bool:
    """Whether *owed* is: `action/<id>/<day>/<owner>`, `postmortem/<incident>/<stage>`; what is empty always is."""
    match owed.split("/"):
        case ["action", key, *as_then]:
            state = (await handler.load(ACTION, key)).state
            return isinstance(state, Opened | InProgress) and as_then == [str(state.item.due), state.item.owner]
        case ["postmortem", incident, stage]:
            duty = (await handler.load(DUTY, incident)).state
            return duty is not None and duty.stage is not None and stage not in duty.met
        case _:
            return True
