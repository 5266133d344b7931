"""What happens to the templates of an installation; they share one stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePublished:
    """A version of a template.

    Args:
        template: Its name.
        version: From 1.
        title: What people read in lists.
        required: The sections that must not be empty when a postmortem is published.
        asks: By section, the question that it answers.
        texts: By section, what stands there before anybody has written.
        by: Who published it.
        reason: Why.
        at: When.
    """

    template: str
    version: int
    title: str
    required: tuple[str, ...]
    asks: Mapping[str, str]
    texts: Mapping[str, str]
    by: str
    reason: str = ""
    at: datetime


Event = TemplatePublished
