"""What an engagement refuses, and why.

EngagementError
├── EngagementStateError     the verb does not lead on from where the engagement stands
├── NotASpeakerError         somebody else speaks for that team
├── BothSidesError           one person cannot speak for both sides
├── EditionSupersededError   a newer edition was proposed
├── CharterError             an edition contradicts itself
├── TeamKindError            an SRE team and a development team are needed
├── NotOwnedError            the service belongs to another team
├── ServiceEngagedError      the service has an active engagement already
├── DeltaReviewMissingError  a service that comes back needs a review of what has changed
├── ChecklistOpenError       the hand-back list is not settled
├── TooEarlyError            a line of the list takes longer
└── IncompleteError          something has to be said first
"""

from collections.abc import Sequence
from datetime import datetime

from services.lifecycle.domain.errors import LifecycleError


class EngagementError(LifecycleError):
    """Anything that an engagement refuses."""


class EngagementStateError(EngagementError):
    """The verb does not lead on from where it stands."""

    def __init__(self, verb: str, state: str, allowed: Sequence[str]) -> None:
        ways = ", ".join(f":{each}" for each in allowed) or "nothing: it is over"
        super().__init__(f":{verb} is not for what is {state}; allowed here: {ways}")
        self.verb, self.state, self.allowed = verb, state, tuple(allowed)


class NotASpeakerError(EngagementError):
    """Somebody else speaks for that team."""

    def __init__(self, by: str, team: str, speakers: Sequence[str]) -> None:
        who = ", ".join(sorted(speakers)) or "a person, not a machine"
        super().__init__(f"{by!r} does not speak for {team}; ask {who}")
        self.by, self.team, self.speakers = by, team, tuple(sorted(speakers))


class BothSidesError(EngagementError):
    """One person cannot speak for both sides."""

    def __init__(self, by: str) -> None:
        super().__init__(f"{by!r} has spoken for the other side; somebody else must speak for this one")
        self.by = by


class EditionSupersededError(EngagementError):
    """A newer edition was proposed, or none was."""

    def __init__(self, part: str, version: int, newest: int) -> None:
        remedy = f"read version {newest} and acknowledge that" if newest else "propose one first"
        super().__init__(f"version {version} of the {part} is not the newest; {remedy}")
        self.newest = newest


class CharterError(EngagementError):
    """An edition contradicts itself."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(detail for _, detail in faults))
        self.faults = tuple(faults)


class TeamKindError(EngagementError):
    """An SRE team and a development team are needed."""

    def __init__(self, team: str, kind: str, field: str) -> None:
        super().__init__(f"{team!r} is not a team of kind {kind}")
        self.field = field


class NotOwnedError(EngagementError):
    """The service belongs to another team."""

    def __init__(self, service: str, owner: str, dev_team: str) -> None:
        of = f"belongs to {owner}" if owner else "belongs to nobody"
        super().__init__(f"{service!r} {of}; set its owner_team to {dev_team}, or engage with its owner")
        self.service = service


class ServiceEngagedError(EngagementError):
    """The service has an active engagement already."""

    def __init__(self, service: str, engagement: str, sre_team: str) -> None:
        super().__init__(f"{service!r} is engaged with {sre_team}; end engagement {engagement} first, or take it out")
        self.service, self.engagement = service, engagement


class DeltaReviewMissingError(EngagementError):
    """A service that comes back needs a review of what has changed since."""

    def __init__(self, service: str, ended_at: datetime) -> None:
        super().__init__(
            f"{service!r} was engaged until {ended_at.date()}; have a readiness review of what has changed"
            " approved (POST /v1/readiness-reviews, delta_of), or record evidence of kind delta_readiness_review"
        )
        self.service = service


class ChecklistOpenError(EngagementError):
    """The hand-back list is not settled."""

    def __init__(self, open_items: Sequence[tuple[str, str]]) -> None:
        super().__init__("not settled yet: " + ", ".join(name for name, _ in open_items))
        self.open_items = tuple(open_items)


class TooEarlyError(EngagementError):
    """A line of the list takes longer."""

    def __init__(self, item: str, not_before: datetime) -> None:
        super().__init__(f"{item} takes until {not_before.isoformat()}; settle it then, or say why it does not apply")
        self.item, self.not_before = item, not_before


class IncompleteError(EngagementError):
    """Something has to be said first."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(detail for _, detail in faults))
        self.faults = tuple(faults)
