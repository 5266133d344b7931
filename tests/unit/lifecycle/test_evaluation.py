from libs.events.testing import given
from services.lifecycle.contract import EVALUATION
from services.lifecycle.domain.errors import RecordedOtherwiseError
from services.lifecycle.domain.evaluation.commands import Keep
from services.lifecycle.domain.evaluation.events import GateEvaluated
from services.lifecycle.domain.gates import evaluate
from services.lifecycle.domain.phases import Phase
from tests.fixtures.lifecycle import NOW, POLICY, facts, open_gate

CLOSED = evaluate(POLICY, facts(), Phase.GENERAL_AVAILABILITY, NOW)
EVALUATED = GateEvaluated(
    evaluation="v1",
    service="checkout-api",
    from_phase=Phase.LIMITED_AVAILABILITY,
    phase=Phase.GENERAL_AVAILABILITY,
    passed=False,
    policy_version=POLICY.version,
    checks=CLOSED.checks,
    basis=CLOSED.basis,
    based_on="",
    by="ana",
    at=NOW,
)


def test_an_evaluation_is_stored_whole() -> None:
    given(EVALUATION).when(Keep("v1", CLOSED, "ana")).then(EVALUATED)


def test_storing_the_same_again_stays_silent() -> None:
    given(EVALUATION, EVALUATED).when(Keep("v1", CLOSED, "ana")).then()


def test_an_id_never_stands_for_another_verdict() -> None:
    other = open_gate(Phase.LIMITED_AVAILABILITY, Phase.GENERAL_AVAILABILITY)

    given(EVALUATION, EVALUATED).when(Keep("v1", other, "ana")).refuses(RecordedOtherwiseError)
