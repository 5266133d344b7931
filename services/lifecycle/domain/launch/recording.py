"""Evidence of a launch's checkpoint: a record of the service, or what people say, with a link."""

from collections.abc import Sequence
from dataclasses import replace

from services.lifecycle.domain.errors import InTheFutureError
from services.lifecycle.domain.launch.commands import NameRecord, RecordCheckpoint
from services.lifecycle.domain.launch.errors import CheckpointError, UnknownCheckpointError
from services.lifecycle.domain.launch.events import Checkpoint, CheckpointRecorded, Outcome
from services.lifecycle.domain.launch.state import Coming, require_step


def recorded(command: RecordCheckpoint, state: Coming) -> tuple[CheckpointRecorded, ...]:
    """What people say about a checkpoint; nothing if they said it already.

    Raises:
        LifecycleError: It says nothing, or cannot be said any more.
    """
    asked = _asked_for(command.checkpoint, state)
    said = CheckpointRecorded(
        launch=command.launch,
        service=state.planned.service,
        checkpoint=command.checkpoint,
        outcome=command.outcome,
        url=command.url,
        note=command.note,
        done_at=command.done_at,
        by=command.by.name,
        at=command.at,
    )
    if _is_said_again(said, state):
        return ()
    require_step(state, "record")
    _refuse_measured(asked)
    if command.done_at > command.at:
        raise InTheFutureError(command.done_at)
    if command.outcome == "passed" and not command.url:
        raise CheckpointError("say where it can be seen", "/url")
    if command.outcome != "passed" and not command.note.strip():
        detail = "say why it failed" if command.outcome == "failed" else "say why it does not apply"
        raise CheckpointError(detail, "/note")
    return (said,)


def proved(command: NameRecord, state: Coming) -> tuple[CheckpointRecorded, ...]:
    """What a record shows of a checkpoint; nothing if that was said already.

    Raises:
        LifecycleError: The record shows nothing of it, or it cannot be said any more.
    """
    asked, proof = _asked_for(command.checkpoint, state), command.proof
    _refuse_measured(asked)
    said = CheckpointRecorded(
        launch=command.launch,
        service=state.planned.service,
        checkpoint=command.checkpoint,
        outcome=_outcome(command, asked, state),
        url=proof.url,
        note=command.note or proof.says,
        done_at=proof.done_at,
        by=command.by.name,
        at=command.at,
        record=proof.record,
    )
    if _is_said_again(said, state):
        return ()
    require_step(state, "record")
    return (said,)


def _outcome(command: NameRecord, asked: Checkpoint, state: Coming) -> Outcome:
    proof = command.proof
    what = f"{proof.record.kind.replace('_', ' ')} {proof.record.id}"
    if proof.service != state.planned.service:
        detail = f"{what} is of {proof.service}, the launch of {state.planned.service}"
        raise CheckpointError(detail, "/record/id")
    if not proof.shows:
        detail = f"{what}: {proof.says}"
        raise CheckpointError(detail, "/record/id")
    shown: Sequence[Outcome] = [proof.shows[each] for each in asked.records if each in proof.shows]
    if not shown:
        takes = ", ".join(asked.records) or "no record, only a link"
        detail = f"{what} shows {', '.join(proof.shows)}; {asked.id} takes {takes}"
        raise CheckpointError(detail, "/record/kind")
    return "passed" if "passed" in shown else shown[0]


def _asked_for(checkpoint: str, state: Coming) -> Checkpoint:
    asked = {each.id: each for each in state.planned.checkpoints}
    if checkpoint not in asked:
        raise UnknownCheckpointError(checkpoint, asked)
    return asked[checkpoint]


def _is_said_again(said: CheckpointRecorded, state: Coming) -> bool:
    before = state.shown.get(said.checkpoint)
    return before is not None and replace(before, at=said.at) == said


def _refuse_measured(asked: Checkpoint) -> None:
    if asked.check:
        detail = f"{asked.id} is measured, by the check {asked.check}; nobody can attest it"
        raise CheckpointError(detail, "/outcome")
