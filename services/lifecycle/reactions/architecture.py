"""What is done about the architecture of a service when incidents happen to it, and when waivers end."""

from collections.abc import Sequence

from libs.events.applied import applied
from libs.events.envelope import Context, Recorded
from libs.events.reactor import Reaction
from libs.events.resources import Resources
from libs.events.store import Timer
from services.lifecycle import timetable
from services.lifecycle.contract import ARCHITECTURE, INSTALLATION, OWN_CATALOG
from services.lifecycle.domain.architecture.commands import Discover, Discovery, Lapse
from services.lifecycle.domain.architecture.decider import settled_at
from services.lifecycle.domain.architecture.policy import ArchitecturePolicy
from services.lifecycle.domain.catalogs import Antipattern, Catalogs
from services.lifecycle.domain.engagement.measures import IncidentSeen
from services.lifecycle.domain.own_catalog.decider import in_force
from services.lifecycle.projections.happenings import HAPPENINGS, seen
from services.lifecycle.reactions.heard import INCIDENTS_CLASSIFIED, IncidentClassified


def architecture_reactions(resources: Resources, policy: ArchitecturePolicy, catalogs: Catalogs) -> Sequence[Reaction]:
    """What opens a finding without anybody's command."""

    async def act(event: IncidentClassified, recorded: Recorded, context: Context) -> None:
        """A cause of the catalogue that comes back is a finding; one that was dealt with counts from then on."""
        own = (await resources.handler.load(OWN_CATALOG, INSTALLATION)).state
        antipatterns = in_force(catalogs, own).antipatterns
        entry = antipatterns.find(event.outage_class)
        if entry is None:
            return
        await applied(resources, HAPPENINGS, recorded, "incidents")
        state = (await resources.handler.load(ARCHITECTURE, event.service)).state
        since = recorded.occurred_at - policy.repeated_within.span
        dealt_with = settled_at(state, entry.id, _title(entry))
        heard = await resources.views.read(
            seen, (event.service,), max(since, dealt_with or since), context.at, severe=frozenset[str]()
        )
        alike = [incident for incident in heard.incidents if antipatterns.find(incident.cause) == entry]
        if len(alike) < policy.repeated_cause.count:
            return
        discovery = Discovery(
            finding=str(context.event_id(0)),
            item=entry.id,
            title=_title(entry),
            text=_text(entry, alike, policy),
            severity=policy.came_back.severity,
            source="incidents",
        )
        command = Discover(
            service=event.service, review="", discoveries=(discovery,), by=context.metadata.actor, at=context.at
        )
        await resources.handler.handle(ARCHITECTURE, event.service, command, context)

    return (
        Reaction(
            name="lifecycle.architecture",
            source="incidents",
            events=INCIDENTS_CLASSIFIED,
            act={IncidentClassified: act},
        ),
    )


async def architecture_waiver_lapses(resources: Resources, timer: Timer, context: Context) -> None:
    """The waiver of a finding is over."""
    service = timetable.key_of(timer)
    await resources.handler.handle(ARCHITECTURE, service, Lapse(service, context.at), context)


def _title(entry: Antipattern) -> str:
    return f"{entry.name} came back"


def _text(entry: Antipattern, alike: Sequence[IncidentSeen], policy: ArchitecturePolicy) -> str:
    numbers = ", ".join(incident.number for incident in alike)
    within = policy.repeated_within
    return (
        f"{len(alike)} incidents within {within.days} days have this cause: {numbers} ({policy.repeated_cause.source})."
        f" {entry.remedy}"
    )
