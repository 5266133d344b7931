"""Checks of the production readiness review, and of what both sides have signed."""

from services.lifecycle.domain.checks.finding import Finding, Question, day
from services.lifecycle.domain.evaluation.events import Evidence, Value
from services.lifecycle.domain.facts import Review

_APPROVED = ("approved", "approved_with_conditions")
_UNDER_WAY = ("analysis", "improvements", "training", "onboarding", "continuous", *_APPROVED)
_AFTER_APPROVAL = ("training", "onboarding", "continuous", *_APPROVED)


def readiness_review_started(question: Question) -> Finding | None:
    """Whether the production readiness review is at least in analysis."""
    review = question.facts.review
    if review is None:
        return None
    if review.state in _UNDER_WAY:
        return Finding("pass", f"the review is in {review.state}", _seen(review))
    fix = f"take review {review.id} on to analysis, or ask for a new one"
    return Finding("fail", f"the review is {review.state}", _seen(review), fix)


def readiness_review_approved(question: Question) -> Finding | None:
    """Whether the review is approved, still valid, and leaves nothing open that blocks."""
    review = question.facts.review
    return None if review is None else _approved(question, review)


def new_readiness_review(question: Question) -> Finding | None:
    """Whether a review that began in this phase is approved."""
    review = question.facts.review
    if review is None:
        return None
    if review.started < question.facts.phase_since:
        began = day(question.facts.phase_since)
        detail = f"the last review is from before the phase began ({began})"
        return Finding("fail", detail, _seen(review), "ask for a new production readiness review")
    return _approved(question, review)


def security_review_opened(question: Question) -> Finding | None:
    """Whether the review's questions about security are being answered."""
    review = question.facts.review
    if review is None or not review.security_opened:
        return None
    return Finding("pass", "the review's questions about security are being answered", _seen(review))


def security_review(question: Question) -> Finding | None:
    """Whether the review's questions about security are settled."""
    review = question.facts.review
    if review is None or not review.security_opened or review.security_open is None:
        return None
    if review.security_open:
        named = ", ".join(review.security_open)
        return Finding("fail", f"not settled: {named}", _seen(review), f"settle in review {review.id}: {named}")
    return Finding("pass", "the review's questions about security are settled", _seen(review))


def error_budget_policy_signed(question: Question) -> Finding | None:
    """Whether development and SRE have signed what follows from a spent budget."""
    policy = question.facts.budget_policy
    if policy is None:
        return None
    values: dict[str, Value] = {"version": policy.version, "signed_version": policy.signed_version or None}
    evidence = (Evidence(policy.id, "error-budget-policy", policy.at, values),)
    if policy.signed_version:
        newer = f"; version {policy.version} waits for signatures" if policy.version > policy.signed_version else ""
        return Finding("pass", f"version {policy.signed_version} is in force{newer}", evidence)
    fix = f"have development and SRE sign version {policy.version} of the error-budget policy"
    return Finding("fail", f"version {policy.version} is not signed by both sides", evidence, fix)


def _approved(question: Question, review: Review) -> Finding:
    evidence = _seen(review)
    if review.state not in _AFTER_APPROVAL:
        return Finding("fail", f"the review is {review.state}", evidence, f"have review {review.id} approved")
    if review.expires is not None and question.at >= review.expires:
        fix = "have the service reviewed again"
        return Finding("fail", f"its approval ended on {day(review.expires)}", evidence, fix)
    if review.open_blocking:
        fix = "fix and verify them, or have them waived"
        return Finding("fail", f"{review.open_blocking} blocking findings are open", evidence, fix)
    if review.overdue_conditions:
        fix = "meet them, or agree on another date with the reviewers"
        return Finding("fail", f"{review.overdue_conditions} conditions of its approval are overdue", evidence, fix)
    if question.facts.engagement is None and not review.outside_reviewer:
        fix = "add a reviewer from outside the team"
        return Finding("fail", "it was assessed by the team alone", evidence, fix)
    return Finding("pass", f"{review.state} on {day(review.changed)}", evidence)


def _seen(review: Review) -> tuple[Evidence, ...]:
    values: dict[str, Value] = {
        "state": review.state,
        "open_blocking": review.open_blocking,
        "overdue_conditions": review.overdue_conditions,
        "expires": review.expires.isoformat() if review.expires else None,
        "outside_reviewer": review.outside_reviewer,
    }
    return (Evidence(review.id, "readiness-review", review.changed, values),)
