"""The rules of architecture findings: the life of a finding is that of readiness reviews, who judges is another.

One record holds all findings of a service, whatever brought them to light, so that none is opened twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.architecture.commands import Command, Discover, GoOn, Lapse
from services.lifecycle.domain.readiness_review.errors import NotAllowedError
from services.lifecycle.domain.readiness_review.events import FindingEvent, FindingOpened, FindingWaiverExpired
from services.lifecycle.domain.readiness_review.findings import Found, about_finding
from services.lifecycle.domain.readiness_review.state import Finding, after_finding
from services.lifecycle.domain.service.commands import Actor

Findings = Mapping[str, Finding]  # by id, in the order in which they were opened


@dataclass(frozen=True, slots=True)
class AnybodyElse:
    """Whoever does not own what is judged; what blocks is for people from outside the team."""

    owner_team: str
    insiders: frozenset[str]

    def require_reviewer(self, actor: Actor, *but: str) -> None:
        """Refuse a machine, and whoever owns what is judged."""
        may = [f"anybody but {' and '.join(dict.fromkeys(name for name in but if name))}"]
        if not actor.is_person:
            raise NotAllowedError(actor.name, "a machine judges nothing", may)
        if actor.name in but:
            raise NotAllowedError(actor.name, "nobody passes their own work", may)

    def require_decider(self, actor: Actor, *but: str) -> None:
        """Refuse whoever is of the team that owns the service, too."""
        if not actor.is_person or actor.name in but or actor.name in self.insiders:
            why = "what blocks is judged by a person from outside who does not own it"
            raise NotAllowedError(actor.name, why, [f"somebody from outside {self.owner_team or 'the team'}"])


def decide(command: Command, state: Findings) -> tuple[FindingEvent, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        ReviewError: It is refused (`readiness_review/errors.py`).
    """
    match command:
        case Discover():
            known = {(each.opened.item, each.opened.title) for each in state.values() if is_known(each)}
            return tuple(_opened(command, known, state))
        case GoOn():
            judges = AnybodyElse(command.owner_team, command.insiders)
            return about_finding(command.step, Found(command.service, (), state, judges))
        case Lapse():
            return tuple(
                FindingWaiverExpired(finding.opened.review, command.service, name, command.at)
                for name, finding in state.items()
                if finding.state == "waived" and finding.waiver and finding.waiver.until <= command.at
            )


evolve = after_finding


def is_known(finding: Finding) -> bool:
    """Whether somebody still has to deal with it, or has decided to live with it for a while."""
    return finding.is_unsettled or finding.state == "waived"


def settled_at(state: Findings, item: str, title: str) -> datetime | None:
    """When a finding of this entry and title was dealt with last; None: never, or it is not."""
    alike = [each for each in state.values() if (each.opened.item, each.opened.title) == (item, title)]
    return max((each.history[-1].at for each in alike if not is_known(each)), default=None)


def _opened(command: Discover, known: set[tuple[str, str]], state: Findings) -> Iterable[FindingOpened]:
    for each in command.discoveries:
        if (each.item, each.title) in known or each.finding in state:
            continue
        known.add((each.item, each.title))
        yield FindingOpened(
            review=command.review,
            service=command.service,
            finding=each.finding,
            item=each.item,
            title=each.title,
            text=each.text,
            severity=each.severity,
            source=each.source,
            carried_from="",
            owner="",
            due=None,
            by=command.by,
            at=command.at,
        )
