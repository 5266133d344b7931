"""What can be asked of a postmortem."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.incident.state import Record
from services.incidents.domain.postmortem.events import BudgetSpent, Moment, Participant, Reviewer, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a new postmortem begins with.

    Args:
        name: Of the template.
        version: Of the template.
        texts: By section, what stands there before anybody has written.
        required: The sections that must not be empty when it is published.
    """

    name: str
    version: int
    texts: Mapping[str, str]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Asked):
    """Begin one from what is known of an incident at *incident_version* of its stream."""

    postmortem: str
    incident: Record
    incident_version: int
    timeline: tuple[Moment, ...] = ()
    participants: tuple[Participant, ...] = ()
    budgets: tuple[BudgetSpent, ...] = ()
    template: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend(Asked):
    """Let some of its sections say something else, or name other authors."""

    verb: ClassVar[str] = "amend"
    sections: Mapping[str, Any] = field(default_factory=dict[str, Any])
    authors: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAction(Asked):
    """An action item follows from it."""

    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(Asked):
    """Ask others to read it; who is not named for a side may be anybody of it. In review: others, all of them anew."""

    verb: ClassVar[str] = "submit"
    reviewers: tuple[Reviewer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(Asked):
    """Agree, for one side, to what it says.

    Args:
        side: For which; None: the one for which the asker was named.
        is_person: Whether a person asks; a machine reads nothing.
        belongs_to: The side to which the asker belongs; None: not known.
    """

    verb: ClassVar[str] = "approve"
    side: Side | None = None
    is_person: bool = True
    belongs_to: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChanges(Asked):
    """Send it back to its authors, with what is missing as the reason."""

    verb: ClassVar[str] = "request-changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Asked):
    """Let everybody learn from it; before both sides approved it needs a reason, and a policy that lets it."""

    verb: ClassVar[str] = "publish"
    may_skip_review: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen(Asked):
    """Go on writing, because more is known by now; needs a reason."""

    verb: ClassVar[str] = "reopen"


Command = Draft | Amend | AddAction | Submit | Approve | RequestChanges | Publish | Reopen
