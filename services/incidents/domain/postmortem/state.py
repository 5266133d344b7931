"""What is known of a postmortem, and in which state it is."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from services.incidents.domain.postmortem.events import (
    PostmortemDrafted,
    PostmortemPublished,
    PostmortemSideApproved,
    Reviewer,
    Sections,
    Side,
)

SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of a postmortem, whatever its state.

    Args:
        reviewers: Who was asked to read it.
        approvals: Who approved what it says now, for which side.
    """

    drafted: PostmortemDrafted
    sections: Sections
    authors: tuple[str, ...]
    actions: tuple[str, ...] = ()
    reviewers: tuple[Reviewer, ...] = ()
    approvals: tuple[PostmortemSideApproved, ...] = ()

    @property
    def missing_sides(self) -> tuple[Side, ...]:
        """The sides that have not approved it."""
        return tuple(side for side in SIDES if all(side != each.side for each in self.approvals))


@dataclass(frozen=True, slots=True)
class Drafted:
    """Being written."""

    name: ClassVar[Literal["draft"]] = "draft"
    allowed: ClassVar[tuple[str, ...]] = ("amend", "submit", "publish")

    content: Content


@dataclass(frozen=True, slots=True)
class InReview:
    """Being read by others."""

    name: ClassVar[Literal["in_review"]] = "in_review"
    allowed: ClassVar[tuple[str, ...]] = ("amend", "approve", "request-changes", "publish")

    content: Content


@dataclass(frozen=True, slots=True)
class Approved:
    """Both sides agree to what it says."""

    name: ClassVar[Literal["approved"]] = "approved"
    allowed: ClassVar[tuple[str, ...]] = ("publish", "request-changes", "reopen")

    content: Content


@dataclass(frozen=True, slots=True)
class Published:
    """Everybody may learn from it."""

    name: ClassVar[Literal["published"]] = "published"
    allowed: ClassVar[tuple[str, ...]] = ("reopen",)

    content: Content
    published: PostmortemPublished


Known = Drafted | InReview | Approved | Published
Postmortem = Known | None  # None: nothing drafted
