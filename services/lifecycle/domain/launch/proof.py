"""What records that the platform keeps of a service show for a launch; taken as it stands when it is named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lifecycle.domain.checkpoint.decider import Known
from services.lifecycle.domain.checkpoint.events import CheckpointConcluded
from services.lifecycle.domain.deployment.decider import Recorded
from services.lifecycle.domain.design_review.decider import Reviewed
from services.lifecycle.domain.launch.events import Outcome, Record, RecordKind
from services.lifecycle.domain.rollout.decider import Going

_ALL: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a record shows.

    Args:
        record: Which.
        service: Of which service.
        shows: By what it proves, how that came out; nothing while there is nothing to see.
        done_at: When it was so.
        url: Where to see it, or empty.
        says: The same in words.
    """

    record: Record
    service: str
    shows: Mapping[str, Outcome]
    done_at: datetime
    url: str
    says: str


def of_checkpoint(known: Known) -> Proof:
    """What an experiment, a test, a drill or a report shows once it was carried through."""
    planned, ended = known.planned, known.ended
    if not isinstance(ended, CheckpointConcluded):
        return _nothing("checkpoint", planned.checkpoint, planned.service, known.state, planned.at)
    missed = "; ".join(criterion.says for criterion in ended.criteria if not criterion.met)
    return Proof(
        record=Record("checkpoint", planned.checkpoint),
        service=planned.service,
        shows={planned.kind: ended.conclusion},
        done_at=ended.performed_at,
        url=ended.evidence[0] if ended.evidence else "",
        says=f"{planned.title}: {missed or ended.conclusion}",
    )


def of_rollout(going: Going) -> Proof:
    """A roll-out that was reviewed shows how it goes out; one that was taken back shows the way back, too."""
    plan, first = going.plan, going.plan.steps[0].percent
    if going.state in {"planned", "cancelled"}:
        return _nothing("rollout", plan.rollout, plan.service, going.state, plan.at)
    is_good = first < _ALL and going.state != "rolled_back"
    shows: dict[str, Outcome] = {"rollout": "passed" if is_good else "failed"}
    if going.rolled_back:
        shows["rollback"] = "passed"
    ended = going.rolled_back.at if going.rolled_back else None
    reviewed = going.reviewed.at if going.reviewed else plan.at
    back = f", taken back: {going.reason}" if going.rolled_back else ""
    return Proof(
        record=Record("rollout", plan.rollout),
        service=plan.service,
        shows=shows,
        done_at=ended or reviewed,
        url="",
        says=f"{plan.version}, {plan.strategy}, {first:g} % of the users first, {going.state.replace('_', ' ')}{back}",
    )


def of_deployment(recorded: Recorded) -> Proof:
    """A deployment that was taken back shows that there is a way back."""
    what, back = recorded.what, recorded.rolled_back
    if back is None:
        return _nothing("deployment", what.deployment, what.service, "not taken back", what.at)
    return Proof(
        record=Record("deployment", what.deployment),
        service=what.service,
        shows={"rollback": "passed"},
        done_at=back.at,
        url=what.url,
        says=f"{what.version or what.deployment} in {what.environment}, taken back: {back.reason}",
    )


def of_design(review: Reviewed) -> Proof:
    """A design that somebody from outside approved."""
    opened, decided = review.opened, review.decided
    if review.state != "approved" or decided is None:
        state = review.state.replace("_", " ")
        return _nothing("design_review", opened.review, opened.service, state, review.since)
    return Proof(
        record=Record("design_review", opened.review),
        service=opened.service,
        shows={"design_review": "passed"},
        done_at=decided.at,
        url="",
        says=f"{review.design.title}, approved by {decided.by}",
    )


def _nothing(
    kind: RecordKind,
    name: str,
    service: str,
    state: str,
    at: datetime,
) -> Proof:
    return Proof(
        record=Record(kind, name),
        service=service,
        shows={},
        done_at=at,
        url="",
        says=f"it is {state}, which shows nothing",
    )
