"""What becomes of engagements, and of services that came at the last moment, when teams are merged, cut, dissolved."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.events.applied import all_applied
from libs.events.envelope import Context, Recorded
from libs.events.handler import NO_EFFECTS, Effects, Step
from libs.events.ids import reaction_id
from libs.events.resources import Resources
from services.lifecycle import timetable
from services.lifecycle.contract import ENGAGEMENT, SERVICE, TEAM
from services.lifecycle.domain.engagement.commands import Cadence, FollowTeam, Leave, TakeOver
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.errors import ServiceUnsupportedError
from services.lifecycle.domain.service.commands import Change, HandOver, PassOn
from services.lifecycle.domain.team.decider import Ended
from services.lifecycle.domain.team.events import TeamDissolved, TeamMerged, TeamSharded
from services.lifecycle.projections.engagements import ENGAGEMENTS, open_engagements_of
from services.lifecycle.projections.services import SERVICES, owned_by, with_code_of


@dataclass(frozen=True)
class FollowingTeams:
    """What lifecycle does when teams end, or are cut."""

    resources: Resources
    policy: EngagementPolicy

    async def merged(self, event: TeamMerged, _: Recorded, context: Context) -> None:
        """The engagements of a team go on with the one that it became a part of."""
        for state in await self._engagements(event.team):
            command = FollowTeam(
                engagement=state.engagement,
                by=context.metadata.actor,
                reason=event.reason,
                at=context.at,
                team=event.team,
                into=event.into,
            )
            passed = []
            if state.sre_team == event.team:
                passed = _passed_on(state.services, state, state.engagement, event.into, context)
            await self.resources.handler.handle(
                ENGAGEMENT, state.engagement, command, context.part(state.engagement), also=passed
            )
        await self._left_over(event.team, event.into, context)

    async def dissolved(self, event: TeamDissolved, _: Recorded, context: Context) -> None:
        """What was registered for a team while that ended has another owner, or nobody, which its gates say."""
        await all_applied(self.resources, SERVICES)
        await self._left_over(event.team, event.successor, context)

    async def sharded(self, event: TeamSharded, recorded: Recorded, context: Context) -> None:
        """Services that left with a part of a team go on in an engagement with that part."""
        moves = await self._moves(event, recorded)
        for state in await self._engagements(event.team):
            leaving = defaultdict[str, list[str]](list)
            for service in state.services:
                if service in moves:
                    leaving[moves[service]].append(service)
            for part, services in leaving.items():
                await self._cut(state, event, part, tuple(services), context)

    async def _moves(self, event: TeamSharded, recorded: Recorded) -> dict[str, str]:
        """Which part of the team each service goes to: it owns it, or SREs have it in their charter."""
        moves = dict(event.services)
        for part in event.into:
            team = (await self.resources.handler.load(TEAM, part, as_of=recorded.recorded_at)).state
            known = team.was if isinstance(team, Ended) else team
            if known is not None and known.kind == "sre":
                moves |= dict.fromkeys(known.structure.charter.services, part)
        return moves

    async def _cut(
        self, state: Engagement, event: TeamSharded, part: str, services: tuple[str, ...], context: Context
    ) -> None:
        """Let *services* of an engagement go on in one with *part*; what was handed back only leaves."""
        said: dict[str, Any] = {"by": context.metadata.actor, "reason": event.reason, "at": context.at}
        handler, own = self.resources.handler, context.part(f"{state.engagement}/{part}")
        leave = Leave(engagement=state.engagement, services=services, **said)
        if state.standing == "handed_back":
            await handler.handle(ENGAGEMENT, state.engagement, leave, own)
            return
        new = str(reaction_id(UUID(state.engagement), f"cut/{part}", 0))
        sre_team = part if state.sre_team == event.team else state.sre_team
        takes_over = TakeOver(
            engagement=new,
            **said,
            sre_team=sre_team,
            dev_team=part if state.dev_team == event.team else state.dev_team,
            services=services,
            model=state.model,
            trackers=state.trackers,
            standing=state.standing,
            charter={name: held.in_force.entries for name, held in state.charter.items() if held.in_force},
            series=tuple(
                Cadence(each.series, each.kind, each.title, each.every_days, each.source)
                for each in state.series.values()
            ),
        )
        looks = Effects(schedule=(timetable.look(new, context.at + self.policy.look_every),))
        await handler.handle(
            ENGAGEMENT,
            new,
            takes_over,
            own,
            effects=looks if state.works else NO_EFFECTS,
            also=[Step(ENGAGEMENT, state.engagement, leave), *_passed_on(services, state, new, sre_team, context)],
        )

    async def _engagements(self, team: str) -> list[Engagement]:
        """What may still go on of a team's engagements, all that is stored considered."""
        await all_applied(self.resources, ENGAGEMENTS, SERVICES)
        found = await self.resources.views.read(open_engagements_of, team)
        loaded = [await self.resources.handler.load(ENGAGEMENT, engagement) for engagement in found]
        return [each.state for each in loaded if each.state is not None]

    async def _left_over(self, team: str, heir: str, context: Context) -> None:
        """Let *heir* have what became the team's after it was looked up what it owns."""
        read = self.resources.views.read
        owned = await read(owned_by, team)
        for service in dict.fromkeys((*owned, *(await read(with_code_of, team) if heir else ()))):
            command = (
                HandOver(service=service, from_team=team, to_team=heir, at=context.at)
                if heir
                else Change(service=service, display_name=None, owner_team="", tier=None, at=context.at)
            )
            with suppress(ServiceUnsupportedError):  # it has come to its end meanwhile
                await self.resources.handler.handle(SERVICE, service, command, context.part(f"left-over/{service}"))


def _passed_on(
    services: tuple[str, ...], state: Engagement, engagement: str, sre_team: str, context: Context
) -> list[Step[Any, Any, Any]]:
    """What lets each service go on in *engagement*."""
    by, at = context.metadata.actor, context.at
    former = state.engagement
    return [
        Step(
            SERVICE,
            service,
            PassOn(service=service, former=former, engagement=engagement, sre_team=sre_team, by=by, at=at),
        )
        for service in services
    ]
