"""What an error-budget policy says: plain data, every number and rule with the source it comes from.

Sources: [EBP] SRE Workbook, appendix B, example error budget policy; [D] a default of ours, no source gives it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from services.slo.domain.errors import SloError
from services.slo.domain.signing import Signers

Change = Literal["normal", "p0", "security"]
Kind = Literal[
    "p0",
    "security",
    "company_wide_network",
    "other_team_frozen",
    "out_of_scope_load_test",
    "miscategorised_errors",
    "executive_decision",
]

Party = Literal["development", "sre"]  # whom the policy binds, so who signs it
PARTIES: Final[tuple[Party, ...]] = ("development", "sre")
_EBP, _D = "[EBP]", "[D]"


class InvalidPolicyError(SloError):
    """A policy that contradicts itself or leaves out who decides; says where."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path, self.detail = path, detail


@dataclass(frozen=True, slots=True)
class Number:
    """A number that decides something, and why it is that number."""

    value: float
    source: str

    @property
    def days(self) -> timedelta:
        """The number as a span of days."""
        return timedelta(days=self.value)


@dataclass(frozen=True, slots=True)
class Rule:
    """Something the sides promise each other in words; people keep it, not this program."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class ExemptionRule:
    """A kind of exemption that the policy knows.

    Kinds that are a change (`p0`, `security`) let that change through a freeze that would stop it. The others are
    causes: budget spent by them freezes nothing.
    """

    kind: Kind
    text: str
    source: str


_EXEMPTIONS: Final = (
    ExemptionRule("p0", "The change fixes a P0 issue.", _EBP),
    ExemptionRule("security", "The change fixes a security problem.", _EBP),
    ExemptionRule("company_wide_network", "A company-wide networking problem spent the budget.", _EBP),
    ExemptionRule(
        "other_team_frozen",
        "A service of another team spent the budget, and that team has frozen its own releases to repair it.",
        _EBP,
    ),
    ExemptionRule(
        "out_of_scope_load_test",
        "Users whom the SLO does not cover spent the budget, such as a load test or penetration test.",
        _EBP,
    ),
    ExemptionRule("miscategorised_errors", "Errors that no user noticed were counted as bad.", _EBP),
)
_RELIABILITY_WORK: Final = (
    Rule("A bug or a mistake in a procedure of our own spent the budget: we work on reliability.", _EBP),
    Rule("A postmortem shows how a hard dependency can be softened: we work on reliability.", _EBP),
    Rule("Errors that should have counted did not, and would have spent the budget: we work on reliability.", _EBP),
    Rule("A freeze is no punishment: it is leave to work on nothing but reliability.", _EBP),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One edition of a policy.

    Args:
        executive: Who decides a disagreement about the figures or about what follows from them ([EBP]: the CTO).
        signers: Who may sign for development and SRE; product's are asked only when SLOs are agreed.
        revisit_by: When people look at the policy again ([EBP] carries such a date).
        at_risk: Share of the budget that is consumed when the service is at risk.
        hysteresis: How far a share must fall back below a threshold before it counts as gone, so that figures that
            hover around it are not told every minute.
        unfreeze_remaining: Share of the budget that must be left before releases go on. At 0 the service is back
            within its SLO; more keeps one that hovers around its target from thawing and freezing.
        spare_remaining: Share of every budget that must be left to say that there is budget to spare.
        spare_coverage: Share of the window that must have data before budget counts as spare.
        passes_freeze: The changes that are released while frozen.
        exemptions: The kinds of exemption that can be granted.
        exemption_days: An exemption lasts so long at most: by then what it excuses has left a four-week window.
        glass_days: A broken glass lasts so long at most.
        incident_window_days: The window of whose budget one incident's share is taken.
        incident_share: One incident that spent more of it needs a postmortem with a P0 action.
        class_share: One class of outage that spent more of a quarter's budget needs a P0 in the quarterly plan.
        rules: What else was agreed, in words.
        text: Service overview, goals and non-goals; Markdown.
    """

    executive: str
    signers: Signers
    revisit_by: date
    at_risk: Number = Number(0.75, _D)
    hysteresis: Number = Number(0.05, _D)
    unfreeze_remaining: Number = Number(0.0, _EBP)
    spare_remaining: Number = Number(0.5, _D)
    spare_coverage: Number = Number(0.95, _D)
    passes_freeze: tuple[Change, ...] = ("p0", "security")  # [EBP]
    exemptions: tuple[ExemptionRule, ...] = _EXEMPTIONS
    exemption_days: Number = Number(28, _D)
    glass_days: Number = Number(1, _D)
    incident_window_days: Number = Number(28, _EBP)
    incident_share: Number = Number(0.2, _EBP)
    class_share: Number = Number(0.2, _EBP)
    rules: tuple[Rule, ...] = _RELIABILITY_WORK
    text: str = ""

    def validate(self) -> None:
        """Refuse a policy that could not be signed, decided or kept.

        Raises:
            InvalidPolicyError: Names the first place.
        """
        if not self.executive:
            raise InvalidPolicyError("executive", "name who decides a disagreement [EBP]")
        for side in PARTIES:
            if not self.signers.of(side):
                path = f"signers.{side}"
                raise InvalidPolicyError(path, f"name at least one person who may sign for {side}")
        for name in sorted(set(self.signers.development) & set(self.signers.sre)):
            raise InvalidPolicyError("signers.sre", f"{name} stands for development already; name somebody else")
        if "normal" in self.passes_freeze:
            raise InvalidPolicyError("passes_freeze", "a freeze that lets normal changes through freezes nothing")
        self._validate_numbers()

    def _validate_numbers(self) -> None:
        for name in ("at_risk", "spare_remaining", "spare_coverage", "incident_share", "class_share"):
            self._require(name, 0 < self._number(name) <= 1, "a share above 0 and at most 1")
        for name in ("exemption_days", "glass_days", "incident_window_days"):
            self._require(name, 0 < self._number(name) <= timedelta.max.days, "a positive number of days")
        self._require("unfreeze_remaining", 0 <= self.unfreeze_remaining.value < 1, "a share of at least 0 and below 1")
        bound = min(self.at_risk.value, self.spare_remaining.value)
        self._require("hysteresis", 0 <= self.hysteresis.value < bound, f"at least 0 and below {bound:g}")

    def _number(self, name: str) -> float:
        number: Number = getattr(self, name)
        return number.value

    def _require(self, name: str, fits: bool, expected: str) -> None:  # noqa: FBT001  the finding
        if not fits:
            raise InvalidPolicyError(name, f"is {self._number(name):g}; it must be {expected}")
