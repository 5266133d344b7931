"""No sequence of commands breaks what an incident promises, and none that is sent twice changes it twice."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from libs.events import codec
from services.incidents.contract import CONTRACT, INCIDENT
from services.incidents.domain.errors import IncidentsError
from services.incidents.domain.incident import commands as of
from services.incidents.domain.incident import work_commands as of_work
from services.incidents.domain.incident.state import Details, Final, Incident, Known, Open
from services.incidents.domain.incident.terms import Affected
from services.incidents.domain.milestones import MILESTONES
from services.incidents.effects import incident_effects

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
PEOPLE = st.sampled_from(["ana", "bo", "cy"])
ALERTS = st.sampled_from(["a1", "a2", "a3"])
ROLES = st.sampled_from(["incident_commander", "operations"])
MOVES = st.sampled_from(
    [
        of.Acknowledge,
        of.Investigate,
        of.Identify,
        of.Monitor,
        of.Mitigate,
        of.Close,
        of.Cancel,
        of.Reopen,
        of.AcknowledgeAlert,
    ]
)


class AnIncident(RuleBasedStateMachine):
    """An incident, its log, and a clock that is set back now and then."""

    state: Incident
    log: list[Any]
    at: datetime
    final: Known | None

    @initialize(alert=st.sampled_from(["", "a1"]), by=PEOPLE)
    def declare(self, alert: str, by: str) -> None:
        self.state, self.log, self.at, self.final = None, [], START, None
        said: dict[str, Any] = {"incident": "i1", "number": "INC-1", "service": "s", "severity": "sev2", "title": "x"}
        group = "g" if alert else ""
        self.send(lambda _: of.Declare(**said, by=by, at=self.at, alert=alert, group=group), by)

    def send(self, made: Callable[[dict[str, Any]], Any], by: str) -> None:
        """Send what *made* makes of who, why and when; twice."""
        command = made({"by": by, "reason": "because", "at": self.at})
        try:
            events = INCIDENT.decide(command, self.state)
        except IncidentsError:
            return
        if isinstance(self.state, Final):
            self.final = self.state
        self.state = INCIDENT.fold(self.state, events)
        self.log += events
        incident_effects(self.state, events)
        if not isinstance(command, of_work.PostUpdate):
            with suppress(IncidentsError):  # what is refused changes nothing either
                assert INCIDENT.decide(command, self.state) == ()

    @rule(minutes=st.integers(-5, 60))
    def time_passes(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @rule(move=MOVES, by=PEOPLE)
    def move(self, move: type[Any], by: str) -> None:
        self.send(lambda asked: move(**asked), by)

    @rule(force=st.booleans(), by=PEOPLE)
    def resolve(self, force: bool, by: str) -> None:  # noqa: FBT001  hypothesis calls it
        self.send(lambda asked: of.Resolve(**asked, force=force), by)

    @rule(alert=ALERTS, by=PEOPLE, joins=st.booleans())
    def alert(self, alert: str, by: str, joins: bool) -> None:  # noqa: FBT001  likewise
        command = of.JoinAlert if joins else of.ClearAlert
        self.send(lambda asked: command(**asked, alert=alert), by)

    @rule(by=PEOPLE, alert=ALERTS)
    def split(self, by: str, alert: str) -> None:
        self.send(lambda asked: of.Split(**asked, into=f"of-{alert}", into_number="INC-7", alerts=(alert,)), by)

    @rule(by=PEOPLE, minutes=st.integers(-60, 60), alert=ALERTS)
    def absorb(self, by: str, minutes: int, alert: str) -> None:
        began = min(self.at, START + timedelta(minutes=minutes))
        other = {"other": f"i-{alert}", "other_number": "INC-5", "alerts": (alert,), "firing": (alert,)}
        self.send(lambda asked: of.Absorb(**asked, **other, impact_started=began, detected=began), by)

    @rule(by=PEOPLE)
    def merge(self, by: str) -> None:
        self.send(lambda asked: of.MergeInto(**asked, into="i2", into_number="INC-2"), by)

    @rule(by=PEOPLE, severity=st.sampled_from(["sev1", "sev3"]), tag=st.sampled_from(["eu", "us"]))
    def amend(self, by: str, severity: Any, tag: str) -> None:
        affected = (Affected(service="other", since=START),)
        details = Details(title="x", tags=(tag,))
        self.send(lambda asked: of_work.Amend(**asked, details=details, severity=severity, affected=affected), by)

    @rule(by=PEOPLE, role=ROLES, person=PEOPLE, step=st.integers(0, 4))
    def role(self, by: str, role: Any, person: str, step: int) -> None:
        made: list[Callable[[dict[str, Any]], Any]] = [
            lambda asked: of_work.AssumeRole(**asked, role=role, person=person, force=True),
            lambda asked: of_work.OfferRole(**asked, role=role, person=person),
            lambda asked: of_work.AcceptRole(**asked, role=role),
            lambda asked: of_work.DeclineRole(**asked, role=role),
            lambda asked: of_work.ReleaseRole(**asked, role=role),
        ]
        self.send(made[step], by)

    @rule(by=PEOPLE, every=st.sampled_from([None, 30]), posts=st.booleans())
    def tell(self, by: str, every: int | None, posts: bool) -> None:  # noqa: FBT001  likewise
        if posts:
            self.send(lambda asked: of_work.PostUpdate(**asked, text="x", audience="stakeholders"), by)
        else:
            self.send(lambda asked: of_work.SetCadence(**asked, every_minutes=every), by)

    @rule(milestone=st.sampled_from(MILESTONES), minutes=st.integers(-90, 90), by=PEOPLE)
    def correct(self, milestone: Any, minutes: int, by: str) -> None:
        times = {milestone: START + timedelta(minutes=minutes)}
        self.send(lambda asked: of.CorrectMilestones(**asked, times=times), by)

    @invariant()
    def what_is_final_stays_so(self) -> None:
        if self.final is not None:
            assert self.state is not None
            assert self.state.name == self.final.name

    @invariant()
    def what_fires_belongs_to_it_and_once(self) -> None:
        record = self.record
        assert set(record.firing) <= set(record.alerts)
        assert len(set(record.alerts)) == len(record.alerts)

    @invariant()
    def times_are_in_an_order_that_can_be(self) -> None:
        times = self.record.milestones
        assert all(times.impact_started <= at for at in self.record.reached)
        if times.resolved:
            assert times.mitigated
            assert times.mitigated <= times.resolved
        if times.closed:
            assert times.resolved
            assert times.resolved <= times.closed
        assert set(self.record.origins) == {name for name in MILESTONES if getattr(times, name) is not None}

    @invariant()
    def who_has_a_role_has_its_last_turn(self) -> None:
        record = self.record
        held = {role: turn.person for turn in record.turns if turn.until is None for role in [turn.role]}
        assert held == {role: each.person for role, each in record.roles.items()}
        assert all(each.offered_to != each.person for each in record.roles.values())

    @invariant()
    def an_update_is_awaited_only_while_it_is_open(self) -> None:
        updates = self.record.updates
        assert not updates.next_due or isinstance(self.state, Open)
        assert not updates.overdue or updates.next_due

    @invariant()
    def the_log_tells_all_of_it(self) -> None:
        again = [codec.decoder(type(event)).decode(codec.encode(event)) for event in self.log]
        assert INCIDENT.fold(None, again) == self.state
        assert all(CONTRACT.name_of(type(event)) for event in self.log)

    @property
    def record(self) -> Any:
        assert self.state is not None
        return self.state.record


TestAnIncident = AnIncident.TestCase
