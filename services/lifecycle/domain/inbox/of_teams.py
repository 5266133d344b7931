"""What waits because of how a team is set up: duties to pass on, syncs to hold, and the yearly look at it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.lifecycle.domain.inbox.policy import InboxPolicy
from services.lifecycle.domain.inbox.waiting import Waiting, leads, one
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.domain.team.policy import TeamPolicy


def team(state: Registered, policy: InboxPolicy, terms: TeamPolicy, at: datetime) -> Iterator[Waiting]:
    """What the set-up of a team waits for; *at* is now."""
    today, structure = at.date(), state.structure
    path, anyone = f"/v1/teams/{state.team}", leads({state.team: structure}, state.team)
    said: dict[str, Any] = {"team": state.team, "services": (), "subject": path}
    for duty in structure.duties:
        if duty.rotate_by and duty.rotate_by - policy.duty_days.days <= today:
            yield Waiting(
                kind="duty",
                title=f"{state.team}: {duty.name}",
                **said,
                **_by(duty.rotate_by, policy.duty_days.days, today),
                what=f"pass on {duty.name!r}",
                why="duties rotate between people",
                how=f"PATCH {path}",
                who=one(duty.holder, "holder") if duty.holder else anyone,
            )
    for sync in structure.syncs:
        if sync.last_held and (due := sync.last_held + sync.every) < today:
            yield Waiting(
                kind="sync",
                title=f"{state.team}: {sync.name}",
                **said,
                **_by(due, timedelta(0), today),
                what=f"hold {sync.name!r}, and say when it was held",
                why=f"agreed every {sync.every.days} days between {', '.join(sync.sites)}",
                how=f"PATCH {path}",
                who=anyone,
            )
    every = terms.structure_review_days
    due = ((state.reviewed.at if state.reviewed else state.registered_at) + every.days).date()
    if due - policy.structure_days.days <= today:
        yield Waiting(
            kind="structure_review",
            title=f"{state.team}: review of the structure",
            **said,
            **_by(due, policy.structure_days.days, today),
            what="look whether the team is still set up well, and say what you decide",
            why=f"every {every.value:g} days, {every.source}",
            how=f"POST {path}:review-structure",
            who=anyone,
        )


def _by(due: date, soon: timedelta, today: date) -> dict[str, Any]:
    """Until when, and since when that is near enough to be said."""
    return {"due": due, "overdue": due < today, "since": datetime.combine(due - soon, time(), UTC)}
