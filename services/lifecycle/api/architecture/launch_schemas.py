"""What comes in and goes out of launches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field, HttpUrl

from libs.web.schemas import Body, Line, Moment, Name, Text, example
from services.lifecycle.api.architecture.designing import Id
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.launch.decider import open_checkpoints
from services.lifecycle.domain.launch.events import (
    CheckpointRecorded,
    LaunchCancelled,
    LaunchDone,
    Outcome,
    Record,
    RecordKind,
)
from services.lifecycle.domain.launch.state import ALLOWED, Coming, State
from services.lifecycle.domain.readiness_review.next_steps import NextStep


class PlanLaunchBody(Body):
    """A feature or change that is to reach the users of a live service."""

    model_config = example(
        service="checkout-api",
        title="Pay by invoice",
        text="for companies first",
        url="https://tracker.example/7",
        planned_for="2026-12-01",
    )

    id: Annotated[Id | None, Field(description="Sent again with the same id, nothing happens.")] = None
    service: Name
    title: Line
    text: Text = ""
    url: Annotated[HttpUrl | None, Field(description="Where it is planned.")] = None
    planned_for: date


class ChangeLaunchBody(Body):
    """What is planned otherwise; what is left out stays (JSON merge patch)."""

    model_config = example(planned_for="2026-12-08", reason="the provider needs a week more")

    title: Line | None = None
    text: Text | None = None
    url: HttpUrl | None = None
    planned_for: date | None = None
    reason: Text = ""


class RecordBody(Body):
    """Something of the service that the platform keeps a record of."""

    kind: RecordKind
    id: Id


class CheckpointBody(Body):
    """What shows a checkpoint: a record of the service, or an outcome with a link and a time."""

    model_config = example(outcome="passed", url="https://ci.example/runs/4712", done_at="2026-11-20T16:00:00Z")

    record: Annotated[
        RecordBody | None,
        Field(description="Outcome, link and time follow from it; the launch says in `records` what proves it."),
    ] = None
    outcome: Annotated[Outcome | None, Field(description="Needed where no record is named.")] = None
    url: Annotated[HttpUrl | None, Field(description="Where to see it; needed when it passed.")] = None
    note: Annotated[Text, Field(description="Why it failed, or does not apply.")] = ""
    done_at: Annotated[Moment | None, Field(description="When it was so; now, unless given.")] = None


@dataclass(frozen=True, slots=True)
class ShownView:
    """Evidence of a checkpoint."""

    outcome: Outcome
    url: str | None
    note: str
    done_at: datetime
    by: str
    record: Record | None


@dataclass(frozen=True, slots=True)
class LaunchCheckpointView:
    """What the launch has to show; `open` says why nothing shows it, or not any more; None when something does.

    Of `records` each proves it, when it is named by its id instead of a link.
    """

    id: str
    text: str
    blocking: bool
    source: str
    max_age_days: int | None
    check: str | None
    records: tuple[str, ...]
    shown: ShownView | None
    measured: CheckResult | None
    open: str | None


@dataclass(frozen=True, slots=True)
class EndedView:
    """How a launch ended."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LaunchView:
    """A launch; `checkpoints` are what it has to show, `next` is who must do what."""

    id: str
    service: str
    owner_team: str
    tier: int
    title: str
    text: str
    url: str | None
    planned_for: date
    state: State
    since: datetime
    planned_by: str
    planned_at: datetime
    policy_version: str
    second_person: bool
    checkpoints: tuple[LaunchCheckpointView, ...]
    ready: EndedView | None
    launched: EndedView | None
    cancelled: EndedView | None
    allowed: tuple[str, ...]
    next: tuple[NextStep, ...]


def launch_view(launch: Coming, checks: Sequence[CheckResult], at: datetime) -> LaunchView:
    """A launch as it is answered at *at*; *checks* are what was measured."""
    planned, plan, ready, ended = launch.planned, launch.plan, launch.ready, launch.ended
    return LaunchView(
        id=planned.launch,
        service=planned.service,
        owner_team=planned.owner_team,
        tier=planned.tier,
        title=plan.title,
        text=plan.text,
        url=plan.url or None,
        planned_for=plan.planned_for,
        state=launch.state,
        since=launch.since,
        planned_by=planned.by,
        planned_at=planned.at,
        policy_version=planned.policy_version,
        second_person=planned.second_person,
        checkpoints=tuple(_checkpoints(launch, checks, at)),
        ready=EndedView(ready.by, ready.reason, ready.at) if ready else None,
        launched=EndedView(ended.by, ended.reason, ended.at) if isinstance(ended, LaunchDone) else None,
        cancelled=EndedView(ended.by, ended.reason, ended.at) if isinstance(ended, LaunchCancelled) else None,
        allowed=ALLOWED[launch.state],
        next=tuple(_next(launch, checks, at)),
    )


def _checkpoints(launch: Coming, checks: Sequence[CheckResult], at: datetime) -> Iterator[LaunchCheckpointView]:
    measured = {check.id: check for check in checks}
    lasting = launch.ended.at if launch.ended else at  # what had been shown then is not forgotten
    why = {each.checkpoint: each.why for each in open_checkpoints(launch, checks, lasting)}
    for each in launch.planned.checkpoints:
        shown = launch.shown.get(each.id)
        yield LaunchCheckpointView(
            id=each.id,
            text=each.text,
            blocking=each.blocking,
            source=each.source,
            max_age_days=each.max_age_days,
            check=each.check or None,
            records=each.records,
            shown=_shown(shown) if shown else None,
            measured=measured.get(each.check),
            open=why.get(each.id),
        )


def _shown(shown: CheckpointRecorded) -> ShownView:
    return ShownView(shown.outcome, shown.url or None, shown.note, shown.done_at, shown.by, shown.record)


def _next(launch: Coming, checks: Sequence[CheckResult], at: datetime) -> Iterator[NextStep]:
    planned, day = launch.planned, launch.plan.planned_for
    team = (f"team {planned.owner_team or planned.service}",)
    if launch.ended:
        return
    blocking = [each for each in open_checkpoints(launch, checks, at) if each.blocking]
    for each in blocking:
        asked = next(one for one in planned.checkpoints if one.id == each.checkpoint)
        verb = "" if asked.check else f"/checkpoints/{each.checkpoint}"
        what = f"bring {asked.check} in order" if asked.check else f"show that it is so: {each.text}"
        if asked.records:
            what += f" A {' or '.join(asked.records)} on record shows it, or a link."
        yield NextStep(team, what, each.why, verb, day)
    if blocking:
        return
    if launch.state == "ready":
        yield NextStep(team, "launch it", "nothing blocks it", ":launch", day)
        return
    who = (f"a person other than {planned.by}",) if planned.second_person else team
    yield NextStep(who, "say that it is ready", "nothing blocks it", ":ready", day)
