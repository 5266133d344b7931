"""All postmortems, as lists show them: what they are about, not what they say."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Boolean, Column, Select, Text, select

from libs.events.columns import Instant, Json
from libs.events.full_text import Words
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
    Sections,
)
from services.incidents.domain.words import kept
from services.incidents.projections.folds import changes, opens


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("incident", "number", "service", "title", "state")),
        *(Column(name, Json(), nullable=False) for name in ("authors", "actions")),
        Column("drafted_at", Instant(), nullable=False),
        Column("published_at", Instant()),
        Column("reviewed", Boolean, nullable=False),
        Column("causes", Json(), nullable=False),
        Column("words", Words, nullable=False),  # of all it says, to be found by
    )


_LISTED = ("id", "incident", "number", "service", "title", "state", "authors", "actions", "drafted_at", "published_at")


def listed() -> Select[Any]:
    """Postmortems as lists show them, without what is only searched."""
    return select(*(POSTMORTEMS.view.c[name] for name in (*_LISTED, "reviewed")))


def _searched(sections: Sections) -> Row:
    notes = [f"{cause.antipattern} {cause.note}" for cause in sections.causes]
    moments = [moment.text for moment in sections.timeline]
    texts = [said for each in fields(sections) if isinstance(said := getattr(sections, each.name), str)]
    return {"causes": [asdict(cause) for cause in sections.causes], "words": kept(*texts, *notes, *moments)}


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
        "causes": [],
        "words": kept(event.title),
    }


def _amended(_row: Row, event: PostmortemAmended) -> Row:
    return {"title": event.sections.title, "authors": list(event.authors), **_searched(event.sections)}


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
