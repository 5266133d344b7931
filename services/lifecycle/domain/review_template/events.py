"""What happens to a review template."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.review_template.checklist import Axis, Checklist, Item


@dataclass(frozen=True, slots=True)
class TemplatePublished:
    """A version of a review template.

    Args:
        template: Its name.
        version: From 1.
        title: What people read in lists.
        axes: Its groups, in their order.
        items: What a review looks at, in the order in which it is read.
        by: Who published it.
        reason: Why.
        at: When.
    """

    template: str
    version: int
    title: str
    axes: tuple[Axis, ...]
    items: tuple[Item, ...]
    by: str
    reason: str
    at: datetime

    @property
    def checklist(self) -> Checklist:
        """What it holds."""
        return Checklist(self.title, self.axes, self.items)


Event = TemplatePublished
