"""What is found wrong with an architecture, and the weeks until somebody else has seen that it was mended."""

from datetime import timedelta
from functools import partial
from typing import Final

from services.cli.demo.organisation import SERVICE, SRE_OF, TEAM
from services.cli.demo.world import World
from services.lifecycle.contract import ARCHITECTURE
from services.lifecycle.domain.architecture.commands import Discover, GoOn, Step
from services.lifecycle.domain.people import Actor
from services.lifecycle.domain.readiness_review.commands import FindingStep, MoveFinding, Triage
from services.lifecycle.domain.readiness_review.events import FindingOpened

_STEPS: Final[tuple[tuple[float, FindingStep, str], ...]] = (
    (6, "start", "begun"),
    (17, "fix", "mended, and tried in staging"),
    (20, "verify", "tried again: it holds"),
    (21, "close", "verified"),
)  # on which day after it was found


def discover(world: World, found: Discover, *, slow: bool = False) -> None:
    """Open findings; *slow*: somebody has it, and has not begun when its day is over."""
    world.agenda.at(found.at, partial(_found, world, found, slow=slow))


def _found(world: World, found: Discover, *, slow: bool) -> None:
    opened = world.lifecycle.tell(ARCHITECTURE, found.service, found, at=found.at, by=found.by)
    team = TEAM[SERVICE[found.service].team]
    for place, event in enumerate(each for each in opened if isinstance(each, FindingOpened)):
        owner = team.people[(place + len(event.title)) % len(team.people)]
        day = found.at + timedelta(days=2)
        triage = Triage(
            review=found.review,
            finding=event.finding,
            owner=owner,
            due=(day + timedelta(days=12 if slow else 28)).date(),
            by=Actor(team.lead, is_person=True),
            reason="in the next iteration",
            at=day,
        )
        _plan(world, found.service, triage)
        for after, step, why in () if slow else _STEPS:
            by = TEAM[SRE_OF[team.name]].people[place + 1] if step in {"verify", "close"} else owner
            move = MoveFinding(
                review=found.review,
                finding=event.finding,
                step=step,
                url=f"https://git.example.com/{team.name}/{found.service}/changes/{len(event.title) * 7 + place}",
                by=Actor(by, is_person=True),
                reason=why,
                at=found.at + timedelta(days=after),
            )
            _plan(world, found.service, move)


def _plan(world: World, service: str, step: Step) -> None:
    team = TEAM[SERVICE[service].team]
    go_on = GoOn(service=service, step=step, owner_team=team.name, insiders=frozenset(team.people))
    if step.at < world.today:
        tell = partial(world.lifecycle.tell, ARCHITECTURE, service, go_on, at=step.at, by=step.by.name)
        world.agenda.at(step.at, tell)
