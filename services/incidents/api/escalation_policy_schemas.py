"""What comes in and goes out of escalation policies."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import Field, StrictBool, TypeAdapter

from libs.web.schemas import Body, Line, Moment, Name, example
from services.incidents.api.schemas import Label, Why
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.escalation_policy.decider import KIND, EscalationPolicy
from services.incidents.domain.escalation_policy.steps import Content, Hours, Side, Step, Target, TargetKind, When
from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.on_call.windows import WEEKDAYS, Weekday

_ISO = TypeAdapter(timedelta)  # writes PT5M, where msgspec writes PT300S

Span = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=31), description="Such as PT5M.")]


class TargetBody(Body):
    """Whom a step calls: who is on call in a schedule, a person, or everybody of a team."""

    kind: TargetKind
    name: Label


class StepBody(Body):
    """One call; `delay` is how long it has before the next, counted from its start."""

    targets: Annotated[list[TargetBody], Field(min_length=1, max_length=20)]
    delay: Span = timedelta(minutes=5)
    when: Annotated[When, Field(description="In which hours it is taken; in others it is passed over.")] = "always"
    wait: Annotated[
        StrictBool, Field(description="Wait until somebody is on call and its hours begin, rather than pass it over.")
    ] = False

    @property
    def step(self) -> Step:
        """As the rules know it."""
        return Step(tuple(Target(each.kind, each.name) for each in self.targets), self.delay, self.when, self.wait)


class HoursBody(Body):
    """Business hours, by the clocks of a zone."""

    zone: Annotated[str, Field(max_length=64)] = "UTC"
    days: Annotated[tuple[Weekday, ...], Field(max_length=7)] = WEEKDAYS[:5]
    start: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "09:00"
    end: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "18:00"
    holidays: Annotated[tuple[date, ...], Field(max_length=366, description="Days without any.")] = ()

    @property
    def hours(self) -> Hours:
        """As the rules know them."""
        days = tuple(sorted({WEEKDAYS.index(day) for day in self.days}))
        off = tuple(sorted(set(self.holidays)))
        return Hours(self.zone, days, time.fromisoformat(self.start), time.fromisoformat(self.end), off)


_STEPS: list[Any] = [
    {"targets": [{"kind": "schedule", "name": "checkout-primary"}], "delay": "PT5M"},
    {"targets": [{"kind": "person", "name": "ana"}, {"kind": "team", "name": "checkout"}], "delay": "PT15M"},
]


class PolicyBody(Why):
    """Who is called for the incidents of a team's services, one step after the other, until somebody takes it on."""

    model_config = example(
        name="checkout", team="checkout", steps=_STEPS, repeat=2, acknowledgement_timeout="PT30M", default=True
    )

    name: Name
    display_name: Line | None = None
    team: Name
    default: Annotated[StrictBool, Field(description="For the team's services that name no other.")] = True
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=20)]
    repeat: Annotated[int, Field(ge=0, le=9, description="Extra passes.")] = 0
    acknowledgement_timeout: Span | None = None
    then: Annotated[Name | None, Field(description="The policy that goes on when all was in vain.")] = None
    hours: HoursBody = HoursBody()

    @property
    def content(self) -> Content:
        """As the rules know it."""
        return Content(
            display_name=self.display_name or self.name,
            team=self.team,
            default=self.default,
            steps=tuple(each.step for each in self.steps),
            repeat=self.repeat,
            acknowledgement_timeout=self.acknowledgement_timeout,
            then=self.then or "",
            hours=self.hours.hours,
        )


