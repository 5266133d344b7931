"""How two teams work together: the verbs of an engagement, each on a day of the history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from libs.events.handler import NO_EFFECTS, Effects
from services.cli.demo.agenda import Agenda
from services.cli.demo.gatherings import Meeting, drafted
from services.cli.demo.organisation import TEAM
from services.cli.demo.world import World
from services.lifecycle import timetable
from services.lifecycle.config import load_agreement_templates
from services.lifecycle.contract import ENGAGEMENT, ENGAGEMENT_ITEM, GATHERING, SERVICE
from services.lifecycle.domain.engagement import commands
from services.lifecycle.domain.engagement.charter import (
    OCCASIONS,
    SIDES,
    Entry,
    GroundRule,
    Occasion,
    Part,
    Side,
    WorkingAgreement,
)
from services.lifecycle.domain.engagement.events import Ending, Links, Model
from services.lifecycle.domain.engagement.measures import MEASURED, Seen, compare, measure
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.commands import Go, Open
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.domain.engagement_item.lives import Kind
from services.lifecycle.domain.service.commands import Engage, Release

_LOOKS: Final = "timer.engagement-look"  # who measures, and who compares, as the service would write it
_COMPARES: Final = "timer.engagement-watch"


@dataclass
class Engaged:
    """An engagement; what it is asked is kept in mind, and happens in the order of time (`tell`).

    Args:
        world: The organisation.
        name: What the story calls it; its id follows from that.
        sre: The SRE team.
        dev: The development team.
        services: Which it is about.
        asked_on: The day on which development asked.
    """

    world: World
    name: str
    sre: str
    dev: str
    services: tuple[str, ...]
    asked_on: int
    items: dict[str, Kind] = field(default_factory=dict[str, Kind])

    def __post_init__(self) -> None:
        self.id = self.world.id(f"engagement {self.name}", self.world.at(self.asked_on))
        self._agenda = Agenda()

    @property
    def state(self) -> Engagement:
        """What it has come to."""
        state = self.world.lifecycle.state(ENGAGEMENT, self.id)
        if state is None:
            raise LookupError(self.name)
        return state

    def tell(self) -> None:
        """Let everything happen."""
        self._agenda.happen()

    def begin(self, day: int, model: Model, why: str) -> None:
        """Asked for, accepted after a week, active from *day* on."""
        self._do(
            commands.Request(
                **self._said("dev", self.asked_on, why),
                sre_team=self.sre,
                dev_team=self.dev,
                services=self.services,
                model=model,
                trackers=Links(f"https://tracker.example.com/{self.dev}", f"https://tracker.example.com/{self.sre}"),
            )
        )
        accepted = self._said("sre", self.asked_on + 7, "we can help here")
        self._do(commands.Accept(**accepted, speaker=self.speaker("sre")))
        activated = self._said("sre", day, "the plan is agreed")
        self._do(commands.Activate(**activated, model=model, reviews=(), series=self.world.terms.cadences))
        for service in self.services:
            engage = Engage(
                service=service,
                engagement=self.id,
                sre_team=self.sre,
                dev_team=self.dev,
                reviewed=None,
                by=self.lead("sre"),
                at=self.world.at(day),
            )
            self._tell(engage.at, SERVICE, service, engage)

    def agree(self, day: int, part: Part, *entries: Entry, acknowledged: Sequence[Side] = SIDES) -> None:
        """An edition is proposed, and the leads acknowledge it within two days."""
        self._do(commands.Propose(**self._said("sre", day), part=part, entries=entries, metrics=MEASURED))
        for later, side in enumerate(acknowledged, 1):
            self._at(self.world.at(day + later), partial(self._acknowledge, part, side, day + later))

    def usual_rules(self, day: int) -> None:
        """The ground rules that the policy suggests."""
        rules = (
            GroundRule(
                *(each.id, each.metric, "at_least" if each.comparison == "at_least" else "at_most"),
                *(each.limit, each.window_days, each.action, f"the lead of {self.sre}"),
            )
            for each in self.world.terms.ground_rules
        )
        self.agree(day, "ground_rules", *rules)

    def working_agreements(self, day: int, *occasions: Occasion, acknowledged: Sequence[Side] = SIDES) -> None:
        """Those that come with the program, of these occasions; of all unless they are named."""
        held = (each for each in load_agreement_templates().templates if each.occasion in (occasions or OCCASIONS))
        entries = (WorkingAgreement(each.id, each.occasion, each.title, each.text) for each in held)
        self.agree(day, "working_agreements", *entries, acknowledged=acknowledged)

    def change_model(self, day: int, model: Model, why: str) -> None:
        """Work together in another way."""
        self._do(commands.ChangeModel(**self._said("sre", day, why), model=model))

    def look(self, first: int, until: int) -> None:
        """Once a week ground rules are measured, and cadences looked at; each breach is answered."""
        for day in range(first, until, 7):
            self._at(self.world.at(day, 6), partial(self._look, day))

    def open(self, day: int, kind: Kind, title: str, side: Side | None = None, **more: Any) -> str:  # noqa: ANN401
        """Keep track of something; gives its id."""
        item = self.world.id(f"{self.name} {kind} {title}", self.world.at(day))
        self.items[item] = kind
        content = Content(title=title, side=side, services=self.services, **more)
        opened = Open(**self._of(item, side or "sre", day), content=content)
        self._tell(opened.at, ENGAGEMENT_ITEM, item, opened, timetable.reminding)
        return item

    def go(self, day: int, item: str, verb: str, side: Side = "sre", **more: Any) -> None:  # noqa: ANN401
        """Go on by a verb of its kind."""
        move = Go(**self._of(item, side, day), verb=verb, speaker=self.speaker(side), side=side, **more)
        self._tell(move.at, ENGAGEMENT_ITEM, item, move, timetable.reminding)

    def meet(self, day: int, meeting: Meeting) -> None:
        """Drafted from data on *day*, told by both sides, held a week later."""
        self._at(self.world.at(day, 8), partial(self._meet, day, meeting))

    def hand_back(self, day: int, why: str, re_entry: tuple[str, ...]) -> int:
        """The list is settled line by line, in three weeks; gives the day on which the services were given."""
        items, given = self.world.terms.checklist(self.world.at(day)), day + 22
        start = commands.StartHandback(**self._said("sre", day, why), receiver=self.dev, items=items)
        self._do(start)
        for place, item in enumerate(items):
            said = self._said("dev", day + 4 + place if item.not_before is None else day + 15)
            evidence = f"https://wiki.example.com/{self.name}/{item.id}"
            settle = commands.Settle(**said, item=item.id, applies=True, evidence=evidence, speaker=self.speaker("dev"))
            self._do(settle)
        watch = self.world.terms.watch_days.days
        gave = commands.HandBack(**self._said("sre", given, why), re_entry=re_entry, watch=watch)
        self._do(gave, timetable.watching)
        for service in self.services:
            release = Release(service=service, engagement=self.id, by=gave.by, at=gave.at)
            self._tell(release.at, SERVICE, service, release)
        self._at(gave.at + watch, partial(self._compare, gave.at))
        return given

    def end(self, day: int, ending: Ending, why: str) -> None:
        """It is over for good."""
        watch = self.world.terms.watch_days.days
        self._do(commands.Disengage(**self._said("sre", day, why), ending=ending, watch=watch))

    def goes_on(self) -> None:
        """It will be looked at every day from tomorrow on."""
        timer = timetable.look(self.id, self.world.today + timedelta(days=1, hours=6))
        self.world.lifecycle.wait_for(timer, self.world.today)

    def lead(self, side: Side) -> str:
        """Who speaks for that side."""
        return TEAM[self.dev if side == "dev" else self.sre].lead

    def speaker(self, side: Side) -> commands.Speaker:
        """The same, as commands have it."""
        lead, team = self.lead(side), self.dev if side == "dev" else self.sre
        return commands.Speaker(lead, is_person=True, team=team, speakers=frozenset({lead}))

    def seen(self, days: float, at: datetime) -> Seen:
        """What was heard in so many days until *at*."""
        return self.world.seen(self.sre, self.services, at - timedelta(days=days), at)

    def _acknowledge(self, part: Part, side: Side, day: int) -> None:
        newest = self.state.chapter(part).newest
        self._do(
            commands.Acknowledge(
                **self._said(side, day),
                part=part,
                version=newest.version if newest else 0,
                side=side,
                speaker=self.speaker(side),
            )
        )

    def _look(self, day: int) -> None:
        if not self.state.works:
            return
        at, known = self.world.at(day, 6), len(self.state.breaches)
        measured = measure(self.state.rules, partial(self.seen, at=at))
        look = commands.Look(engagement=self.id, by=_LOOKS, at=at, measured=measured)
        self.world.lifecycle.tell(ENGAGEMENT, self.id, look, at=at, by=_LOOKS)
        for breach in self.state.breaches[known:]:
            engineers = TEAM[self.dev].people[1:3]
            answer = commands.Answer(
                **self._said("sre", day + 2, "agreed by both leads"),
                breach=breach.key,
                step="named_engineers",
                engineers=engineers,
                is_person=True,
            )
            self._do(answer)
            outcome = f"{' and '.join(engineers)} repaired what caused most of it"
            self._do(commands.CloseBreach(**self._said("dev", day + 20), breach=breach.key, outcome=outcome))

    def _meet(self, day: int, meeting: Meeting) -> None:
        state, lifecycle = self.state, self.world.lifecycle
        gathering = self.world.id(f"{self.name} {meeting.series} {day}", self.world.at(day, 8))
        leads: dict[Side, commands.Speaker] = {side: self.speaker(side) for side in SIDES}
        for at, command in drafted(self.world, state, gathering, day, meeting, self.items, leads):
            lifecycle.tell(GATHERING, gathering, command, at=at, by=command.by)
        self._do(commands.Hold(**self._said("sre", day + 7, hour=14), series=meeting.series, gathering=gathering))

    def _compare(self, end: datetime) -> None:
        watch = self.world.terms.watch_days.value
        figures = compare(self.seen(watch, end), self.seen(watch, end + timedelta(days=watch)))
        at = end + timedelta(days=watch, minutes=1)
        ended = commands.EndWatch(engagement=self.id, by=_COMPARES, at=at, figures=figures)
        self._do(ended, Effects(cancel=(f"{timetable.WATCHING}/{self.id}",)))

    def _said(self, side: Side, day: float, reason: str = "", hour: float = 9) -> dict[str, Any]:
        return {"engagement": self.id, "by": self.lead(side), "reason": reason, "at": self.world.at(day, hour)}

    def _of(self, item: str, side: Side, day: int) -> dict[str, Any]:
        at = self.world.at(day, 10)
        return {"item": item, "engagement": self.id, "kind": self.items[item], "by": self.lead(side), "at": at}

    def _do(self, command: commands.Command, effects: Any = NO_EFFECTS) -> None:  # noqa: ANN401  as in `tell`
        self._tell(command.at, ENGAGEMENT, self.id, command, effects)

    def _tell(self, at: datetime, decider: Any, key: str, command: Any, effects: Any = NO_EFFECTS) -> None:  # noqa: ANN401
        tell = partial(self.world.lifecycle.tell, decider, key, command, at=at, by=command.by, effects=effects)
        self._at(at, tell)

    def _at(self, at: datetime, act: Callable[[], Any]) -> None:
        self._agenda.at(at, act)
