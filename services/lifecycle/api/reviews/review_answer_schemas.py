"""What comes in and goes out of the answers of a readiness review."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, HttpUrl

from libs.web.schemas import Body, Moment, Text
from services.lifecycle.domain.evaluation.events import Evidence
from services.lifecycle.domain.readiness_review.events import (
    ItemAnswered,
    Verdict,
)
from services.lifecycle.domain.readiness_review.state import (
    Record,
)
from services.lifecycle.domain.review_template.checklist import Item


class AnswerBody(Body):
    """An answer to one item."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"verdict": "met", "url": "https://wiki.example/checkout/dependencies"}]}
    )

    verdict: Literal["met", "not_met", "not_applicable"]
    url: Annotated[HttpUrl | None, Field(default=None, description="Where to see it.")]
    note: Annotated[Text, Field(description="What was done, what is missing, or why it does not apply.")] = ""
    at: Annotated[Moment | None, Field(default=None, description="When it was so; now, unless given.")]


class ItemAnswerBody(AnswerBody):
    """An answer among several."""

    item: str


class AnswersBody(Body):
    """Several answers, stored together or not at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answers": [
                        {"item": "dependencies-known", "verdict": "met", "url": "https://wiki.example/7"},
                        {"item": "data-restored", "verdict": "not_applicable", "note": "it keeps no data"},
                    ]
                }
            ]
        }
    )

    answers: Annotated[list[ItemAnswerBody], Field(min_length=1, max_length=300)]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer; of a check, with what it looked at."""

    verdict: Verdict
    url: str | None
    note: str
    evidence: tuple[Evidence, ...]
    by: str
    at: datetime
    carried_from: str | None


@dataclass(frozen=True, slots=True)
class ReviewItemView:
    """An item with its answer; `asked` says whether the review's phase and the service's tier ask for it."""

    item: Item
    asked: bool
    blocks: bool
    answer: AnswerView | None


def item_view(record: Record, item: Item, tier: int) -> ReviewItemView:
    """An item with its answer as it is answered."""
    asked = item.is_asked(record.request.target_phase, tier)
    answer = record.answers.get(item.id)
    blocks = asked and item.severity == "blocking" and (answer is None or answer.verdict in {"not_met", "unknown"})
    return ReviewItemView(item, asked, blocks, _answer(answer) if answer else None)


def _answer(answer: ItemAnswered) -> AnswerView:
    return AnswerView(
        verdict=answer.verdict,
        url=answer.url or None,
        note=answer.note,
        evidence=answer.evidence,
        by=answer.by,
        at=answer.at,
        carried_from=answer.carried_from or None,
    )
