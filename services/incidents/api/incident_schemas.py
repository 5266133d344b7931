"""What is sent to and answered by incidents: one incident looks the same alone and in a list."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field, StrictBool, field_validator

from libs.web.schemas import Body, Line, Moment, Name, example, never_null
from services.incidents.api.schemas import Label, Reference, Why, of_row
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.incident.alerting import MOST_NAMED
from services.incidents.domain.incident.state import Active, Details, Incident, Known, Merged, Record
from services.incidents.domain.incident.terms import Affected, Priority, Relation, Role, Severity, Stage, Value

MOST_ALERTS: Final = 50  # in an answer; after a storm an incident has thousands, and GET /v1/alerts pages through them
IncidentState = Literal["triage", "active", "mitigated", "resolved", "closed", "cancelled", "merged"]
Share = Annotated[float, Field(ge=0, le=1, description="Of the service's users, 0 to 1.")]
MOST_TAGS: Final = 20
Tags = Annotated[tuple[Label, ...], Field(max_length=MOST_TAGS)]
FieldValue = Annotated[str, Field(max_length=1_000)] | StrictBool | float
_EMPTY: Final[Mapping[str, object]] = {"title": "", "priority": "", "customer_facing": False, "test": False}
Fields = Annotated[dict[Label, FieldValue], Field(max_length=50)]


class AffectedService(Body):
    """A service beside the incident's own that users feel it in; times default to the incident's."""

    service: Name
    users_share: Share | None = None
    since: Moment | None = None
    until: Moment | None = None


class Affecting(Why):
    """Of how many of the service's users, since when and until when they feel it; times default to the incident's."""

    model_config = example(users_share=0.2, reason="support says so")

    users_share: Share | None = None
    since: Moment | None = None
    until: Moment | None = None


class Resolution(Why):
    """Why it is over; *force* goes ahead while alerts fire or fields are empty, and needs a reason."""

    model_config = example(force=True, reason="the alert needs an hour to see that it is over")

    force: StrictBool = False


class Classification(Why):
    """Of what class of outage it is: the word that others of its kind have, such as an antipattern's name."""

    model_config = example(outage_class="retry-storm", reason="clients retried without a limit")

    outage_class: Label


class Declaration(Why):
    """Something is wrong, or was: then it is declared with all its times, and calls nobody.

    `detected` defaults to the earliest of the times behind it, or the moment of declaring; `impact_started` to that.
    A *test* counts in no figure.
    """

    model_config = example(title="Checkout fails", service="checkout-api", severity="sev2")

    title: Line
    service: Name
    severity: Severity
    priority: Priority = ""
    impact_started: Moment | None = None
    detected: Moment | None = None
    acknowledged: Moment | None = None
    mitigated: Moment | None = None
    resolved: Moment | None = None
    customer_facing: StrictBool = False
    test: StrictBool = False
    tags: Tags = ()
    fields: Fields = Field(default_factory=dict[str, FieldValue])
    affected_services: Annotated[tuple[AffectedService, ...], Field(max_length=100)] = ()
    follows: Reference | None = Field(default=None, description="The closed incident that this one goes on where.")


class IncidentPatch(Why):
    """A merge patch (RFC 7396): a field that is null is taken away, lists are sent whole.

    One service or tag is added at `/affected-services/{service}` and `/tags/{tag}`.
    """

    model_config = example(severity="sev1", customer_facing=True, reason="the shop is down, too")

    title: Line | None = None
    severity: Severity | None = None
    priority: Priority | None = None
    customer_facing: StrictBool | None = None
    test: StrictBool | None = None
    tags: Tags | None = None
    fields: Annotated[dict[Label, FieldValue | None], Field(max_length=50)] | None = None
    affected_services: Annotated[tuple[AffectedService, ...], Field(max_length=100)] | None = None

    _stays = field_validator("title", "severity")(never_null("an incident"))


class Merging(Why):
    """Which incident this one is a part of: its number or its id."""

    model_config = example(into="INC-42", reason="the same queue")

    into: Reference


