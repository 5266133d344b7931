"""The SLOs that are polled: from which source, and what it is asked."""

from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Text, exists, literal, or_

from libs.events.columns import Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.slo.decider import definition_of
from services.slo.domain.slo.events import SloDefined, SloEnded
from services.slo.projections.slos import SLOS
from services.slo.prometheus.polled import polled


def _columns() -> tuple[Column[Any], ...]:
    return (
        Column("slo", Text, primary_key=True),  # or `checkout-journey.cart`: an indicator of a composite's own
        Column("owner", Text),  # the SLO
        Column("source", Text),
        Column("sli", Json()),
    )


def _keys(event: SloDefined, _: Recorded) -> list[Key]:
    return [(key,) for key in {event.slo, *definition_of(event).indicators}]


def _defined(_: Row | None, event: SloDefined, __: Recorded, key: Key) -> Row | None:
    found = polled(definition_of(event)).get(key[0])
    told: Row = {"slo": key[0], "owner": event.slo}
    return None if found is None else told | {"source": found.source, "sli": dict(found.sli)}


def _ended(_: Row | None, __: SloEnded, ___: Recorded, ____: Key) -> None:
    """It is polled no more."""


POLLED_SLOS: Final = Projection(
    name="polled_slos",
    columns=_columns,
    events=CONTRACT,
    folds={
        SloDefined: Fold(keys=_keys, apply=_defined),
        SloEnded: Fold(keys=lambda event, _: [(event.slo,)], apply=_ended),
    },
    sources=("slo",),
    indexes=(("source",),),
)


def still_measured() -> ColumnElement[bool]:
    """Whether a row is part of its SLO as that is defined now: a composite's indicators may be gone."""
    polled, slo = POLLED_SLOS.view.c, SLOS.view.c
    named = slo.measured_as.contains(literal(" ") + polled.slo + " ")
    return or_(polled.owner == polled.slo, exists().where(slo.slo == polled.owner, slo.ended_at.is_(None), named))
