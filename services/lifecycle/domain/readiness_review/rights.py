"""Who may do what in a review. A machine is nobody's second person; who owns a thing does not pass it."""

from dataclasses import dataclass
from typing import Protocol

from services.lifecycle.domain.readiness_review.errors import NotAllowedError, ReviewersError, TextMissingError
from services.lifecycle.domain.readiness_review.events import Reviewer
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.readiness_review.state import Finding, Record
from services.lifecycle.domain.service.commands import Actor


class Judges(Protocol):
    """Those who may judge findings."""

    def require_reviewer(self, actor: Actor, *but: str) -> None:
        """Refuse unless *actor* may say whether something is mended, and is none of *but*.

        Raises:
            NotAllowedError: Says who can.
        """
        ...

    def require_decider(self, actor: Actor, *but: str) -> None:
        """Refuse unless *actor* may say what blocks, and is none of *but*.

        Raises:
            NotAllowedError: Says who can.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reviewers:
    """The people who review: they judge what is found in their review."""

    record: Record

    def require_reviewer(self, actor: Actor, *but: str) -> None:
        """Refuse unless *actor* reviews."""
        require_reviewer(self.record, actor, *but)

    def require_decider(self, actor: Actor, *but: str) -> None:
        """Refuse unless *actor* is the one who decides blockers."""
        require_decider(self.record, actor, *but)


def require_reviewers(
    reviewers: tuple[Reviewer, ...], decides: str, requested_by: str, owner_team: str, policy: ReviewPolicy
) -> None:
    """Refuse unless these people can review a service of *owner_team* that *requested_by* wants reviewed.

    Raises:
        ReviewersError: Says who cannot, and why.
    """
    people = [reviewer.person for reviewer in reviewers]
    if not 1 <= len(people) <= policy.reviewers.count:
        detail = f"name one to {policy.reviewers.count} reviewers ({policy.reviewers.source})"
        raise ReviewersError("/reviewers", detail)
    for index, person in enumerate(people):
        if person in people[:index]:
            pointer, detail = f"/reviewers/{index}/person", f"{person} is named twice; name somebody else"
            raise ReviewersError(pointer, detail)
    outside = [reviewer.person for reviewer in reviewers if reviewer.outside]
    if not outside:
        detail = f"one reviewer must be from outside {owner_team or 'the team'}, which builds the service; name one"
        raise ReviewersError("/reviewers", detail)
    if decides not in outside or decides == requested_by:
        may = " or ".join(person for person in outside if person != requested_by) or "somebody else from outside"
        detail = (
            f"{decides} cannot decide what blocks: that takes a reviewer from outside the team who did not ask for"
            f" the review: {may}"
        )
        raise ReviewersError("/decides_blockers", detail)


def require_reviewer(record: Record, actor: Actor, *but: str) -> None:
    """Refuse unless *actor* is a reviewer, and none of *but*, who own what is judged.

    Raises:
        NotAllowedError: Says who can.
    """
    may = [person for person in record.people if person not in but]
    if not actor.is_person:
        raise NotAllowedError(actor.name, "a machine judges nothing", may)
    if actor.name in but:
        raise NotAllowedError(actor.name, "nobody passes their own work", may)
    if actor.name not in may:
        raise NotAllowedError(actor.name, "they do not review this service", may)


def require_decider(record: Record, actor: Actor, *but: str) -> None:
    """Refuse unless *actor* is the one who decides blockers, and none of *but*.

    Raises:
        NotAllowedError: Says who can.
    """
    require_reviewer(record, actor, *but)
    if actor.name != record.decides_blockers:
        raise NotAllowedError(actor.name, "one reviewer is named to decide what blocks", [record.decides_blockers])


def require_judge(judges: Judges, finding: Finding, actor: Actor) -> None:
    """Refuse unless *actor* may put *finding* aside: a blocking one, who decides blockers; never its owner.

    Raises:
        NotAllowedError: Says who can.
    """
    require = judges.require_decider if finding.severity == "blocking" else judges.require_reviewer
    require(actor, *([finding.owner] if finding.owner else []))


def require_text(text: str, field: str, why: str) -> None:
    """Refuse an empty *text*.

    Raises:
        TextMissingError: Says why it is needed.
    """
    if not text.strip():
        raise TextMissingError(field, why)
