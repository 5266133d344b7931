"""What is sent and answered about people."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from libs.web.schemas import Body, Line, Moment, Name, Text, example
from services.incidents.api.schemas import left_out
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.person.decider import Known
from services.incidents.domain.person.events import Side
from services.incidents.projections.people import Contact, contact_from

Channel = Literal["email", "slack", "webhook"]
Channels = Annotated[tuple[Channel, ...], Field(max_length=3)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{3,14}$")]  # E.164
Address = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^https?://[^\s\x00-\x1f]+$")]
Zone = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]


class ContactBody(Body):
    """How somebody is reached; null, or left out: not this way."""

    email: Email | None = None
    phone: Annotated[Phone | None, Field(description="For people to call, as +49301234567.")] = None
    slack: Annotated[Address | None, Field(description="A Slack-compatible incoming webhook.")] = None
    webhook: Annotated[Address | None, Field(description="An endpoint that takes signed messages.")] = None


class PreferencesBody(Body):
    """Which channels are used, the first first; an empty list means all that are known."""

    high: Annotated[Channels, Field(description="For what pages.")] = ()
    low: Annotated[Channels, Field(description="For what can wait.")] = ()


class Absence(Body):
    """When somebody cannot be called."""

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _lasts(self) -> "Absence":
        if self.end <= self.start:
            message = "an absence ends after it starts"
            raise ValueError(message)
        return self


_CONTACT = {"email": "ana@example.com", "slack": "https://chat.example/hooks/ana"}


class RegisterPerson(Body):
    """Somebody who can be called."""

    model_config = example(
        name="ana",
        display_name="Ana",
        team="checkout",
        side="dev",
        site="berlin",
        zone="Europe/Berlin",
        contact=_CONTACT,
    )

    name: Name
    display_name: Line | None = None
    team: Name
    side: Annotated[Side, Field(description="`dev` builds the services, `sre` keeps them reliable.")]
    site: Annotated[str, Field(max_length=63, description="Where they work; people of two sites share nights.")] = ""
    zone: Zone = "UTC"
    contact: ContactBody = ContactBody()
    preferences: PreferencesBody = PreferencesBody()
    unavailability: Annotated[tuple[Absence, ...], Field(max_length=200)] = ()
    reason: Text = ""

    @property
    def personal(self) -> dict[str, Any]:
        """What goes into the row that can be erased."""
        return self.model_dump(
            mode="json", include={"display_name", "zone", "contact", "preferences", "unavailability"}
        )


class ChangePerson(Body):
    """A merge patch: what is left out stays, null empties."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"zone": "America/Chicago", "contact": {"phone": "+13125550100"}}]}
    )

    display_name: Line | None = None
    team: Annotated[Name, Field(json_schema_extra=left_out)] = ""
    side: Side = "dev"
    site: Annotated[str, Field(max_length=63)] = ""
    zone: Zone = "UTC"
    contact: ContactBody = ContactBody()
    preferences: PreferencesBody = PreferencesBody()
    unavailability: Annotated[tuple[Absence, ...], Field(max_length=200)] = ()
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class ContactAnswer:
    """How somebody is reached; empty: not this way."""

    email: str
    phone: str
    slack: str
    webhook: str


@dataclass(frozen=True, slots=True)
class Preferences:
    """Which channels are used."""

    high: tuple[str, ...]
    low: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """A person; `reachable` says whether they can be told anything at all."""

    name: str
    display_name: str
    team: str
    side: Side
    site: str
    zone: str
    active: bool
    reachable: bool
    contact: ContactAnswer
    preferences: Preferences
    unavailability: tuple[Span, ...]


def person_answer(known: Known, data: dict[str, Any]) -> PersonAnswer:
    """A person as they are answered, with what their contact row says."""
    contact = contact_from(data)
    return answered(
        known.person,
        data.get("display_name") or known.person,
        (known.team, known.side, known.site),
        data.get("zone") or "UTC",
        contact if known.active else Contact(),
        active=known.active,
    )


def answered(
    name: str, display_name: str, place: tuple[str, Side, str], zone: str, contact: Contact, *, active: bool
) -> PersonAnswer:
    """The parts of a person, put together."""
    return PersonAnswer(
        name,
        display_name,
        *place,
        zone,
        active,
        contact.reachable,
        ContactAnswer(contact.email, contact.phone, contact.slack, contact.webhook),
        Preferences(contact.high, contact.low),
        contact.unavailability,
    )
