"""What people are told: a line, and a text that says what happens and why they hear of it."""

from dataclasses import replace
from typing import Final

from services.incidents.domain.channel.events import ChannelKind, Urgency
from services.incidents.domain.escalation.events import Called, EscalationBegun
from services.incidents.domain.notification.events import Kind, Message

_BEGINS: Final[dict[Kind, str]] = {
    "page": "You are called.",
    "notice": "For your information; nobody is called.",
    "more-alerts": "More alerts belong to an incident that somebody took on.",
    "unassigned": "NOBODY COULD BE CALLED. Please take it on, or find somebody who does.",
    "exhausted": "EVERYBODY WAS CALLED, AND NOBODY TOOK IT ON. Please do, or find somebody who does.",
    "digest": "",
}


def about(begun: EscalationBegun, kind: Kind, why: str, *, urgency: Urgency = "high") -> Message:
    """What is said of an incident, not yet to whom."""
    return Message(
        kind=kind,
        channel="email",
        urgency=urgency,
        subject=f"{begun.number} {begun.severity} {begun.service}: {begun.title}",
        text="\n\n".join([_BEGINS[kind], f"{begun.number}, {begun.severity}, {begun.service}: {begun.title}", why]),
        incident=begun.incident,
        number=begun.number,
        service=begun.service,
    )


def call(begun: EscalationBegun, called: Called) -> Message:
    """What somebody who is called is told."""
    duty = f"on call in {called.schedule}" if called.schedule else "named there"
    why = f"Step {called.step} of the policy {called.policy} ({duty}); {begun.why}."
    if begun.quiet:
        return about(begun, "notice", why, urgency="low")
    return replace(about(begun, "page", why), page=called.page)


def to(said: Message, holder: str, channel: ChannelKind) -> Message:
    """*said* to `person/<label>` or `team/<name>` through a channel of theirs."""
    kind, _, name = holder.partition("/")
    return replace(said, channel=channel, person=name if kind == "person" else "", team=name if kind == "team" else "")
