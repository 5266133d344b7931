"""What comes in and goes out of review templates: a document in YAML or JSON."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from libs.web.documents import read_documents, write_documents
from libs.web.problems import Place, Problem
from libs.web.schemas import Body, Name
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.review_template.checklist import Checklist, Item, Severity, require_sound
from services.lifecycle.domain.review_template.events import TemplatePublished

SHIPPED = Path(__file__).parents[2] / "templates"
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)  # what is shipped was known at any time
_SHIPPED_BY = "concordat"
_MOST_BYTES = 512 * 1024  # an event is stored whole, and may have 768 KiB

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d{1,6}(\.\d{1,6}){0,3}$")]


class AxisBody(Body):
    """A group of items."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    title: Sentence


class FrameworkSinceBody(Body):
    """A framework that does what an item asks for, from a version on."""

    framework: Name
    since: Version


class ItemBody(Body):
    """One thing that a review looks at."""

    id: Name
    axis: str
    text: Sentence
    why: Sentence
    evidence: Annotated[
        str,
        StringConstraints(pattern=r"^(link|attestation|auto:[a-z][a-z0-9_]{0,62})$"),
        Field(description="`link`, `attestation`, or `auto:` and the name of a gate's check."),
    ]
    severity: Severity
    phases: Annotated[list[Phase], Field(min_length=1)]
    minimum_tier: Annotated[int, Field(ge=1, le=4, description="The least critical tier that is asked for it.")]
    source: Sentence
    after: Annotated[list[Name], Field(default_factory=list[Name], max_length=20)]
    satisfied_by: Annotated[list[FrameworkSinceBody], Field(default_factory=list[FrameworkSinceBody], max_length=20)]


class TemplateDocument(Body):
    """A review template as it is written."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "template": "payments-readiness",
                    "title": "What payments must show",
                    "axes": [{"id": "change_management", "title": "Change management"}],
                    "items": [
                        {
                            "id": "rollback-exercised",
                            "axis": "change_management",
                            "text": "A release was rolled back, and rolled out again, within the last month.",
                            "why": "A way back that nobody has walked is a hope.",
                            "evidence": "auto:rollback_drill",
                            "severity": "blocking",
                            "phases": ["limited_availability", "general_availability"],
                            "minimum_tier": 4,
                            "source": "Kubernetes production-readiness review",
                        }
                    ],
                }
            ]
        }
    )

    template: Name
    version: Annotated[int | None, Field(default=None, ge=1, description="The version that this was written from.")]
    title: Sentence
    axes: Annotated[list[AxisBody], Field(min_length=1, max_length=50)]
    items: Annotated[list[ItemBody], Field(min_length=1, max_length=300)]

    @property
    def checklist(self) -> Checklist:
        """What it holds."""
        return msgspec.convert(self.model_dump(include={"title", "axes", "items"}, mode="json"), Checklist)


@dataclass(frozen=True, slots=True)
class TemplateSummary:
    """A review template in a list."""

    name: str
    version: int
    title: str
    items: int
    blocking: int
    shipped: bool
    published_by: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A version of a review template; `versions` are those there are, `shipped` comes with the program."""

    name: str
    version: int
    versions: tuple[int, ...]
    title: str
    items: tuple[Item, ...]
    axes: tuple[Any, ...]
    shipped: bool
    published_by: str
    published_at: datetime | None
    reason: str


def read_template(text: bytes, checks: Collection[str] | None) -> TemplateDocument:
    """The template in *text*, whose `auto:` items name some of *checks*; any, if None.

    Raises:
        Problem: It has the wrong shape; names every place.
        UnreadableError: It is no YAML or JSON.
        InvalidChecklistError: It contradicts itself; names every place.
    """
    if len(text) > _MOST_BYTES:
        detail = f"the template has {len(text)} bytes, at most {_MOST_BYTES} are read; cut it into several"
        raise Problem(413, "body-too-large", "The template is too large", detail)
    values = read_documents(text)
    if len(values) != 1:
        detail = f"there are {len(values)} documents; send one template at a time"
        raise Problem(422, "invalid-template", "One template is expected", detail, [Place(detail)])
    try:  # as JSON, since strict Python values would have to be tuples and enums already
        document = TemplateDocument.model_validate_json(json.dumps(values[0]), strict=True)
    except ValidationError as error:
        places = [Place.of_shape(found, found["loc"]) for found in error.errors()]
        detail = "; ".join(f"{place.pointer or 'the document'}: {place.detail}" for place in places[:3])
        more = f" (and {len(places) - 3} more)" if len(places) > 3 else ""  # noqa: PLR2004  as many as are said
        raise Problem(422, "invalid-template", "The template has the wrong shape", detail + more, places) from error
    require_sound(document.checklist, checks)
    return document


def write_template(published: TemplatePublished) -> str:
    """A version as YAML that `read_template` reads back as what it is."""
    plain = msgspec.to_builtins(published.checklist)
    items = [{name: value for name, value in item.items() if value != []} for item in plain["items"]]
    document = {"template": published.template, "version": published.version, **plain, "items": items}
    return write_documents([document])


@cache
def shipped_templates() -> dict[str, TemplatePublished]:
    """The templates that come with the program, by name."""
    documents = [read_template(path.read_bytes(), None) for path in sorted(SHIPPED.glob("*.yaml"))]
    return {
        document.template: TemplatePublished(
            template=document.template,
            version=document.version or 1,
            title=document.checklist.title,
            axes=document.checklist.axes,
            items=document.checklist.items,
            by=_SHIPPED_BY,
            reason="comes with the program",
            at=_BEFORE_ALL,
        )
        for document in documents
    }


def template_summary(published: TemplatePublished) -> TemplateSummary:
    """A version as a list shows it."""
    return TemplateSummary(
        name=published.template,
        version=published.version,
        title=published.title,
        items=len(published.items),
        blocking=sum(item.severity == "blocking" for item in published.items),
        shipped=published.at == _BEFORE_ALL,
        published_by=published.by,
        published_at=None if published.at == _BEFORE_ALL else published.at,
    )


def template_view(published: TemplatePublished, versions: Sequence[int]) -> TemplateView:
    """A version as it is answered."""
    return TemplateView(
        name=published.template,
        version=published.version,
        versions=tuple(versions),
        title=published.title,
        items=published.items,
        axes=published.axes,
        shipped=published.at == _BEFORE_ALL,
        published_by=published.by,
        published_at=None if published.at == _BEFORE_ALL else published.at,
        reason=published.reason,
    )
