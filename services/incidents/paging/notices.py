"""What people are told that is no call: what happened, who hears of it, when, and in which words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any, Final, Literal

from services.incidents.domain.action.events import ActionOverdue, ActionOwnerLeft, ActionReminded, ActionReminder
from services.incidents.domain.channel.events import Urgency
from services.incidents.domain.duty.events import ShiftsMoved
from services.incidents.domain.incident.work_events import (
    IncidentResponderAdded,
    IncidentRoleOffered,
    IncidentUpdateOverdue,
    IncidentUpdatePosted,
)
from services.incidents.domain.local_times import local_times
from services.incidents.domain.notification.events import Kind
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.postmortem.events import (
    PostmortemChangesRequested,
    PostmortemSideApproved,
    PostmortemSubmitted,
)
from services.incidents.domain.postmortem.state import SIDES
from services.incidents.domain.postmortem_duty.events import DutyStage, PostmortemOverdue, PostmortemReminded
from services.incidents.domain.shift.events import ShiftHandedOver

When = Literal["now", "soon", "morning"]  # what can wait is told with what comes meanwhile
Group = tuple[str, ...]
_SPANS: Final = 10  # of a person's shifts; what is longer nobody reads in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What somebody is told.

    Args:
        kind: What it is; what can wait comes together with others of its kind.
        when: Whether it can wait, and until when.
        urgency: Through which of their channels somebody hears of it.
        to: Who hears of it, all of the first of these of whom anybody can be reached: `person/<label>`,
            `owners/<service>` and `sre/<service>` (the teams), `authors/<incident>` (of its postmortem),
            `lead/<incident>` (who has it in hand), `speaker/<incident>` (who says how it stands),
            `concerned/<incident>` (the teams of what it affects).
        but: Who knows already.
        subject: A line.
        text: All of it; where it names times, by the clocks of who reads it.
        how: The request by which they do it, or see it: method and path.
        incident: What it is about, where that is one.
        number: As people call it.
        service: Likewise.
        owed: What must be owed still when it is sent (`paging/owed.py`); empty: nothing.
    """

    kind: Kind
    when: When
    urgency: Urgency = "low"
    to: tuple[Group, ...]
    but: Group = ()
    subject: str
    text: str | Callable[[tzinfo], str]
    how: str
    incident: str = ""
    number: str = ""
    service: str = ""
    owed: str = ""

    def told(self, zone: tzinfo) -> str:
        """Its text for who lives in *zone*."""
        return self.text if isinstance(self.text, str) else self.text(zone)


def _people(names: Sequence[str]) -> Group:
    return tuple([f"person/{name}" for name in names])


def _shifts(event: ShiftsMoved) -> Iterator[Notice]:
    why = f": {event.reason}" if event.reason else ""

    def text(zone: tzinfo) -> str:
        gained = _spans("You are on call", event.gained, zone)
        lost = _spans("You are not on call any more", event.lost, zone)
        return "\n".join([f"In {event.schedule}, by {event.by}{why}.", *gained, *lost])

    yield Notice(
        kind="shifts",
        when="soon",
        to=(_people([event.person]),),
        but=(event.by,),
        subject=f"{event.schedule}: your shifts change",
        text=text,
        how=f"GET /v1/schedules/{event.schedule}/shifts",
    )


def _hand_over(event: ShiftHandedOver) -> Iterator[Notice]:
    still = f"\nOpen then: {', '.join(event.incidents)}." if event.incidents else ""
    yield Notice(
        kind="asked",
        when="soon",
        to=(_people(event.incoming),),
        but=(event.by,),
        subject=f"{event.schedule}: {event.person} hands over to you",
        text=f"{event.person} leaves you a note. Read it, and say that you have.\n{event.note}{still}",
        how=f"POST /v1/schedules/{event.schedule}/handoffs/{event.shift}:acknowledge",
    )


def _action(event: ActionReminder) -> Iterator[Notice]:
    over = isinstance(event, ActionOverdue)
    yield Notice(
        kind="reminder",
        when="morning",
        to=(_people([event.owner]), (f"owners/{event.service}",)),
        subject=f"{_due(event.due, over=over)}: {event.title}",
        text=f"{event.title} ({event.priority}, {event.service}) {'was' if over else 'is'} due on {event.due}, "
        f"and {event.owner} owns it. Do it and say so, or agree on another day.",
        how=f"POST /v1/actions/{event.action}:complete",
        service=event.service,
        owed=f"action/{event.action}/{event.due}/{event.owner}",
    )


def _owner_left(event: ActionOwnerLeft) -> Iterator[Notice]:
    yield Notice(
        kind="reminder",
        when="soon",
        to=((f"owners/{event.service}",),),
        subject=f"Nobody owns it any more: {event.title}",
        text=f"{event.owner} is not here any more, and owns {event.title} ({event.priority}, {event.service}), "
        f"due on {event.due}. Let somebody else own it.",
        how=f"POST /v1/actions/{event.action}:reassign",
        service=event.service,
    )


