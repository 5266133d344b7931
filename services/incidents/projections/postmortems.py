"""All postmortems, as lists show them: what they are about, not what they say."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Text

from libs.events.columns import Instant, Json
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.postmortem.events import (
    PostmortemActionAdded,
    PostmortemAmended,
    PostmortemChangesRequested,
    PostmortemDrafted,
    PostmortemPublished,
    PostmortemReopened,
    PostmortemSideApproved,
    PostmortemSubmitted,
)
from services.incidents.projections.folds import changes, opens


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("incident", "number", "service", "title", "state")),
        *(Column(name, Json(), nullable=False) for name in ("authors", "actions")),
        Column("drafted_at", Instant(), nullable=False),
        Column("published_at", Instant()),
        Column("reviewed", Boolean, nullable=False),
    )


def _drafted(event: PostmortemDrafted) -> Row:
    return {
        "incident": event.incident,
        "number": event.number,
        "service": event.service,
        "title": event.title,
        "state": "draft",
        "authors": [event.by],
        "actions": [],
        "drafted_at": event.at,
        "published_at": None,
        "reviewed": False,
    }


def _amended(_row: Row, event: PostmortemAmended) -> Row:
    return {"title": event.sections.title, "authors": list(event.authors)}


def _published(_row: Row, event: PostmortemPublished) -> Row:
    return {"state": "published", "published_at": event.at, "reviewed": event.reviewed}


POSTMORTEMS = Projection(
    name="postmortems",
    columns=_columns,
    events=CONTRACT,
    folds={
        PostmortemDrafted: opens(_drafted),
        PostmortemAmended: changes(_amended),
        PostmortemActionAdded: changes(lambda row, event: {"actions": [*row["actions"], event.action]}),
        PostmortemSubmitted: changes(lambda _, __: {"state": "in_review"}),
        PostmortemSideApproved: changes(lambda row, event: {"state": "approved" if event.complete else row["state"]}),
        PostmortemChangesRequested: changes(lambda _, __: {"state": "draft"}),
        PostmortemPublished: changes(_published),
        PostmortemReopened: changes(lambda _, __: {"state": "draft", "published_at": None, "reviewed": False}),
    },
    sources=(SERVICE,),
    indexes=(("service", "id"), ("state", "id"), ("incident",)),
)
