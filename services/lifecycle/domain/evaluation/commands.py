"""What can be asked of a gate evaluation."""

from dataclasses import dataclass

from services.lifecycle.domain.gates import Verdict


@dataclass(frozen=True, slots=True)
class Keep:
    """Store *verdict* under the id *evaluation*."""

    evaluation: str
    verdict: Verdict
    by: str


Command = Keep
