"""The SLOs that are polled: from which source, and what it is asked."""

from typing import Any, Final

from sqlalchemy import Column, Text

from libs.events.columns import Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.slo.decider import definition_of
from services.slo.domain.slo.events import SloDefined, SloEnded
from services.slo.prometheus.polled import polled


def _columns() -> tuple[Column[Any], ...]:
    return (Column("slo", Text, primary_key=True), Column("source", Text), Column("sli", Json()))


def _defined(_: Row | None, event: SloDefined, __: Recorded, ___: Key) -> Row | None:
    found = polled(definition_of(event))
    return None if found is None else {"slo": event.slo, "source": found.source, "sli": dict(found.sli)}


def _ended(_: Row | None, __: SloEnded, ___: Recorded, ____: Key) -> None:
    """It is polled no more."""


POLLED_SLOS: Final = Projection(
    name="polled_slos",
    columns=_columns,
    events=CONTRACT,
    folds={
        SloDefined: Fold(keys=lambda event, _: [(event.slo,)], apply=_defined),
        SloEnded: Fold(keys=lambda event, _: [(event.slo,)], apply=_ended),
    },
    sources=("slo",),
    indexes=(("source",),),
)
