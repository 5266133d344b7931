"""A gate evaluation's rules: every pair of state and command has one line below."""

from services.lifecycle.domain.errors import RecordedOtherwiseError
from services.lifecycle.domain.evaluation.commands import Command
from services.lifecycle.domain.evaluation.events import Event, GateEvaluated

Evaluation = GateEvaluated | None  # None: nothing stored; what is stored never changes


def decide(command: Command, state: Evaluation) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        RecordedOtherwiseError: The id stands for another evaluation.
    """
    verdict = command.verdict
    evaluated = GateEvaluated(
        evaluation=command.evaluation,
        service=verdict.service,
        from_phase=verdict.from_phase,
        phase=verdict.phase,
        passed=verdict.passed,
        policy_version=verdict.policy_version,
        checks=verdict.checks,
        basis=verdict.basis,
        based_on=verdict.based_on,
        by=command.by,
        at=verdict.at,
    )
    match state:
        case None:
            return (evaluated,)
        case GateEvaluated() if state == evaluated:
            return ()
        case GateEvaluated():
            raise RecordedOtherwiseError("evaluation", command.evaluation)


def evolve(state: Evaluation, event: Event) -> Evaluation:  # noqa: ARG001  a decider's evolve has this shape
    """The evaluation after one more fact."""
    return event
