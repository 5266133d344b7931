"""The check of the risk register: what nobody has accepted, and what was accepted in all."""

from services.lifecycle.domain.checks.finding import Finding, Question
from services.lifecycle.domain.evaluation.events import Evidence, Value


def risks_accepted(question: Question) -> Finding | None:
    """Whether no unaccepted risk is too big, and the accepted ones fit into the budget; None while none was named."""
    risks = question.facts.risks
    if risks is None:
        return None
    if not risks.risks:
        return Finding("pass", "every risk was eliminated or transferred")
    named: dict[str, Value] = {risk.risk: risk.bad_minutes for risk in risks.risks}
    if risks.promise is None:
        evidence = (Evidence(question.facts.service, "risk-register", question.at, named),)
        return Finding("unknown", "there is no SLO whose budget they could count against", evidence, "define an SLO")
    shares = {
        "largest_unaccepted_share": risks.largest_unaccepted_share,
        "accepted_share": risks.accepted_share,
    }
    values: dict[str, Value] = {name: round(share, 4) for name, share in shares.items()}
    evidence = (Evidence(question.facts.service, "risk-register", question.at, values | {"slo": risks.promise.slo}),)
    limits = question.check.at_most
    over = [
        f"{name.replace('_', ' ')} is {share:.0%} of the budget of {risks.promise.slo}, at most {most:.0%}"
        for name, share in shares.items()
        if name in limits and share > (most := limits[name].at(question.facts.tier))
    ]
    if over:
        return Finding("fail", "; ".join(over), evidence, "make the risks smaller, or have them accepted")
    if risks.unassessed:
        titles = ", ".join(risk.title for risk in risks.unassessed)
        return Finding("unknown", f"nobody has said how bad they are: {titles}", evidence, f"assess: {titles}")
    return Finding("pass", f"{len(risks.risks)} risks, {risks.accepted_share:.0%} of the budget accepted", evidence)
