"""An engagement's rules. Which verb leads on from where is the table in `state.py`; who may say so is here."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from services.lifecycle.domain.engagement.agreeing import acknowledged, edition_of, proposed
from services.lifecycle.domain.engagement.charter import (
    SIDES,
)
from services.lifecycle.domain.engagement.commands import (
    Accept,
    Acknowledge,
    Activate,
    Answer,
    ChangeModel,
    CloseBreach,
    Command,
    Decline,
    Disengage,
    EndSeries,
    EndWatch,
    FollowTeam,
    HandBack,
    Hold,
    Join,
    Leave,
    Look,
    Propose,
    Request,
    SetSeries,
    Settle,
    StartHandback,
    TakeOver,
)
from services.lifecycle.domain.engagement.ending import ended, handback_started, handed_back, settled
from services.lifecycle.domain.engagement.errors import (
    EngagementStateError,
    IncompleteError,
)
from services.lifecycle.domain.engagement.events import (
    EngagementAccepted,
    EngagementActivated,
    EngagementDeclined,
    EngagementRequested,
    EngagementTeamChanged,
    Event,
    HandbackGivenUp,
    ModelChanged,
    ServiceJoined,
    ServiceLeft,
    WatchEnded,
)
from services.lifecycle.domain.engagement.keeping import breach_answered, kept_series, seen, series_changed, series_set
from services.lifecycle.domain.engagement.rights import require_speaker, require_standing, said_of
from services.lifecycle.domain.engagement.state import (
    VERBS,
    Engagement,
    Standing,
)
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError

_DAY = timedelta(days=1)
T = TypeVar("T")


def decide(command: Command, state: Engagement | None) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  a table
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py`).
    """
    if isinstance(command, Request):
        return _requested(command, state)
    if isinstance(command, TakeOver):
        return () if state is not None else tuple(_taken_over(command))
    if state is None:
        raise UnknownError("engagement", command.engagement)
    match command:
        case Accept() | Decline():
            return _triaged(command, state)
        case Activate():
            return _activated(command, state)
        case ChangeModel():
            return _model_changed(command, state)
        case Join() | Leave():
            return _services_changed(command, state)
        case FollowTeam():
            return tuple(_followed(command, state))
        case Propose():
            return proposed(command, state)
        case Acknowledge():
            return acknowledged(command, state)
        case SetSeries() | EndSeries() | Hold():
            return series_changed(command, state)
        case Look():
            return tuple(seen(command, state)) if state.works else ()
        case Answer() | CloseBreach():
            return breach_answered(command, state)
        case StartHandback():
            return handback_started(command, state)
        case Settle():
            return settled(command, state)
        case HandBack():
            return handed_back(command, state)
        case Disengage():
            return ended(command, state)
        case EndWatch():
            if state.watch is None or state.watch.figures is not None:
                return ()
            return (WatchEnded(**said_of(command), since=state.watch.since, figures=command.figures),)


def _requested(command: Request, state: Engagement | None) -> tuple[Event, ...]:
    if state is not None:
        raise RecordedOtherwiseError("engagement", command.engagement)
    return (
        EngagementRequested(
            **said_of(command),
            sre_team=command.sre_team,
            dev_team=command.dev_team,
            services=command.services,
            model=command.model,
            trackers=command.trackers,
        ),
    )


def _triaged(command: Accept | Decline, state: Engagement) -> tuple[Event, ...]:
    wanted: Standing = "accepted" if isinstance(command, Accept) else "declined"
    if state.standing == wanted:
        return ()
    require_standing(state, "triage", "requested")
    require_speaker(command.speaker)
    if isinstance(command, Accept):
        return (EngagementAccepted(**said_of(command)),)
    return (EngagementDeclined(**said_of(command), instead=command.instead, guidance=command.guidance),)


def _activated(command: Activate, state: Engagement) -> tuple[Event, ...]:
    model = command.model or state.model
    if state.standing == "active":
        if model != state.model:
            raise EngagementStateError("activate", "active", VERBS["active"])
        return ()
    require_standing(state, "activate", "accepted", "handback_pending", "handed_back")
    if state.standing == "handback_pending":
        return (HandbackGivenUp(**said_of(command)),)
    if not state.services:
        raise IncompleteError([("/services", "no service is left; add one first")])
    return (
        EngagementActivated(
            **said_of(command),
            sre_team=state.sre_team,
            dev_team=state.dev_team,
            services=state.services,
            model=model,
            reviews=command.reviews,
        ),
        *(series_set(command, cadence) for cadence in (*command.series, *kept_series(state, command.series))),
    )


def _model_changed(command: ChangeModel, state: Engagement) -> tuple[Event, ...]:
    require_standing(state, "change-model", "active")
    if command.model == state.model:
        return ()
    return (ModelChanged(**said_of(command), from_model=state.model, to_model=command.model),)


def _services_changed(command: Join | Leave, state: Engagement) -> tuple[Event, ...]:
    if isinstance(command, Leave):
        require_standing(state, "services", "requested", "accepted", "active", "handback_pending", "handed_back")
        return tuple(_left(command, [each for each in state.services if each in command.services]))
    require_standing(state, "services", "requested", "accepted", "active")
    if command.service in state.services:
        return ()
    return (ServiceJoined(**said_of(command), service=command.service, review=command.review),)


def _left(command: Leave, services: Iterable[str]) -> Iterator[ServiceLeft]:
    return (ServiceLeft(**said_of(command), service=service) for service in services)


def _followed(command: FollowTeam, state: Engagement) -> Iterator[EngagementTeamChanged]:
    if state.standing in {"declined", "disengaged"}:
        return
    for side in SIDES:
        if state.team(side) == command.team:
            yield EngagementTeamChanged(**said_of(command), side=side, from_team=command.team, to_team=command.into)


def _taken_over(command: TakeOver) -> Iterator[Event]:
    said = said_of(command)
    teams: dict[str, Any] = {"sre_team": command.sre_team, "dev_team": command.dev_team, "services": command.services}
    yield EngagementRequested(**said, **teams, model=command.model, trackers=command.trackers)
    if command.standing == "requested":
        return
    yield EngagementAccepted(**said)
    if command.standing != "accepted":
        yield EngagementActivated(**said, **teams, model=command.model)
    yield from (edition_of(part, 1, entries, said) for part, entries in command.charter.items())
    yield from (series_set(command, cadence) for cadence in command.series)
