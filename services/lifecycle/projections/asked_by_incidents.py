"""Whose word the incidents service waits for: reviews of postmortems, hand-overs of shifts, offered roles."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Column, Text

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.inbox.of_incidents import Asked, HandOver, PostmortemRead, Reviewer, RoleOffer, Side

Kind = Literal["postmortem", "handover", "roles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemStep:
    """What is read of each step of a review; the postmortem is empty in events that left the service never."""

    postmortem: str = ""
    number: str = ""
    service: str = ""
    title: str = ""
    authors: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemSubmitted(PostmortemStep):
    """Others are asked to read it."""

    reviewers: tuple[Reviewer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemSideApproved(PostmortemStep):
    """Somebody approved it for a side; *missing* are asked still."""

    missing: tuple[Side, ...] = ()


class PostmortemChangesRequested(PostmortemStep):
    """It is a draft again."""


@dataclass(frozen=True, slots=True)
class PostmortemSettled:
    """What is read when nobody is asked any more."""

    postmortem: str


class PostmortemPublished(PostmortemSettled):
    """Everybody may learn from it."""


class PostmortemReopened(PostmortemSettled):
    """More is known: it is written anew."""


@dataclass(frozen=True, slots=True)
class ShiftHandedOver:
    """What is read when somebody leaves word to those who come."""

    shift: str
    schedule: str
    person: str
    incoming: tuple[str, ...]
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HandoverAcknowledged:
    """What is read when one of them has read it."""

    shift: str


@dataclass(frozen=True, slots=True)
class RoleMoved:
    """What is read of a role of an incident."""

    incident: str
    number: str
    service: str
    role: str
    person: str
    by: str
    at: datetime
    reason: str = ""


class RoleOffered(RoleMoved):
    """*person* shall have it."""


class RoleOfferEnded(RoleMoved):
    """*person* shall not have it after all."""


class RoleAssumed(RoleMoved):
    """*person* has it."""


class RoleReleased(RoleMoved):
    """Nobody has it."""


@dataclass(frozen=True, slots=True)
class IncidentOver:
    """What is read when nobody takes a role of an incident any more."""

    incident: str


class IncidentClosed(IncidentOver):
    """It is final."""


class IncidentCancelled(IncidentOver):
    """It was none."""


class IncidentMerged(IncidentOver):
    """It is a part of another."""


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),  # of the postmortem, the shift, the incident
        Column("kind", Text, nullable=False),
        Column("service", Text, nullable=False),  # empty of a shift, which may be for several
        Column("people", Text, nullable=False),  # |ana|bo|: who is asked by name
        Column("since", Instant(), nullable=False),
        Column("detail", Json(), nullable=False),  # what the inbox says of it; of roles one entry each
    )


def _keys(of: str) -> Callable[[Any, Recorded], Sequence[Key]]:
    def keys(event: Any, _: Recorded) -> Sequence[Key]:  # noqa: ANN401  any of ours
        key = getattr(event, of)
        return ((key,),) if key else ()

    return keys


def _gone(_: Row | None, __: object, ___: Recorded, ____: Key) -> None:
    return None


def _people(*people: str) -> str:
    return f"|{'|'.join(dict.fromkeys(people))}|"


def _row(key: str, kind: Kind, service: str, people: Iterable[str], since: datetime, detail: list[Asked]) -> Row:
    told = msgspec.to_builtins(detail)
    return {"id": key, "kind": kind, "service": service, "people": _people(*people), "since": since, "detail": told}


def _read(event: PostmortemStep, **more: Any) -> Row:  # noqa: ANN401  the fields of what is asked
    fields: dict[str, Any] = {"reviewers": (), "sides": (), "approved_by": (), "back": ""}
    told = PostmortemRead(
        postmortem=event.postmortem,
        number=event.number,
        title=event.title,
        authors=event.authors,
        since=event.at,
        **(fields | more),
    )
    people = (*event.authors, *(each.person for each in told.reviewers))
    return _row(event.postmortem, "postmortem", event.service, people, event.at, [told])


def _submitted(_: Row | None, event: PostmortemSubmitted, __: Recorded, ___: Key) -> Row:
    return _read(event, reviewers=event.reviewers, sides=("sre", "product"))


def _approved(row: Row | None, event: PostmortemSideApproved, _: Recorded, __: Key) -> Row | None:
    if row is None or not event.missing:
        return None
    (told,) = row["detail"]
    approved = {"sides": list(event.missing), "approved_by": [*told["approved_by"], event.by]}
    return row | {"detail": [told | approved]}


def _sent_back(_: Row | None, event: PostmortemChangesRequested, __: Recorded, ___: Key) -> Row:
    return _read(event, back=f"{event.by}: {event.reason}")


def _handed_over(_: Row | None, event: ShiftHandedOver, __: Recorded, ___: Key) -> Row | None:
    if not event.incoming:
        return None
    told = HandOver(
        shift=event.shift,
        schedule=event.schedule,
        person=event.person,
        incoming=event.incoming,
        note=event.note,
        since=event.at,
    )
    return _row(event.shift, "handover", "", event.incoming, event.at, [told])


def _role(row: Row | None, event: RoleMoved, _: Recorded, __: Key) -> Row | None:
    told = msgspec.convert(row["detail"] if row else [], list[RoleOffer])
    offers: list[Asked] = [each for each in told if each.role != event.role]
    if isinstance(event, RoleOffered):
        offer = RoleOffer(
            number=event.number,
            role=event.role,
            person=event.person,
            by=event.by,
            reason=event.reason,
            since=event.at,
        )
        offers.append(offer)
    if not offers:
        return None
    people = (each.person for each in offers if isinstance(each, RoleOffer))
    return _row(event.incident, "roles", event.service, people, event.at, offers)


_INCIDENTS: Final = "io.concordat.incidents"
ASKED_BY_INCIDENTS: Final = Projection(
    name="asked_by_incidents",
    columns=_columns,
    events=EventRegistry(
        {
            f"{_INCIDENTS}.postmortem.submitted.v1": PostmortemSubmitted,
            f"{_INCIDENTS}.postmortem.side-approved.v1": PostmortemSideApproved,
            f"{_INCIDENTS}.postmortem.changes-requested.v1": PostmortemChangesRequested,
            f"{_INCIDENTS}.postmortem.published.v1": PostmortemPublished,
            f"{_INCIDENTS}.postmortem.reopened.v1": PostmortemReopened,
            f"{_INCIDENTS}.shift.handed-over.v1": ShiftHandedOver,
            f"{_INCIDENTS}.shift.acknowledged.v1": HandoverAcknowledged,
            f"{_INCIDENTS}.incident.role-offered.v1": RoleOffered,
            f"{_INCIDENTS}.incident.role-offer-ended.v1": RoleOfferEnded,
            f"{_INCIDENTS}.incident.role-assumed.v1": RoleAssumed,
            f"{_INCIDENTS}.incident.role-released.v1": RoleReleased,
            f"{_INCIDENTS}.incident.closed.v1": IncidentClosed,
            f"{_INCIDENTS}.incident.cancelled.v1": IncidentCancelled,
            f"{_INCIDENTS}.incident.merged.v1": IncidentMerged,
        }
    ),
    folds={
        PostmortemSubmitted: Fold(_keys("postmortem"), _submitted),
        PostmortemSideApproved: Fold(_keys("postmortem"), _approved),
        PostmortemChangesRequested: Fold(_keys("postmortem"), _sent_back),
        PostmortemPublished: Fold(_keys("postmortem"), _gone),
        PostmortemReopened: Fold(_keys("postmortem"), _gone),
        ShiftHandedOver: Fold(_keys("shift"), _handed_over),
        HandoverAcknowledged: Fold(_keys("shift"), _gone),
        RoleOffered: Fold(_keys("incident"), _role),
        RoleOfferEnded: Fold(_keys("incident"), _role),
        RoleAssumed: Fold(_keys("incident"), _role),
        RoleReleased: Fold(_keys("incident"), _role),
        IncidentClosed: Fold(_keys("incident"), _gone),
        IncidentCancelled: Fold(_keys("incident"), _gone),
        IncidentMerged: Fold(_keys("incident"), _gone),
    },
    indexes=(("service",),),
    sources=("incidents",),
)

_ASKED: Final[dict[Kind, Any]] = {
    "postmortem": list[PostmortemRead],
    "handover": list[HandOver],
    "roles": list[RoleOffer],
}


def asked_in(kind: Kind, detail: object) -> list[Asked]:
    """What a row asks."""
    return msgspec.convert(detail, _ASKED[kind])
