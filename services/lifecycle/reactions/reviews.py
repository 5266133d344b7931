"""What is done about readiness reviews when something else happens, or it is time."""

from collections.abc import Sequence
from contextlib import suppress

from libs.events.applied import applied
from libs.events.envelope import Context, Recorded
from libs.events.reactor import Reaction
from libs.events.resources import Resources
from libs.events.store import Timer
from services.lifecycle import timetable
from services.lifecycle.contract import CONTRACT, READINESS_REVIEW
from services.lifecycle.domain.deployment.events import DeploymentRecorded
from services.lifecycle.domain.readiness_review.commands import Lapse, ReportMajorChange
from services.lifecycle.domain.readiness_review.errors import IllegalStepError
from services.lifecycle.domain.service.commands import Actor
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS, review_of


def review_reactions(resources: Resources) -> Sequence[Reaction]:
    """What ends an approval without anybody's command: a deployment says that it is not what was reviewed."""

    async def act(event: DeploymentRecorded, recorded: Recorded, context: Context) -> None:
        if not event.major_change or event.result == "failed":
            return
        await applied(resources, READINESS_REVIEWS, recorded, resources.service)
        review = await resources.views.read(review_of, event.service)
        if review is None or review.approved_at is None or review.approved_at > event.at:
            return
        reason, by = f"deployment {event.deployment}: {event.major_change}", Actor(event.by, is_person=False)
        command = ReportMajorChange(review=review.review, by=by, reason=reason, at=context.at)
        with suppress(IllegalStepError):  # a later review was approved in this very moment
            await resources.handler.handle(READINESS_REVIEW, review.review, command, context)

    return (
        Reaction(name="lifecycle.major-changes", source="lifecycle", events=CONTRACT, act={DeploymentRecorded: act}),
    )


async def review_lapses(resources: Resources, timer: Timer, context: Context) -> None:
    """An approval, the day of a condition, or a waiver of a finding has come to its end."""
    review = timetable.key_of(timer)
    await resources.handler.handle(READINESS_REVIEW, review, Lapse(review, context.at), context)
