"""What can be asked of a review template."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.review_template.checklist import Checklist
from services.lifecycle.domain.review_template.events import TemplatePublished


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Make *checklist* the newest version of *template*.

    Args:
        template: Its name.
        checklist: What it holds.
        based_on: The version that it was written from; None when it does not say.
        is_new: Whether the template must not exist yet.
        shipped: The version that comes with the program, if this template does.
        by: Who.
        reason: Why.
        at: When.
    """

    template: str
    checklist: Checklist
    based_on: int | None
    is_new: bool
    shipped: TemplatePublished | None
    by: str
    reason: str
    at: datetime


Command = Publish
