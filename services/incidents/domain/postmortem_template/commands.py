"""What can be asked of the templates."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.incidents.domain.asked import Asked
from services.incidents.domain.postmortem_template.events import TemplatePublished


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Asked):
    """Make this the newest version of *template*.

    Args:
        based_on: The version that it was written from; None when it does not say.
        shipped: The version that comes with the program, if this template does.
    """

    template: str
    title: str
    required: tuple[str, ...]
    asks: Mapping[str, str]
    texts: Mapping[str, str]
    based_on: int | None
    shipped: TemplatePublished | None


Command = Publish
