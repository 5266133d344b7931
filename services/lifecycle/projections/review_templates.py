"""Every review template that was published here, by name, with its newest version."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Text

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.review_template.events import TemplatePublished


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("template", Text, primary_key=True),
        Column("recorded_at", Instant(), nullable=False),  # when the log took its first version
    )


def _keys(event: TemplatePublished, _: Recorded) -> Sequence[Key]:
    return ((event.template,),)


def _published(row: Row | None, event: TemplatePublished, recorded: Recorded, _: Key) -> Row:
    return row or {"template": event.template, "recorded_at": recorded.recorded_at}


REVIEW_TEMPLATES: Final = Projection(
    name="review_templates",
    columns=_columns,
    events=CONTRACT,
    folds={TemplatePublished: Fold(_keys, _published)},
    sources=("lifecycle",),
)