class Splitting(Why):
    """Which of its alerts are an incident of their own, and what that one is called."""

    model_config = example(
        alerts=["019aa5f0-1c00-7b20-8a3b-5d6e7f801234"], title="Search is slow, too", reason="another cause"
    )

    alerts: Annotated[list[Reference], Field(min_length=1, max_length=MOST_NAMED)]
    title: Line
    service: Name | None = Field(default=None, description="As the incident it was a part of, unless given.")
    severity: Severity | None = Field(default=None, description="Likewise.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAnswer:
    """What an incident has to do with another."""

    relation: Relation
    incident: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentAnswer:
    """A deployment that has to do with an incident."""

    deployment: str
    service: str
    version: str
    suspected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """How many alerts an incident has."""

    total: int
    firing: int
    resolved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAnswer:
    """An incident; `stage` only while it is active, `update_due` only while one is awaited.

    `alerts` and `alerts_firing` are the newest 50, in the order in which they joined; `GET /v1/alerts?incident=INC-42`
    lists all.
    """

    id: str
    number: str
    title: str
    service: str
    severity: Severity
    priority: Priority
    state: IncidentState
    stage: Stage | None
    declared_by: str
    acknowledged_by: str
    acknowledged_implied: bool
    outage_class: str
    customer_facing: bool
    test: bool
    tags: list[str]
    fields: dict[str, Value]
    affected_services: list[Affected]
    roles: dict[Role, str]
    responders: list[str]
    alert_counts: AlertCounts
    alerts: list[str]
    alerts_firing: list[str]
    links: list[LinkAnswer]
    deployments: list[DeploymentAnswer]
    merged_into: str
    split_from: str
    update_every: str | None
    update_due: datetime | None
    update_overdue: bool
    impact_started: datetime
    detected: datetime
    declared: datetime
    acknowledged: datetime | None
    mitigated: datetime | None
    resolved: datetime | None
    closed: datetime | None


def patched(body: IncidentPatch, record: Record) -> tuple[Details | None, tuple[Affected, ...] | None]:
    """What an incident's details and affected services shall be; None: not touched."""
    sent = body.model_fields_set
    told: dict[str, Any] = {name: getattr(body, name) or empty for name, empty in _EMPTY.items() if name in sent}
    if "tags" in sent:
        told["tags"] = tuple(dict.fromkeys(body.tags or ()))
    if "fields" in sent:
        merged = {**record.details.fields, **body.fields} if body.fields is not None else {}
        told["fields"] = {name: value for name, value in merged.items() if value is not None}
    before = {name: getattr(record.details, name) for name in Details.__slots__}
    affected = affected_of(body.affected_services or ()) if "affected_services" in sent else None
    return (Details(**before | told) if told else None), affected


def affected_of(sent: Sequence[AffectedService] | None) -> tuple[Affected, ...] | None:
    """The services as the domain knows them."""
    return None if sent is None else tuple(Affected(**each.model_dump()) for each in sent)


def incident_row(row: Mapping[Any, Any]) -> IncidentAnswer:
    """The incident as a list shows it."""
    return of_row(
        IncidentAnswer,
        row,
        **_alerts(row["alerts"], row["alerts_firing"]),
        affected_services=msgspec.convert(row["affected_services"], list[Affected]),
        links=[LinkAnswer(**link) for link in row["links"]],
        deployments=[DeploymentAnswer(**each) for each in row["deployments"]],
        update_every=span(row["update_every_minutes"]),
    )


def incident_answer(incident: Incident) -> IncidentAnswer:
    """The incident as it is answered.

    Raises:
        AbsentError: There is none.
    """
    state = there(incident)
    record = state.record
    return IncidentAnswer(
        id=record.incident,
        number=record.number,
        service=record.service,
        severity=record.severity,
        state=state.name,
        stage=state.stage if isinstance(state, Active) else None,
        declared_by=record.declared_by,
        acknowledged_by=record.acknowledged_by,
        acknowledged_implied=record.acknowledged_implied,
        outage_class=record.outage_class,
        title=record.details.title,
        priority=record.details.priority,
        customer_facing=record.details.customer_facing,
        test=record.details.test,
        tags=list(record.details.tags),
        fields=dict(record.details.fields),
        affected_services=list(record.affected),
        roles={role: held.person for role, held in record.roles.items()},
        responders=list(record.responders),
        **_alerts(record.alerts, record.firing),
        links=[LinkAnswer(relation=each.relation, incident=each.incident, number=each.number) for each in record.links],
        deployments=[DeploymentAnswer(**asdict(each)) for each in record.deployments],
        merged_into=state.into if isinstance(state, Merged) else "",
        split_from=record.split_from,
        update_every=span(record.updates.every_minutes),
        update_due=record.updates.next_due,
        update_overdue=record.updates.overdue,
        **asdict(record.milestones),
    )


def _alerts(joined: Sequence[str], firing: Sequence[str]) -> dict[str, Any]:
    """How many, and the newest."""
    counts = AlertCounts(total=len(joined), firing=len(firing), resolved=len(joined) - len(firing))
    return {
        "alert_counts": counts,
        "alerts": list(joined[-MOST_ALERTS:]),
        "alerts_firing": list(firing[-MOST_ALERTS:]),
    }


def there(incident: Incident) -> Known:
    """The incident.

    Raises:
        AbsentError: There is none.
    """
    if incident is None:
        raise AbsentError("incident")
    return incident


def span(minutes: int | None) -> str | None:
    """So many minutes, as ISO 8601 writes them."""
    return None if minutes is None else f"PT{minutes}M"
