"""A review template's rules: a version never changes, and nobody overwrites what they have not read."""

from services.lifecycle.domain.errors import NameTakenError, UnknownError
from services.lifecycle.domain.review_template.commands import Command
from services.lifecycle.domain.review_template.errors import TemplateOutdatedError
from services.lifecycle.domain.review_template.events import Event, TemplatePublished

ReviewTemplate = tuple[TemplatePublished, ...]  # its versions, the oldest first; what is shipped is not among them


def decide(command: Command, state: ReviewTemplate) -> tuple[Event, ...]:
    """The facts *command* produces; none if the newest version holds the same.

    Raises:
        NameTakenError: A template of this name holds something else.
        UnknownError: There is no such template.
        TemplateOutdatedError: It was written from a version that is not the newest.
    """
    newest = state[-1] if state else command.shipped
    if newest is not None and newest.checklist == command.checklist:
        return ()
    if newest is not None and command.is_new:
        raise NameTakenError("review template", command.template)
    if newest is None and not command.is_new:
        raise UnknownError("review template", command.template)
    if newest is not None and command.based_on not in {None, newest.version}:
        raise TemplateOutdatedError(command.template, newest.version)
    return (
        TemplatePublished(
            template=command.template,
            version=newest.version + 1 if newest else 1,
            title=command.checklist.title,
            axes=command.checklist.axes,
            items=command.checklist.items,
            by=command.by,
            reason=command.reason,
            at=command.at,
        ),
    )


def evolve(state: ReviewTemplate, event: Event) -> ReviewTemplate:
    """The template after one more version."""
    return (*state, event)
