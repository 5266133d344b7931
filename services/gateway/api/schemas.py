"""What the gateway's own routes take and answer."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from libs.web.schemas import Body, Line, Moment, Name

Kind = Literal["person", "machine"]

_NEW_KEY: JsonDict = {
    "owner": "ci",
    "owner_kind": "machine",
    "description": "deployment pipeline",
    "scopes": ["services.read", "slos.write"],
    "expires_at": "2027-11-21T10:00:00Z",
}


class NewApiKey(Body):
    """A key to make."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NEW_KEY]})

    owner: Annotated[Name, Field(description="Label of the person, or name of the machine, that it speaks for.")]
    owner_kind: Annotated[Kind, Field(description="A machine never counts as the second person of an approval.")]
    description: Annotated[Line | Literal[""], Field(description="What it is for.")] = ""
    scopes: Annotated[
        list[Annotated[str, Field(pattern=r"^(\*|[a-z][-a-z0-9]*\.(read|write))$")]],
        Field(min_length=1, max_length=100, description="`<resource>.<read|write>`, or `*` for everything."),
    ]
    expires_at: Annotated[Moment | None, Field(description="Left out: it does not expire.")] = None


class ApiKeyItem(BaseModel):
    """A key without its secret, which nobody can read again."""

    id: str
    owner: str
    owner_kind: Kind
    description: str
    scopes: list[str]
    state: Literal["valid", "expired", "revoked"]
    expires_at: datetime | None
    created_by: str
    created_at: datetime
    revoked_by: str | None = None
    revoked_at: datetime | None = None
    revoked_reason: str | None = None


class CreatedApiKey(ApiKeyItem):
    """A new key with its text."""

    key: Annotated[
        str | None,
        Field(
            description="Send it as X-API-Key. Shown once: null when a repeated Idempotency-Key replays the answer.",
            examples=["cc_0197f5d2-8f6e-7a51-b9d4-6f1c64c1b0aa_kq3..."],
        ),
    ]


class Whoami(BaseModel):
    """Whom the request's key speaks for."""

    name: str
    kind: Kind
    scopes: list[str]
    auth_method: str
    api_key: str


class SloStatus(BaseModel):
    """An SLO with the newest assessment of its budget; figures are null before the first."""

    name: str
    display_name: str
    revision: int
    target: float
    window: str
    state: str
    sli: float | None
    good: int | None
    total: int | None
    coverage: float | None
    error_budget_consumed: float | None
    error_budget_remaining: float | None
    assessed_at: datetime | None


class ErrorBudget(BaseModel):
    """Where a service stands under its error-budget policy, and whether releases are frozen."""

    policy_version: int
    in_force: Annotated[bool, Field(description="Whether both sides have signed.")]
    missing: Annotated[list[str], Field(description="The sides that have to sign the newest version.")]
    state: str
    since: datetime
    reason: str
    frozen: bool
    frozen_since: datetime | None
    budget_to_spare: bool


class OpenIncident(BaseModel):
    """An incident that still needs somebody."""

    id: str
    number: str
    title: str
    severity: str
    state: str
    declared_at: datetime
    state_since: datetime


class OverdueAction(BaseModel):
    """An action item whose day is over."""

    id: str
    title: str
    owner: str
    priority: str
    due: date
    postmortem: str
    incident: str


class OpenCheck(BaseModel):
    """A check that does not let the service through."""

    id: str
    result: str
    blocking: bool
    how_to_fix: str


class NextGate(BaseModel):
    """The gate to the next phase, as it was last evaluated; `passed` is null when it never was."""

    phase: str
    passed: bool | None = None
    evaluation: str | None = None
    policy_version: str | None = None
    evaluated_at: datetime | None = None
    open_checks: list[OpenCheck] = Field(default_factory=list[OpenCheck])


class ActiveEngagement(BaseModel):
    """The engagement that makes an SRE team work for a service."""

    id: str
    sre_team: str
    since: Annotated[datetime | None, Field(description="Since when the team works for this service.")] = None
    model: str | None = None
    state: Annotated[str | None, Field(description="active or handback_pending.")] = None
    receiver: Annotated[str | None, Field(description="Who receives the service, where it is handed back.")] = None


class OnCallNow(BaseModel):
    """Somebody who is on call for a service now; a shadow sees the pages without the duty."""

    schedule: str
    person: str
    since: datetime
    until: datetime
    layer: str
    shadow: bool


class ServiceView(BaseModel):
    """A service with everything that concerns it.

    With `as_of`, only what the lifecycle service keeps is answered, as it was known then; the other parts are null.
    """

    name: str
    version: Annotated[
        int | None, Field(description="Of the service itself, to change it: `If-Match` takes it in double quotes.")
    ]
    display_name: str
    owner_team: str | None
    tier: int | None
    phase: str
    phase_since: datetime
    grandfathered_until: datetime | None
    revives: str | None
    pending_transition: str | None
    registered_at: datetime
    sre_team: Annotated[str | None, Field(description="That of the active engagement.")]
    engagement: ActiveEngagement | None
    slos: list[SloStatus] | None
    error_budget: Annotated[ErrorBudget | None, Field(description="Null where nobody has written a policy.")]
    open_incidents: list[OpenIncident] | None
    on_call: Annotated[list[OnCallNow] | None, Field(description="Empty where nobody is.")]
    overdue_actions: list[OverdueAction] | None
    next_gate: NextGate | None
    as_of: datetime | None = None


class ServiceAtRisk(BaseModel):
    """A service that somebody should look at."""

    service: str
    reasons: list[str]


class Overview(BaseModel):
    """All services at a glance. Phases, states and severities without any are left out."""

    services: int
    services_by_phase: dict[str, int]
    slos_by_state: dict[str, int]
    services_by_error_budget: Annotated[
        dict[str, int], Field(description="Where services stand under their error-budget policies.")
    ]
    frozen_services: int
    open_incidents: int
    open_incidents_by_severity: dict[str, int]
    overdue_actions: int
    services_at_risk: Annotated[list[ServiceAtRisk], Field(description="At most 100, by name.")]


class EventItem(BaseModel):
    """Something that happened."""

    id: str
    type: str
    service: Annotated[str, Field(description="Empty when it concerns none.")]
    subject: Annotated[str, Field(description="What it happened to.", examples=["incident/0197f5d2"])]
    version: Annotated[int, Field(description="Its place among the events of the subject.")]
    at: datetime
    recorded_at: datetime
    actor: str
    summary: str
    reason: str
    data: dict[str, Any]


class AuditItem(EventItem):
    """Something that happened, with who did it through what."""

    auth_method: str
    client: Annotated[str, Field(description="Such as the id of the API key.")]
    request_id: str
    correlation_id: str
    causation_id: str