def _postmortem(event: DutyStage) -> Iterator[Notice]:
    over, draft = isinstance(event, PostmortemOverdue), event.stage == "draft"
    what = f"the {'draft' if draft else 'publication'} of the postmortem of {event.number}"
    lead = f"lead/{event.incident}"
    yield Notice(
        kind="reminder",
        when="morning",
        to=((f"authors/{event.incident}",), (lead,), (f"owners/{event.service}",)),
        subject=f"{_due(event.due, over=over)}: {what}",
        text=f"{what[0].upper()}{what[1:]} ({event.service}) {'was' if over else 'is'} due on {event.due}.",
        how="POST /v1/postmortems" if draft else f"GET /v1/postmortems?incident={event.number}",
        incident=event.incident,
        number=event.number,
        service=event.service,
        owed=f"postmortem/{event.incident}/{event.stage}",
    )


def _review(event: PostmortemSubmitted) -> Iterator[Notice]:
    """Who is named for a side reads it; where nobody is, that side's team."""
    for side in SIDES:
        named = [each.person for each in event.reviewers if each.side == side]
        team = f"{'sre' if side == 'sre' else 'owners'}/{event.service}"
        yield Notice(
            kind="asked",
            when="soon",
            to=(_people(named) or (team,),),
            but=(event.by, *event.authors),
            subject=f"{event.number}: review the postmortem",
            text=f"{event.by} asks you to read “{event.title}” for the side {side}: approve what it says, "
            "or say what to change.",
            how=f"POST /v1/postmortems/{event.postmortem}:approve",
            incident=event.incident,
            number=event.number,
            service=event.service,
        )


def _reviewed(event: PostmortemChangesRequested | PostmortemSideApproved) -> Iterator[Notice]:
    """Its authors go on: with what is asked of them, or when the last side has approved it."""
    if isinstance(event, PostmortemChangesRequested):
        result, verb = "needs changes", "submit"
        text = f"{event.by} read “{event.title}”, and asks you: {event.reason}"
    elif event.complete:
        result, verb = "can be published", "publish"
        text = f"Both sides approved what “{event.title}” says."
    else:
        return
    yield Notice(
        kind="asked",
        when="soon",
        to=(_people(event.authors),),
        but=(event.by,),
        subject=f"{event.number}: the postmortem {result}",
        text=text,
        how=f"POST /v1/postmortems/{event.postmortem}:{verb}",
        incident=event.incident,
        number=event.number,
        service=event.service,
    )


def _asked(event: IncidentResponderAdded | IncidentRoleOffered) -> Iterator[Notice]:
    path = f"/v1/incidents/{event.number}"
    if isinstance(event, IncidentResponderAdded):
        wanted, how = "to help", f"GET {path}/responder-view"
    else:
        wanted, how = f"to take the role {event.role}", f"POST {path}/roles/{event.role}:acknowledge"
    yield Notice(
        kind="asked",
        when="now",
        urgency="high",
        to=(_people([event.person]),),
        but=(event.by,),
        subject=f"{event.number} {event.severity} {event.service}: you are asked {wanted}",
        text=f"{event.by} asks you {wanted}. {event.reason}".strip(),
        how=how,
        incident=event.incident,
        number=event.number,
        service=event.service,
    )


def _update_overdue(event: IncidentUpdateOverdue) -> Iterator[Notice]:
    yield Notice(
        kind="reminder",
        when="now",
        urgency="high",
        to=((f"speaker/{event.incident}",), (f"owners/{event.service}",)),
        subject=f"{event.number} {event.severity} {event.service}: an update is overdue",
        text=lambda zone: f"Who is concerned should have heard by {local_times(zone, event.due)} how it stands.",
        how=f"POST /v1/incidents/{event.number}/updates",
        incident=event.incident,
        number=event.number,
        service=event.service,
    )


def _update(event: IncidentUpdatePosted) -> Iterator[Notice]:
    """Customers have no channels here."""
    if event.audience == "stakeholders":
        due = event.next_due
        yield Notice(
            kind="update",
            when="now",
            to=((f"concerned/{event.incident}",),),
            subject=f"{event.number} {event.severity} {event.service}: how it stands",
            text=lambda zone: event.text + (f"\nThe next update comes by {local_times(zone, due)}." if due else ""),
            how=f"GET /v1/incidents/{event.number}/updates",
            incident=event.incident,
            number=event.number,
            service=event.service,
        )


NOTICES: Final[Mapping[type[object], Callable[[Any], Iterator[Notice]]]] = {
    ShiftsMoved: _shifts,
    ShiftHandedOver: _hand_over,
    ActionReminded: _action,
    ActionOverdue: _action,
    ActionOwnerLeft: _owner_left,
    PostmortemReminded: _postmortem,
    PostmortemOverdue: _postmortem,
    PostmortemSubmitted: _review,
    PostmortemChangesRequested: _reviewed,
    PostmortemSideApproved: _reviewed,
    IncidentResponderAdded: _asked,
    IncidentRoleOffered: _asked,
    IncidentUpdatePosted: _update,
    IncidentUpdateOverdue: _update_overdue,
}


def _due(day: date, *, over: bool) -> str:
    return "Overdue" if over else f"Due on {day}"


def _spans(what: str, spans: Sequence[Span], zone: tzinfo) -> Iterator[str]:
    for span in spans[:_SPANS]:
        yield f"{what}: {local_times(zone, span.start, span.end, day=True)}"
    if len(spans) > _SPANS:
        yield f"{what}: {len(spans) - _SPANS} times more"
