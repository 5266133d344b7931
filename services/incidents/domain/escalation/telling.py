"""What an incident's timeline says of who was called: in a few words, and nothing of what it says elsewhere."""

from collections.abc import Sequence
from typing import Final

from services.incidents.domain.escalation import events as of
from services.incidents.domain.notification.decider import State
from services.incidents.domain.notification.events import Kind

_CAUSES: Final[dict[of.Cause, str]] = {
    "declared": "",
    "time": "",
    "severity": "nobody has it, and it is more severe: ",
    "undelivered": "what was sent did not arrive: ",
    "silence": "it was acknowledged and forgotten: ",
    "snooze-over": "it was put off until now: ",
    "further-alert": "a further alert fires, and nobody has it: ",
}


def describe(event: of.Event) -> str:  # noqa: PLR0911  one line per kind of event
    """*event* in a few words; empty: it says nothing that the timeline does not tell anyhow."""
    match event:
        case of.EscalationBegun(why=why) | of.EscalationReplanned(begun=of.EscalationBegun(why=why)):
            return why
        case of.StepTaken(people=people, passed=passed, cause=cause):
            return _CAUSES[cause] + _called(people, passed, "is called")
        case of.SideCalled(people=people, passed=passed):
            return _called(people, passed, "is called too")
        case of.EscalationUnassigned(why=why):
            return f"nobody could be called: {why}"
        case of.EscalationExhausted(called=called):
            return f"all steps were taken, and nobody took it on of {', '.join(called) or 'nobody'}"
        case of.EscalationClockCorrected(due=due):
            return f"the clock was set back; the calling goes on at {due:%H:%M:%S} UTC"
        case of.PageRated(person=person, rating=rating, reason=reason):
            return f"{person} rates a call as {rating}" + (f": {reason}" if reason else "")
        case _:
            return ""


def sent(kind: Kind, whom: str, channel: str, state: State, detail: str, attempts: int) -> str:
    """What became of a message."""
    what = f"{'the call' if kind == 'page' else f'a message ({kind})'} to {whom} by {channel}"
    match state:
        case "delivered":
            return f"{what} arrived" + (f" after {attempts} attempts" if attempts > 1 else "")
        case "failed":
            return f"{what} failed: {detail}"
        case "withdrawn":
            return f"{what} is not sent any more: {detail}"
        case "pending":
            return f"{what} is on its way" + (f", tried {attempts} times: {detail}" if detail else "")


def _called(people: Sequence[of.Called], passed: Sequence[of.Passed], called: str) -> str:
    said = [f"{each.person} {called} (step {each.step} of {each.policy})" for each in people]
    said += [f"step {each.step} of {each.policy} calls nobody: {each.why}" for each in passed]
    return "; ".join(said) or "it waits"
