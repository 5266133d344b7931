"""Checks that were let through for a while, because something else kept the risk small."""

from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from services.cli.demo.organisation import DAYS, SERVICE, SRE_OF, TEAM
from services.cli.demo.world import World
from services.lifecycle import timetable
from services.lifecycle.contract import WAIVER
from services.lifecycle.domain.people import Actor, Approvers
from services.lifecycle.domain.waiver import commands
from services.lifecycle.domain.waiver.events import Control


class _Asked(NamedTuple):
    """A waiver.

    Args:
        service: For which service.
        check: Which check.
        day: On which it was asked for.
        until: Its last day.
        reason: Why the check could not be met.
        control: What kept the risk small.
        end: How it ended: `expired`; `revoked` when it was not needed any more; `refused`; nothing while it waits for
            somebody, or holds.
        renewed: The day on which it was renewed, and until when.
    """

    service: str
    check: str
    day: int
    until: int
    reason: str
    control: str
    end: str = ""
    renewed: tuple[int, int] | None = None


_WAIVERS: Final = (
    _Asked(
        *("checkout-api", "rota_is_large_enough", 249, 336),
        "two people of the rota begin in the summer",
        "the shop's second rota takes pages that nobody answers within five minutes",
        "expired",
    ),
    _Asked(
        *("stream-pipeline", "production_rollback", 489, 570),
        "no release of the last month had to be taken back",
        "the rollback is drilled in staging with each release",
        "revoked",
    ),
    _Asked(
        *("abuse-console", "capacity_covers_demand", 332, 419),
        "instances are ordered, and come in six weeks",
        "the console sheds everything but open cases above four fifths of its capacity",
        "expired",
    ),
    _Asked(
        *("recommendations", "restore_test", 548, 630),
        "the backup runs into the store that is about to be replaced",
        "recommendations are computed anew every night, in two hours",
        "expired",
        renewed=(618, 690),
    ),
    _Asked(
        *("reviews", "readiness_review_approved", 640, 720),
        "nobody has time for a review before the season",
        "",
        "refused",
    ),
    _Asked(
        *("push-notifications", "readiness_review_approved", 652, 735),
        "its review begins when the mobile gateway's design is done",
        "pushes are sent twice; a fallback to mail is tried each week",
        renewed=(724, DAYS + 11),
    ),
    _Asked(
        *("legacy-catalogue", "rota_with_a_developer", DAYS - 3, DAYS + 70),
        "the last developer who knows it has moved to another team",
        "it is read-only since March, and a page of it costs nobody an order",
    ),
)


def waivers(world: World) -> None:
    """All of them."""
    for asked in _WAIVERS:
        _waive(world, asked)


def _waive(world: World, asked: _Asked) -> None:
    service, team = SERVICE[asked.service], TEAM[SERVICE[asked.service].team]
    sre = TEAM[SRE_OF[team.name]]
    waiver = world.id(f"waiver {asked.service} {asked.check}", world.at(asked.day))
    longest = timedelta(days=world.gates.waivers.max_days.value)
    approvers = Approvers(frozenset({team.lead, sre.lead}), ("owner_lead", "sre_lead"))
    control = Control(
        asked.control or "who is on call knows about it",
        f"https://wiki.example.com/{service.name}/{asked.check}",
        world.at(asked.day - 9),
    )

    def said(day: float, by: str) -> dict[str, Any]:
        return {"waiver": waiver, "by": Actor(by, is_person=True), "at": world.at(day, 12)}

    todo: list[commands.Request | commands.Approve | commands.Renew | commands.Revoke] = [
        commands.Request(
            **said(asked.day, team.people[1]),
            service=service.name,
            check=asked.check,
            risk_owner=team.lead,
            reason=asked.reason,
            control=control,
            expires_at=world.at(asked.until),
            longest=longest,
        )
    ]
    decided = asked.day + 2
    if asked.end == "refused":
        todo.append(commands.Revoke(**said(decided, sre.lead), reason="a season without a review is the risk"))
    elif decided < DAYS - 2:
        approve = commands.Approve(
            **said(decided, sre.lead), reason="the control was looked at", approvers=approvers, longest=longest
        )
        todo.append(approve)
    if asked.renewed:
        day, until = asked.renewed
        renew = commands.Renew(
            **said(day, sre.lead),
            expires_at=world.at(until),
            reason="once more, and then it is done",
            approvers=approvers,
            longest=longest,
            most=int(world.gates.waivers.renewals.value),
        )
        todo.append(renew)
    if asked.end == "revoked":
        todo.append(
            commands.Revoke(**said(asked.until - 20, team.lead), reason="a release was taken back in production")
        )
    for command in todo:
        tell = partial(world.lifecycle.tell, WAIVER, waiver, command, at=command.at, by=command.by.name)
        world.agenda.at(command.at, partial(tell, effects=timetable.waiving))
    if asked.end == "expired":
        over = world.at(asked.renewed[1] if asked.renewed else asked.until)
        tell = partial(world.lifecycle.tell, WAIVER, waiver, commands.Expire(waiver, over), at=over, by="timer.waiver")
        world.agenda.at(over, partial(tell, effects=timetable.waiving))
