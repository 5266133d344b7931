"""How an engagement ends: by the hand-back list, or at once."""

from services.lifecycle.domain.engagement.commands import (
    Disengage,
    HandBack,
    Settle,
    StartHandback,
)
from services.lifecycle.domain.engagement.errors import (
    ChecklistOpenError,
    EngagementStateError,
    IncompleteError,
    TooEarlyError,
)
from services.lifecycle.domain.engagement.events import (
    EngagementEnded,
    Event,
    HandbackItemSettled,
    HandbackStarted,
    HandedBack,
)
from services.lifecycle.domain.engagement.rights import require_speaker, require_standing, said_of
from services.lifecycle.domain.engagement.state import (
    Engagement,
    Handover,
)
from services.lifecycle.domain.errors import UnknownError


def handback_started(command: StartHandback, state: Engagement) -> tuple[Event, ...]:
    """The services shall be handed back."""
    if state.standing == "handback_pending" and state.handover and state.handover.receiver == command.receiver:
        return ()
    require_standing(state, "start-handback", "active")
    return (HandbackStarted(**said_of(command), receiver=command.receiver, items=command.items),)


def settled(command: Settle, state: Engagement) -> tuple[Event, ...]:
    """A line of the hand-back list is done, or does not apply."""
    require_standing(state, "settle", "handback_pending")
    handover = state.handover
    item = next((each for each in handover.items if each.id == command.item), None) if handover else None
    if handover is None or item is None:
        raise UnknownError("item of the checklist", command.item)
    done = handover.settled.get(item.id)
    if done is not None and (done.applies, done.evidence) == (command.applies, command.evidence):
        return ()
    if command.applies and not command.evidence:
        raise IncompleteError([("/evidence", "say where it can be seen")])
    if not command.applies and not command.reason:
        raise IncompleteError([("/reason", f"say why {item.id} does not apply")])
    if command.applies and item.not_before is not None and command.at < item.not_before:
        raise TooEarlyError(item.id, item.not_before)
    if item.needs_receiver:
        require_speaker(command.speaker)
    return (HandbackItemSettled(**said_of(command), item=item.id, applies=command.applies, evidence=command.evidence),)


def handed_back(command: HandBack, state: Engagement) -> tuple[Event, ...]:
    """The services are handed back, for now."""
    if state.standing == "handed_back":
        return ()
    handover = _complete(state, "hand-back")
    if not command.re_entry:
        raise IncompleteError([("/re_entry", "say what would bring the SRE team back")])
    return (
        HandedBack(
            **said_of(command),
            receiver=handover.receiver,
            services=state.services,
            re_entry=command.re_entry,
            watched_until=command.at + command.watch,
        ),
    )


def ended(command: Disengage, state: Engagement) -> tuple[Event, ...]:
    """It is over for good."""
    if state.standing == "disengaged":
        return ()
    require_standing(state, "disengage", "accepted", "active", "handback_pending", "handed_back")
    receiver, watched_until = state.dev_team, command.at + command.watch
    if state.standing == "active" and not state.may_end_at_once:
        raise EngagementStateError("disengage", f"active ({state.model})", ("start-handback", "change-model"))
    if state.standing == "handback_pending":
        receiver = _complete(state, "disengage").receiver
    if state.standing == "handed_back" and state.watch is not None:
        receiver, watched_until = state.handover.receiver if state.handover else receiver, state.watch.until
    if state.standing == "accepted":
        watched_until = command.at
    return (
        EngagementEnded(
            **said_of(command),
            ending=command.ending,
            receiver=receiver,
            services=state.services,
            watched_until=watched_until,
        ),
    )


def _complete(state: Engagement, verb: str) -> Handover:
    require_standing(state, verb, "handback_pending")
    if state.handover is None or state.handover.open_items:
        items = state.handover.open_items if state.handover else ()
        raise ChecklistOpenError([(item.id, item.text) for item in items])
    return state.handover
