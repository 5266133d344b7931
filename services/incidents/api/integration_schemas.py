"""What is sent and answered about integrations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from libs.events.projection import Row
from libs.web.schemas import Body, Line, Name, Text, example
from services.incidents.api.schemas import Why
from services.incidents.domain.alert.events import Urgency
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.integration.decider import Active, Ended, Integration
from services.incidents.domain.integration.events import Kind, Mapped, Profile, UrgencyRule
from services.incidents.projections.integrations import profile_of

MatcherText = Annotated[str, Field(min_length=1, max_length=1000)]
LabelName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$")]
Expression = Annotated[str, Field(max_length=1024)]
Words = Annotated[Mapping[str, str], Field(max_length=50)]
Window = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=7))]


class MappingBody(Body):
    """Where a sender's body says what, as JMESPath expressions; of a CloudEvent, its attributes and `data`."""

    model_config = example(
        action="state",
        dedup_key="join('/', [host, check])",
        summary="output",
        severity="level",
        labels={"host": "host"},
        actions={"DOWN": "trigger", "UP": "resolve"},
        severities={"2": "critical", "1": "warning"},
    )

    action: Expression = ""
    dedup_key: Expression = ""
    summary: Expression = ""
    severity: Expression = ""
    fired: Expression = ""
    labels: Annotated[Mapping[LabelName, Expression], Field(max_length=50)] = Field(default_factory=dict)
    actions: Words = Field(default_factory=dict)
    severities: Words = Field(default_factory=dict)

    @property
    def mapped(self) -> Mapped:
        """As the rules know it."""
        return Mapped(**self.model_dump())


class UrgencyRuleBody(Body):
    """Alerts that all matchers match are of this urgency; high pages, low waits in the queue."""

    matchers: Annotated[tuple[MatcherText, ...], Field(min_length=1, max_length=20)]
    urgency: Urgency


class ProfileBody(Body):
    """What an integration is like."""

    display_name: Line | None = None
    service_label: Annotated[LabelName | None, Field(description="The label that names the service of an alert.")] = (
        None
    )
    group_by: Annotated[
        tuple[LabelName, ...] | None,
        Field(
            max_length=20,
            description="Alerts that agree in these labels share an incident; none: each its own;"
            " null: as the sender groups them, or all of a service.",
        ),
    ] = None
    group_window: Annotated[Window, Field(description="How long an incident takes further alerts; 0: while open.")] = (
        timedelta(0)
    )
    urgencies: Annotated[
        tuple[UrgencyRuleBody, ...],
        Field(max_length=50, description="The first that matches decides; else severity does."),
    ] = ()
    mapping: Annotated[MappingBody | None, Field(description="Of the kinds generic and cloudevents.")] = None


class NewIntegration(ProfileBody):
    """A sender that may send alerts of a service."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "pd", "kind": "pagerduty", "service": "checkout-api"}]}
    )

    name: Name
    kind: Kind
    service: Name
    reason: Text = ""


class ChangeIntegration(ProfileBody):
    """A merge patch: what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"group_by": ["cluster", "alertname"], "group_window": "PT1H"}]}
    )

    service: Name | None = None
    reason: Text = ""


class KeyRotation(Why):
    """Another key; the one it has stays good for *overlap*, so that senders can be changed one by one."""

    model_config = example(overlap="PT1H", reason="the key was in a log")

    overlap: Window = timedelta(0)


