"""What comes in."""

from typing import Annotated

from pydantic import ConfigDict, Field, HttpUrl, StrictBool, StrictFloat, StrictInt, StringConstraints

from libs.web.schemas import Body, Line, Moment, Name, Text
from services.lifecycle.api.services.catalogue_schemas import CatalogueBody
from services.lifecycle.domain.evidence.events import EvidenceOutcome
from services.lifecycle.domain.phases import Phase

Tier = Annotated[int, Field(ge=1, le=4, description="1 is the most critical.")]
StrictFigure = StrictBool | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)] | Line
EvidenceKind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class RegisterService(CatalogueBody):
    """A service to be known; a phase past the first imports it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "checkout-api", "owner_team": "checkout", "tier": 1},
                {
                    "name": "checkout-api",
                    "owner_team": "checkout",
                    "tier": 1,
                    "product": "shop",
                    "technologies": ["go", "postgres"],
                    "labels": {"region": "eu"},
                    "links": [{"title": "Runbook", "url": "https://wiki.example/runbook", "kind": "runbook"}],
                    "code": [{"repository": "https://git.example/shop", "path": "checkout/", "owner": "checkout"}],
                },
            ]
        }
    )

    name: Name
    display_name: Line | None = Field(default=None, description="The name, unless given.")
    owner_team: Name | None = Field(default=None, description="A team; needed to leave the first phase.")
    tier: Tier | None = Field(
        default=None, strict=True, description="Needed to leave the first phase; until then it counts as 1."
    )
    phase: Phase = Phase.ARCHITECTURE_AND_DESIGN
    grandfathered_until: Moment | None = Field(
        default=None,
        description="On import: until when the gates it did not pass here are advisory; unless given, for as long as"
        " the policy lets them.",
    )
    revives: Name | None = Field(default=None, description="The unsupported service that this one brings back.")


class ChangeService(CatalogueBody):
    """What may change of a service; what is left out stays, null unsets."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"owner_team": "payments", "tier": 2}]})

    display_name: Line | None = Field(default=None, description="null puts back the name.")
    owner_team: Name | None = None
    tier: Tier | None = Field(default=None, strict=True)


class RequestTransition(Body):
    """Where a service should go, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to": "active_development", "reason": "design approved"}]}
    )

    to: Phase
    reason: Annotated[Text, Field(min_length=1)]
    evaluation: str | None = Field(
        default=None, description="A stored gate evaluation; without one the gate is evaluated now."
    )


class DecideTransition(Body):
    """Why a pending transition is approved or declined."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "agreed in the service review"}]})

    reason: Text = ""


class RecordEvidence(Body):
    """Something that was done for a service, and where to see it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "design_review",
                    "at": "2026-11-20T14:00:00Z",
                    "url": "https://wiki.example/reviews/7",
                    "by": "ana",
                },
                {
                    "kind": "load_test",
                    "at": "2026-11-20T14:00:00Z",
                    "url": "https://ci.example/runs/9",
                    "figures": {"peak_ratio": 1.6},
                },
            ]
        }
    )

    kind: EvidenceKind = Field(description="Such as design_review, load_test, rollback_drill; any kind is kept.")
    at: Moment = Field(description="When it was done.")
    url: HttpUrl = Field(description="Where to see it.")
    by: Line | None = Field(default=None, description="Who did it; whoever sends it, unless given.")
    outcome: EvidenceOutcome = Field(default="passed", description="Whether it went as it should.")
    figures: Annotated[dict[EvidenceKind, StrictFigure], Field(max_length=50)] = Field(
        default_factory=dict, description="What came out, such as peak_ratio of a load test; gates judge some of them."
    )
