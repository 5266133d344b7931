"""Answers to the items of a review: said by people, known to the platform, brought by a framework, or carried over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from services.lifecycle.domain.errors import UnknownReferenceError
from services.lifecycle.domain.evaluation.events import CheckResult, Evidence, Result
from services.lifecycle.domain.readiness_review.commands import Answer, Request, Said
from services.lifecycle.domain.readiness_review.errors import AnswerError, NoDeltaError
from services.lifecycle.domain.readiness_review.events import ItemAnswered, ReviewSuperseded, Verdict
from services.lifecycle.domain.readiness_review.state import Approved, Ended, Record
from services.lifecycle.domain.review_template.checklist import Item
from services.lifecycle.domain.service.commands import Actor

_OF_CHECK: dict[Result, Verdict] = {
    "pass": "met",
    "fail": "not_met",
    "unknown": "unknown",
    "waived": "waived",
    "not_applicable": "not_applicable",
}
_PLATFORM = "the gate's checks"


def answered(record: Record, command: Answer) -> tuple[ItemAnswered, ...]:
    """What people say, as far as it is news; all of it or nothing.

    Raises:
        UnknownPartError: There is no such item.
        AnswerError: It shows nothing.
    """
    events: list[ItemAnswered] = []
    for index, said in enumerate(command.answers):
        item = record.items.get(said.item)
        if item is None:
            raise UnknownReferenceError("item", said.item, f"answers/{index}/item")
        _require_shown(item, said, command.by, command.at, f"/answers/{index}")
        event = _answer(record, item, said.verdict, command.by.name, said.at, url=said.url, note=said.note)
        before = record.answers.get(item.id)
        if before is None or replace(before, at=event.at, by=event.by) != event:
            events.append(event)
    return tuple(events)


def collected(record: Record, checks: tuple[CheckResult, ...], at: datetime) -> tuple[ItemAnswered, ...]:
    """What the platform knows of the items that it can answer, as far as it is news.

    What people have said not to apply stays so.
    """
    results = {check.id: check for check in checks}
    events: list[ItemAnswered] = []
    for item in record.items.values():
        check, before = results.get(item.check), record.answers.get(item.id)
        if check is None or (before and before.verdict == "not_applicable" and before.by != _PLATFORM):
            continue
        note = f"{check.detail}; {check.how_to_fix}" if check.how_to_fix else check.detail
        verdict = _OF_CHECK[check.result]
        if before is None or (before.verdict, before.note) != (verdict, note):
            events.append(_answer(record, item, verdict, _PLATFORM, at, note=note, evidence=check.evidence))
    return tuple(events)


def by_frameworks(command: Request) -> Iterator[ItemAnswered]:
    """The items that the service's frameworks bring with them."""
    versions = {framework.name: framework.version for framework in command.frameworks}
    for item in command.items:
        for brought in item.satisfied_by:
            version = versions.get(brought.framework)
            if version is not None and _ordered(version) >= _ordered(brought.since):
                note = f"{brought.framework} {version} brings it, since {brought.since}"
                yield _new(command, item, "met", note)
                break


def carried(command: Request) -> Iterator[ItemAnswered]:
    """The answers that a delta review takes over: of items that read as before, not changed, and not too old.

    Raises:
        NoDeltaError: The earlier review cannot be gone on from, or something that is changed is unknown.
    """
    previous = command.previous
    if previous is None:
        if command.changed:
            raise NoDeltaError("changed goes with delta_of: name the review whose answers are taken over", "/changed")
        return
    record = previous.record
    if record.request.service != command.service:
        detail = f"review {record.request.review} is of {record.request.service!r}; name one of this service"
        raise NoDeltaError(detail)
    if not isinstance(previous, Approved) and not (
        isinstance(previous, Ended) and isinstance(previous.ending, ReviewSuperseded)
    ):
        detail = f"review {record.request.review} was never approved; ask for a whole review, without delta_of"
        raise NoDeltaError(detail)
    known = {item.id for item in command.items} | {item.axis for item in command.items}
    for index, name in enumerate(command.changed):
        if name not in known:
            detail, pointer = f"{name!r} is neither an item nor an axis of the template", f"/changed/{index}"
            raise NoDeltaError(detail, pointer)
    oldest = command.at - command.policy.carried.span
    for item in command.items:
        answer = record.answers.get(item.id)
        if (
            answer is not None
            and not item.check
            and record.items.get(item.id) == item
            and not {item.id, item.axis} & set(command.changed)
            and answer.verdict in {"met", "not_applicable"}
            and answer.at >= oldest
        ):
            yield replace(answer, review=command.review, carried_from=record.request.review)


def _require_shown(item: Item, said: Said, by: Actor, at: datetime, place: str) -> None:
    if said.at > at:
        raise AnswerError(item.id, f"{said.at.isoformat()} is in the future; say when it was so", f"{place}/at")
    if said.verdict != "not_applicable" and item.check:
        detail = f"the check {item.check} answers this (:collect asks it); or say why it does not apply"
        raise AnswerError(item.id, detail, f"{place}/item")
    if said.verdict == "met" and item.evidence == "attestation" and not by.is_person:
        raise AnswerError(item.id, "a person attests this, not a machine", f"{place}/item")
    field, wanted = _wanted(item, said.verdict)
    if not (said.url if field == "url" else said.note).strip():
        raise AnswerError(item.id, wanted, f"{place}/{field}")


def _wanted(item: Item, verdict: Verdict) -> tuple[str, str]:
    match verdict:
        case "not_applicable":
            return "note", "say why it does not apply"
        case "met" if item.evidence == "link":
            return "url", "say where to see it"
        case "met":
            return "note", "say what was done, and how it is known"
        case _:
            return "note", "say what is missing"


def _answer(  # noqa: PLR0913  each is a part of one answer
    record: Record,
    item: Item,
    verdict: Verdict,
    by: str,
    at: datetime,
    *,
    url: str = "",
    note: str = "",
    evidence: tuple[Evidence, ...] = (),
) -> ItemAnswered:
    return ItemAnswered(
        review=record.request.review,
        service=record.request.service,
        item=item.id,
        axis=item.axis,
        severity=item.severity,
        verdict=verdict,
        url=url,
        note=note,
        evidence=evidence,
        carried_from="",
        by=by,
        at=at,
    )


def _new(command: Request, item: Item, verdict: Verdict, note: str) -> ItemAnswered:
    return ItemAnswered(
        review=command.review,
        service=command.service,
        item=item.id,
        axis=item.axis,
        severity=item.severity,
        verdict=verdict,
        url="",
        note=note,
        evidence=(),
        carried_from="",
        by="the framework",
        at=command.at,
    )


def _ordered(version: str) -> tuple[int, ...]:
    """A version for comparison: 2.10 is later than 2.9, and 2 is 2.0."""
    parts = tuple(int(part) for part in version.split("."))
    return (*parts, *(0,) * (4 - len(parts)))
