"""What can wait: the week of a team as lifecycle tells it, and the alerts of low urgency of a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import Connection

from libs.events import codec
from libs.events.applied import all_applied
from libs.events.envelope import Context, Recorded
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Timer
from libs.events.timers import Fire
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.alert.events import AlertTriggered
from services.incidents.domain.notification.events import Message
from services.incidents.paging.owners import clock_of, team_or_people
from services.incidents.paging.taking import send, through
from services.incidents.projections.alerts import ALERTS, waiting_since
from services.incidents.projections.calls import CALLS, noise
from services.incidents.projections.channels import CHANNELS
from services.incidents.projections.known_services import service_of, services_of_team
from services.incidents.projections.people import PEOPLE

WEEKLY: Final = "incidents.weekly-digests"  # never changes: ids of notifications follow from it
LOW: Final = "incidents.low-urgency"
DAILY: Final = "low-digest"
_AT_HOUR: Final = 8  # by their clocks: a default of ours, the alerts of a day before its work begins
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_LINES: Final = 50


@dataclass(frozen=True, slots=True)
class DigestCompiled:
    """What we read of `digest.compiled`: what waits in a team at the beginning of a week."""

    team: str
    subject: str
    text: str
    at: datetime


class Digests:
    """Sends what can wait to a team's channels, or to its people where it has none."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @property
    def weekly(self) -> Reaction:
        """Hears of the digests that lifecycle compiles."""
        events = EventRegistry({"io.concordat.lifecycle.digest.compiled.v1": DigestCompiled})
        return Reaction(WEEKLY, "lifecycle", events, {DigestCompiled: self._compiled})

    @property
    def low(self) -> Reaction:
        """Follows the log of incidents: what triggers quietly is told the next morning."""
        return Reaction(LOW, SERVICE, CONTRACT, {AlertTriggered: self._triggered})

    @property
    def timers(self) -> Mapping[str, Fire]:
        """What happens in the morning."""
        return {DAILY: self._morning}

    async def _compiled(self, event: DigestCompiled, _: Recorded, context: Context) -> None:
        await all_applied(self._resources, CALLS, PEOPLE, CHANNELS)
        services = await self._resources.views.read(services_of_team, event.team)
        report = await self._resources.views.read(_noise, services, event.at)
        await self._send(event.team, event.subject, "\n".join([event.text, *report]), context)

    async def _triggered(self, event: AlertTriggered, recorded: Recorded, _: Context) -> None:
        if event.urgency == "high":
            return
        timer = await self._resources.views.read(_digest_of, event.service, recorded.occurred_at)
        if timer:
            await self._resources.store.append(AppendRequest(schedule=(timer,)))

    async def _morning(self, timer: Timer, context: Context) -> None:
        await all_applied(self._resources, ALERTS, PEOPLE, CHANNELS)
        team = timer.key.split("/")[1]
        views = self._resources.views
        services = await views.read(services_of_team, team)
        alerts = await views.read(waiting_since, services, timer.due_at - _DAY)
        if alerts:
            lines = [f"- {each['service']}: {each['summary']} ({each['count']} times)" for each in alerts[:_LINES]]
            more = [f"- and {len(alerts) - _LINES} more"] if len(alerts) > _LINES else []
            text = "\n".join(
                ["Alerts of low urgency that still fire:", "", *lines, *more, "", "GET /v1/alerts?urgency=low"]
            )
            await self._send(team, f"{team}: {len(alerts)} alerts of low urgency", text, context)

    async def _send(self, team: str, subject: str, text: str, context: Context) -> None:
        said = Message(kind="digest", channel="email", urgency="low", subject=subject, text=text)
        await send(self._resources, await self._resources.views.read(_to_team, said, team, context), context)


def next_morning(at: datetime, zone: tzinfo = UTC) -> datetime:
    """When what can wait is told that happens at *at*, to who lives in *zone*."""
    local = at.astimezone(zone)
    morning = local.replace(hour=_AT_HOUR, minute=0, second=0, microsecond=0)
    return (morning if local < morning else morning + _DAY).astimezone(UTC)


def _digest_of(connection: Connection, service: str, at: datetime) -> Timer | None:
    """When the owners of *service* are told of what triggers quietly at *at*; None where nobody owns it."""
    known = service_of(connection, service)
    team = known.owner_team if known else ""
    if not team:
        return None
    due = next_morning(at, clock_of(connection, team))
    return Timer(f"{DAILY}/{team}/{due:%Y-%m-%d}", due, DAILY, codec.encode({"team": team}))


def _to_team(connection: Connection, said: Message, team: str, context: Context) -> dict[str, Message]:
    """To the team's own channels; to each of its people where it has none."""
    return through(connection, said, team_or_people(connection, team), context)


def _noise(connection: Connection, services: Sequence[str], at: datetime) -> list[str]:
    """What woke people for nothing in the week before, as lines."""
    rows = [row for row in noise(connection, services, at - _WEEK, at) if row["noise"]] if services else []
    lines = [f"- {row['service']}, {row['rule']}: {row['noise']} of {row['pages']} calls were noise" for row in rows]
    return ["", "## Calls that were noise", "", *lines] if lines else []