class MappingSample(Body):
    """A body as a sender would send it, to see what a mapping makes of it; nothing is stored."""

    model_config = example(
        sample={"host": "db-1", "check": "disk", "output": "disk full", "level": 2, "state": "DOWN"},
        mapping={"dedup_key": "join('/', [host, check])", "summary": "output"},
    )

    sample: Mapping[str, Any]
    mapping: Annotated[MappingBody | None, Field(description="Tried instead of the integration's own.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyRuleAnswer:
    """Which alerts are of which urgency."""

    matchers: tuple[str, ...]
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingAnswer:
    """Where a sender's body says what."""

    action: str
    dedup_key: str
    summary: str
    severity: str
    fired: str
    labels: Mapping[str, str]
    actions: Mapping[str, str]
    severities: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationAnswer:
    """A sender of alerts; its key is shown once, when it is made. `path` is where it sends to."""

    name: str
    kind: Kind
    state: Literal["active", "ended"]
    service: str
    display_name: str
    path: str
    service_label: str
    group_by: tuple[str, ...] | None
    group_window: timedelta
    urgencies: tuple[UrgencyRuleAnswer, ...]
    mapping: MappingAnswer | None
    made_at: datetime
    made_by: str
    rotated_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationWithKey(IntegrationAnswer):
    """An integration with its key, which is told now and never again; null when the answer is repeated.

    `routing_key` is what PagerDuty's clients call it; other senders send it as `Authorization: Bearer <key>`.
    """

    routing_key: str | None
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPreview:
    """What would be made of a body."""

    action: Literal["trigger", "acknowledge", "resolve"]
    dedup_key: str
    service: str
    summary: str
    severity: str
    urgency: Urgency | None
    group: str
    labels: Mapping[str, str]
    fired: datetime | None


def profile(body: ProfileBody, service: str) -> Profile:
    """What *body* asks for."""
    return Profile(
        service=service,
        display_name=body.display_name or "",
        service_label=body.service_label or "",
        group_by=body.group_by,
        window_s=int(body.group_window.total_seconds()),
        urgencies=tuple(UrgencyRule(rule.matchers, rule.urgency) for rule in body.urgencies),
        mapping=body.mapping.mapped if body.mapping else None,
    )


def patched(before: Profile, body: ChangeIntegration) -> Profile:
    """*before* with what *body* names in place of what it was."""
    asked = profile(body, body.service or before.service)
    fields = {"group_window": "window_s"}
    sent = {fields.get(name, name) for name in body.model_fields_set - {"reason"}}
    kept = {name: getattr(asked if name in sent else before, name) for name in Profile.__slots__}
    return Profile(**kept)


def integration_answer(state: Integration) -> IntegrationAnswer:
    """The integration as it is answered.

    Raises:
        AbsentError: There is none.
    """
    match state:
        case None:
            raise AbsentError("integration")
        case Active():
            it, ended_at = state, None
        case Ended(was=it, at=ended_at):
            pass
    return _answer(
        it.profile,
        name=it.integration,
        kind=it.kind,
        state=state.name,
        made_at=it.made_at,
        made_by=it.made_by,
        rotated_at=it.rotated_at,
        ended_at=ended_at,
    )


def integration_item(row: Row) -> IntegrationAnswer:
    """The integration in a row of the view."""
    names = ("kind", "state", "made_at", "made_by", "rotated_at", "ended_at")
    return _answer(profile_of(row), name=row["id"], **{name: row[name] for name in names})


def _answer(profile: Profile, *, name: str, kind: Kind, **more: Any) -> IntegrationAnswer:  # noqa: ANN401  the rest
    rules = tuple(UrgencyRuleAnswer(matchers=rule.matchers, urgency=rule.urgency) for rule in profile.urgencies)
    mapped = profile.mapping
    return IntegrationAnswer(
        name=name,
        kind=kind,
        service=profile.service,
        display_name=profile.display_name or name,
        path=_path(kind, name),
        service_label=profile.service_label,
        group_by=profile.group_by,
        group_window=timedelta(seconds=profile.window_s),
        urgencies=rules,
        mapping=MappingAnswer(**{each: getattr(mapped, each) for each in Mapped.__slots__}) if mapped else None,
        **more,
    )


def _path(kind: Kind, name: str) -> str:
    match kind:
        case "pagerduty":
            return "/v2/enqueue"
        case "alertmanager":
            return f"/v1/integrations/{name}/alertmanager"
        case "generic" | "cloudevents":
            return f"/v1/integrations/{name}/events"
