"""The templates' rules: a version never changes, and nobody overwrites what they have not read."""

from collections.abc import Mapping

from services.incidents.domain.errors import TemplateOutdatedError
from services.incidents.domain.postmortem_template.commands import Command
from services.incidents.domain.postmortem_template.events import Event, TemplatePublished

Templates = Mapping[str, tuple[TemplatePublished, ...]]  # by name, the oldest first; what is shipped is not among them


def decide(command: Command, state: Templates) -> tuple[Event, ...]:
    """The facts *command* produces; none if the newest version says the same.

    Raises:
        TemplateOutdatedError: It was written from a version that is not the newest.
    """
    published = state.get(command.template, ())
    newest = published[-1] if published else command.shipped
    fresh = TemplatePublished(
        template=command.template,
        version=newest.version + 1 if newest else 1,
        title=command.title,
        required=command.required,
        asks=command.asks,
        texts=command.texts,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )
    if newest is not None and _says(newest) == _says(fresh):
        return ()
    if newest is not None and command.based_on not in {None, newest.version}:
        raise TemplateOutdatedError(command.template, newest.version)
    return (fresh,)


def evolve(state: Templates, event: Event) -> Templates:
    """The templates after one more version."""
    return {**state, event.template: (*state.get(event.template, ()), event)}


def _says(version: TemplatePublished) -> object:
    return version.title, version.required, dict(version.asks), dict(version.texts)
