"""An item's rules. How each kind lives is the table in `lives.py`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.lifecycle.domain.engagement.charter import SIDES, Side
from services.lifecycle.domain.engagement.errors import (
    BothSidesError,
    EngagementStateError,
    IncompleteError,
    NotASpeakerError,
)
from services.lifecycle.domain.engagement.rights import require_speaker
from services.lifecycle.domain.engagement_item.commands import Change, Command, Go, Open, Remind, Report
from services.lifecycle.domain.engagement_item.events import (
    Content,
    Event,
    ItemAcknowledged,
    ItemChanged,
    ItemMoved,
    ItemOpened,
    ItemOverdue,
    ItemReported,
)
from services.lifecycle.domain.engagement_item.lives import LIVES, Kind, Life, Move, State
from services.lifecycle.domain.errors import UnknownError


@dataclass(frozen=True, slots=True)
class Item:
    """Something that two teams keep track of.

    Args:
        item: Its id.
        engagement: Whose.
        kind: What kind of thing.
        content: What it says.
        state: How it stands.
        opened: How it began.
        moves: What happened since.
        acknowledged: Which sides agree to the same, while the other's word is waited for.
        reported: What a tracker said last.
        reminded: The day for which it was said that it is overdue.
    """

    item: str
    engagement: str
    kind: Kind
    content: Content
    state: State
    opened: ItemOpened
    moves: tuple[ItemMoved, ...] = ()
    acknowledged: tuple[ItemAcknowledged, ...] = ()
    reported: ItemReported | None = None
    reminded: date | None = None

    @property
    def life(self) -> Life:
        """How its kind lives."""
        return LIVES[self.kind]

    @property
    def missing(self) -> tuple[Side, ...]:
        """Whose word is waited for; nobody's before one side has agreed."""
        return self.acknowledged[-1].missing if self.acknowledged and self.allowed else ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """The verbs that lead on."""
        return self.life.allowed(self.state)

    def overdue(self, today: date) -> bool:
        """Whether its day is over, and it is not."""
        return bool(self.allowed) and self.content.due is not None and self.content.due < today


def decide(command: Command, state: Item | None) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused.
    """
    if isinstance(command, Open):
        if state is not None:
            return ()
        _refuse(_faults(command.content))
        return (ItemOpened(**_said(command), content=command.content, cause=command.cause),)
    if state is None or (state.engagement, state.kind) != (command.engagement, command.kind):
        raise UnknownError(command.kind, command.item)
    match command:
        case Change(content=content):
            _refuse(_faults(content))
            return (ItemChanged(**_said(command), content=content),) if content != state.content else ()
        case Go():
            return _gone(command, state)
        case Report():
            return tuple(_reported(command, state))
        case Remind():
            return tuple(_reminded(command, state))


def evolve(state: Item | None, event: Event) -> Item | None:  # noqa: PLR0911  a table, one line an event
    """The item after one more fact."""
    if isinstance(event, ItemOpened):
        begins = LIVES[event.kind].begins
        return Item(event.item, event.engagement, event.kind, event.content, begins, event)
    if state is None:
        return None
    match event:
        case ItemChanged(content=content):
            return replace(state, content=content)
        case ItemMoved():
            told = {name: value for name in ("owner", "due") if (value := getattr(event, name))}
            return replace(state, state=event.to, content=replace(state.content, **told), moves=(*state.moves, event))
        case ItemAcknowledged():
            alike = tuple(each for each in state.acknowledged if each.side != event.side and _same(each, event))
            return replace(state, acknowledged=(*alike, event))
        case ItemReported():
            return replace(state, reported=event)
        case ItemOverdue(due=due):
            return replace(state, reminded=due)


def _gone(command: Go, state: Item) -> tuple[Event, ...]:
    move = state.life.moves.get(command.verb)
    if move is None:
        raise EngagementStateError(command.verb, f"a {state.kind}", tuple(state.life.moves))
    if state.moves and state.moves[-1].verb == command.verb:
        return ()
    if state.state not in move.origins:
        raise EngagementStateError(command.verb, state.state, state.allowed)
    if move.by != "anybody":
        if command.speaker is None:
            raise NotASpeakerError(command.by, "the engagement", ())
        require_speaker(command.speaker)
    others = [each for each in state.acknowledged if each.side != command.side]
    if others and move.by == "both":  # what is not said is what the other side has said
        command = replace(
            command,
            outcome=command.outcome or others[-1].outcome,
            owner=command.owner or others[-1].owner,
            due=command.due or others[-1].due,
        )
    said = {
        "reason": command.reason,
        "outcome": command.outcome,
        "owner": command.owner or state.content.owner,
        "due": command.due or state.content.due,
        "people": command.people,
    }
    _refuse((f"/{need}", f":{command.verb} needs {need}") for need in move.needs if not said[need])
    if move.by == "both":
        return _agreed(command, state, move)
    return (_moved(command, move),)


def _agreed(command: Go, state: Item, move: Move) -> tuple[Event, ...]:
    """One side's word; and what follows when the other has given the same."""
    if command.side is None:
        raise IncompleteError([("/side", "say for which side you speak: dev or sre")])
    word = ItemAcknowledged(
        **_said(command),
        side=command.side,
        outcome=command.outcome,
        owner=command.owner or state.content.owner,
        due=command.due or state.content.due,
    )
    alike = [each for each in state.acknowledged if _same(each, word)]
    if any(each.side == command.side for each in alike):
        return ()
    if any(each.by == command.by for each in alike):
        raise BothSidesError(command.by)
    missing = tuple(side for side in SIDES if side != command.side and side not in {each.side for each in alike})
    word = replace(word, missing=missing)
    return (word,) if missing else (word, _moved(command, move))


def _same(one: ItemAcknowledged, other: ItemAcknowledged) -> bool:
    return (one.outcome, one.owner, one.due) == (other.outcome, other.owner, other.due)


def _moved(command: Go, move: Move) -> ItemMoved:
    return ItemMoved(
        **_said(command),
        verb=command.verb,
        to=move.to,
        outcome=command.outcome,
        owner=command.owner,
        due=command.due,
        people=command.people,
    )


def _reported(command: Report, state: Item) -> Iterator[Event]:
    before = state.reported
    if before is None or (before.status, before.url) != (command.status, command.url):
        yield ItemReported(**_said(command), status=command.status, url=command.url)
    for verb, move in state.life.moves.items():
        if command.means is not None and move.to == command.means and state.state in move.origins:
            said = replace(command, reason=f"{command.status!r} in the tracker")
            yield ItemMoved(**_said(said), verb=verb, to=move.to)


def _reminded(command: Remind, state: Item) -> Iterator[Event]:
    content = state.content
    if content.due is not None and state.reminded != content.due and state.overdue(command.at.date()):
        yield ItemOverdue(**_said(command), title=content.title, owner=content.owner, due=content.due)


def _faults(content: Content) -> Iterator[tuple[str, str]]:
    if content.start and content.due and content.due < content.start:
        yield "/due", f"it would be due on {content.due}, before it starts on {content.start}"


def _refuse(faults: Iterator[tuple[str, str]]) -> None:
    found = list(faults)
    if found:
        raise IncompleteError(found)


def _said(command: Command) -> dict[str, Any]:
    return {
        "item": command.item,
        "engagement": command.engagement,
        "kind": command.kind,
        "by": command.by,
        "reason": command.reason,
        "at": command.at,
    }