class PolicyPatch(Why):
    """A merge patch of a policy; a policy stays with its team."""

    model_config = example(repeat=3, reason="one pass was too few in the outage of May")

    display_name: Line | None = None
    default: StrictBool | None = None
    steps: Annotated[list[StepBody] | None, Field(min_length=1, max_length=20)] = None
    repeat: Annotated[int | None, Field(ge=0, le=9)] = None
    acknowledgement_timeout: Span | None = None
    then: Name | None = None
    hours: HoursBody | None = None

    def over(self, before: Content) -> Content:
        """*before* with what is named here; null takes away what may be absent."""
        named = self.model_fields_set

        def chosen(name: str, value: Any) -> Any:  # noqa: ANN401  of any field
            return value if name in named and value is not None else getattr(before, name)

        return Content(
            display_name=chosen("display_name", self.display_name),
            team=before.team,
            default=chosen("default", self.default),
            steps=chosen("steps", self.steps and tuple(each.step for each in self.steps)),
            repeat=chosen("repeat", self.repeat),
            acknowledgement_timeout=(
                self.acknowledgement_timeout if "acknowledgement_timeout" in named else before.acknowledgement_timeout
            ),
            then=(self.then or "") if "then" in named else before.then,
            hours=chosen("hours", self.hours and self.hours.hours),
        )


class ServicePolicies(Why):
    """By which policy each side of a service is paged; null: by its team's default."""

    model_config = example(dev="checkout-payments", sre=None)

    dev: Name | None = None
    sre: Name | None = None


class DryRun(Body):
    """What should be tried: an incident of this severity, declared then."""

    model_config = example(service="checkout-api", severity="sev2", at="2026-11-21T03:00:00Z")

    service: Name
    severity: Severity = "sev2"
    at: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAnswer:
    """Whom a step calls."""

    kind: TargetKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAnswer:
    """One call."""

    targets: list[TargetAnswer]
    delay: str
    when: When
    wait: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursAnswer:
    """Business hours."""

    zone: str
    days: list[Weekday]
    start: str
    end: str
    holidays: list[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAnswer:
    """An escalation policy; `ended`: it is used no more."""

    name: str
    display_name: str
    team: str
    default: bool
    steps: list[StepAnswer]
    repeat: int
    acknowledgement_timeout: str | None
    then: str | None
    hours: HoursAnswer
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyItem:
    """An escalation policy in a list; `services` name it, `targets` are all that its steps call."""

    name: str
    display_name: str
    team: str
    default: bool
    ended: bool
    targets: list[str]
    services: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideAnswer:
    """Which policies a side is paged by, one after the other, and why these."""

    side: Side
    team: str
    policies: list[str]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAnswer:
    """The policies that a service names; null: the default of its team."""

    service: str
    dev: str | None
    sre: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePagingAnswer:
    """Who is paged for a service now, in which order; `named` is what it says itself."""

    service: str
    phase: str
    dev: str | None
    sre: str | None
    quiet: bool
    why: str
    sides: list[SideAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswer:
    """Somebody who would be called, or a step that would be passed over (`person` is empty, and `why` says it)."""

    at: datetime
    round: int
    side: Side | None
    policy: str
    step: int
    person: str
    schedule: str
    shift: str
    channels: list[str]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunAnswer:
    """Who would be called when, if nobody took it on; `unassigned`: nobody at all."""

    service: str
    severity: Severity
    at: datetime
    quiet: bool
    why: str
    unassigned: bool
    told: list[str]
    calls: list[CallAnswer]


def policy_answer(policy: EscalationPolicy) -> PolicyAnswer:
    """The policy as it is answered.

    Raises:
        AbsentError: There is none.
    """
    if policy is None:
        raise AbsentError(KIND, "/v1/escalation-policies")
    content = policy.content
    hours = content.hours
    return PolicyAnswer(
        name=policy.name,
        display_name=content.display_name,
        team=content.team,
        default=content.default,
        steps=[
            StepAnswer(
                targets=[TargetAnswer(kind=target.kind, name=target.name) for target in step.targets],
                delay=_iso(step.delay),
                when=step.when,
                wait=step.wait,
            )
            for step in content.steps
        ],
        repeat=content.repeat,
        acknowledgement_timeout=_iso(content.acknowledgement_timeout) if content.acknowledgement_timeout else None,
        then=content.then or None,
        hours=HoursAnswer(
            zone=hours.zone,
            days=[WEEKDAYS[day] for day in hours.days],
            start=f"{hours.begin:%H:%M}",
            end=f"{hours.end:%H:%M}",
            holidays=list(hours.holidays),
        ),
        ended=policy.ended,
    )


def _iso(span: timedelta) -> str:
    text: str = _ISO.dump_python(span, mode="json")
    return text
