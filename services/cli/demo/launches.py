"""What live services brought to their users, with what each launch had to show."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from services.cli.demo.organisation import DAYS, SERVICE, SRE_OF, TEAM
from services.cli.demo.world import World
from services.lifecycle.contract import LAUNCH
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.launch import commands
from services.lifecycle.domain.launch.events import Plan
from services.lifecycle.domain.people import Actor


class _Launched(NamedTuple):
    """A launch; *shown* of its checkpoints were recorded, and it has come as far as *end*."""

    service: str
    title: str
    text: str
    planned: int
    on: int
    end: str = "launched"
    shown: int = 99


_LAUNCHES: Final = (
    _Launched("product-search", "Suggestions while people type", "Each keystroke asks once.", 372, 402),
    _Launched("checkout-api", "Guests pay without an account", "A basket is enough.", 424, 452),
    _Launched("cart", "Baskets follow customers to other devices", "After they have logged in.", 516, 541),
    _Launched("abuse-verdicts", "Verdicts within the minute", "Signals are read from the stream.", 560, 588),
    _Launched(
        "stream-pipeline", "Reports by the hour", "They were asked for by three teams.", 655, 700, "cancelled", 3
    ),
    _Launched("cart", "Gift wrapping", "An option beside each line.", DAYS - 24, DAYS + 4, "ready"),
    _Launched(
        "checkout-api", "A checkout in one step", "Three services are asked at once.", DAYS - 16, DAYS + 33, "", 3
    ),
    _Launched(
        "push-notifications", "Pushes that expire", "Old ones are not shown any more.", DAYS - 9, DAYS + 12, "", 6
    ),
)


def launches(world: World) -> None:
    """All of them."""
    for launched in _LAUNCHES:
        for command in _told(world, launched):
            tell = partial(world.lifecycle.tell, LAUNCH, command.launch, command, at=command.at, by=command.by.name)
            world.agenda.at(command.at, tell)


def _told(world: World, it: _Launched) -> Iterator[commands.Command]:
    service = SERVICE[it.service]
    team, sre, policy = TEAM[service.team], TEAM[SRE_OF[service.team]], world.policies.architecture
    launch = world.id(f"launch {it.title}", world.at(it.planned))
    phase = service.phase_on(min(it.planned, DAYS - 1))
    if phase is None:
        raise LookupError(it.service)

    def said(day: float, by: str) -> dict[str, Any]:
        return {"launch": launch, "by": Actor(by, is_person=True), "at": world.at(day, 16)}

    url = f"https://wiki.example.com/launches/{it.title.lower().replace(' ', '-')}"
    yield commands.PlanLaunch(
        **said(it.planned, team.people[1]),
        service=service.name,
        owner_team=team.name,
        tier=service.tier,
        phase=phase,
        plan=Plan(title=it.title, text=it.text, url=url, planned_for=world.at(it.on).date()),
        policy=policy,
    )
    attested = [each for each in policy.checkpoints if not each.check]
    ready = min(it.on - 1, DAYS - 2)
    for place, each in enumerate(attested[: it.shown]):
        day = it.planned + (ready - it.planned) * (place + 1) / (len(attested) + 1)
        yield commands.RecordCheckpoint(
            **said(day, team.people[place % 3]),
            checkpoint=each.id,
            outcome="passed",
            url=f"{url}/{each.id}",
            note="",
            done_at=world.at(day, 11),
        )
    checks = tuple(CheckResult(each.check, "pass", blocking=True) for each in policy.checkpoints if each.check)
    if it.end in {"ready", "launched"}:
        yield commands.MakeReady(**said(ready, sre.lead), checks=checks, reason="nothing blocks it")
    if it.end == "launched":
        yield commands.Launch(
            **said(it.on, team.lead), checks=checks, reason="one user in a hundred since this morning"
        )
    if it.end == "cancelled":
        why = "nobody reads reports more than once a day; the question was answered otherwise"
        yield commands.Cancel(**said(it.on - 8, team.lead), reason=why)
