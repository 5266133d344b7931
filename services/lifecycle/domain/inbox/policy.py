"""What the inbox and the weekly digest go by: plain data, every number with the source it comes from."""

from dataclasses import dataclass
from typing import ClassVar

from services.lifecycle.domain.policy import Fault, InvalidPolicyError, Number

_STRICT = {"extra": "forbid"}
_HOURS, _DAYS = 24, 7
_HANDOVER = Number(value=7, source="[D] a week: after that whoever came knows how it stands")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTerms:
    """When the weekly digest of a team is made, and how much it says.

    Args:
        weekday: 1 is Monday, 7 is Sunday (ISO 8601).
        hour: In the time zone of the team's largest site; UTC where it names none.
        items_at_most: So many are listed; all are counted.
        send_empty: Whether a week in which nothing waits is told too: 0 or 1.
    """

    __pydantic_config__: ClassVar = _STRICT

    weekday: Number
    hour: Number
    items_at_most: Number
    send_empty: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPolicy:
    """From when on something waits for a person.

    Args:
        version: Named where it is used.
        waiver_ends_days: So long before its end the owner of a waived risk hears of it.
        acceptance_ends_days: So long before its end whoever accepted a risk decides anew.
        duty_days: So long before its day a duty is to be passed on.
        structure_days: So long before its day the structure of a team is to be looked at.
        order_days: So long before its day an order of capacity is to be made.
        digest: The weekly digest.
        handover_days: So long a hand-over waits to be acknowledged; a policy that does not say it takes ours.
    """

    __pydantic_config__: ClassVar = _STRICT

    version: str
    waiver_ends_days: Number
    acceptance_ends_days: Number
    duty_days: Number
    structure_days: Number
    order_days: Number
    digest: DigestTerms
    handover_days: Number = _HANDOVER

    def validate(self) -> None:
        """Refuse a policy by which no digest could be made.

        Raises:
            InvalidPolicyError: Names every place.
        """
        faults = [
            Fault(f"/digest/{name}/value", f"{value:g} must be a whole number from {least} to {most}")
            for name, value, least, most in (
                ("weekday", self.digest.weekday.value, 1, _DAYS),
                ("hour", self.digest.hour.value, 0, _HOURS - 1),
                ("items_at_most", self.digest.items_at_most.value, 1, 1000),
                ("send_empty", self.digest.send_empty.value, 0, 1),
            )
            if not least <= value <= most or value != int(value)
        ]
        spans = (
            "waiver_ends_days",
            "acceptance_ends_days",
            "duty_days",
            "structure_days",
            "order_days",
            "handover_days",
        )
        faults += [Fault(f"/{name}/value", "must not be negative") for name in spans if getattr(self, name).value < 0]
        if faults:
            raise InvalidPolicyError(faults)
