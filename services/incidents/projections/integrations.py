"""All integrations, as lists show them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Text

from libs.events.columns import Instant, Json
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.integration.events import (
    IntegrationAdded,
    IntegrationChanged,
    IntegrationEnded,
    IntegrationKeyRotated,
    Profile,
)
from services.incidents.projections.folds import changes, opens


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),  # its name
        Column("kind", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("profile", Json(), nullable=False),
        Column("made_at", Instant(), nullable=False),
        Column("made_by", Text, nullable=False),
        Column("rotated_at", Instant()),
        Column("ended_at", Instant()),
    )


def _added(event: IntegrationAdded) -> Row:
    return {
        "kind": event.kind,
        "state": "active",
        **_profile(event.profile),
        "made_at": event.at,
        "made_by": event.by,
        "rotated_at": None,
        "ended_at": None,
    }


def _profile(profile: Profile) -> Row:
    return {"service": profile.service, "profile": msgspec.to_builtins(profile)}


def profile_of(row: Row) -> Profile:
    """The profile in a row of the view."""
    return msgspec.convert(row["profile"], Profile)


INTEGRATIONS = Projection(
    name="integrations",
    columns=_columns,
    events=CONTRACT,
    folds={
        IntegrationAdded: opens(_added),
        IntegrationChanged: changes(lambda _, event: _profile(event.profile)),
        IntegrationKeyRotated: changes(lambda _, event: {"rotated_at": event.at}),
        IntegrationEnded: changes(lambda _, event: {"state": "ended", "ended_at": event.at}),
    },
    sources=(SERVICE,),
    indexes=(("service",),),
)
