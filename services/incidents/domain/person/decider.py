"""A person's rules: registered > changed > erased, which is final: a label is never given to somebody else."""

from dataclasses import dataclass, replace

from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.on_call.errors import NameTakenError
from services.incidents.domain.person.commands import Change, Command, Erase, Register
from services.incidents.domain.person.events import Event, PersonChanged, PersonErased, PersonRegistered, Side


@dataclass(frozen=True, slots=True)
class Known:
    """A label; *contact* is empty once nothing personal is kept."""

    person: str
    team: str
    side: Side
    site: str
    contact: str

    @property
    def active(self) -> bool:
        """Whether they can be called."""
        return bool(self.contact)


Person = Known | None  # None: nobody has had the label


def decide(command: Command, state: Person) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such person.
        IllegalTransitionError: They were erased.
        NameTakenError: The label is somebody's, who was described otherwise.
    """
    match state, command:
        case None, Register():
            return (
                PersonRegistered(
                    person=command.person,
                    team=command.team,
                    side=command.side,
                    site=command.site,
                    contact=command.contact,
                    by=command.by,
                    reason=command.reason,
                    at=command.at,
                ),
            )
        case None, _:
            raise AbsentError("person", "/v1/people")
        case Known(), Register():
            if _said(state) == _said(command):
                return ()
            raise NameTakenError("name", f"the label {state.person!r} is taken, and is never given to somebody else")
        case Known(active=False), Erase():
            return ()
        case Known(active=False), Change():
            raise IllegalTransitionError("person", "erased", "change", ())
        case Known(), Change():
            if _said(state) == _said(command):
                return ()
            return (
                PersonChanged(
                    person=state.person,
                    team=command.team,
                    side=command.side,
                    site=command.site,
                    contact=command.contact,
                    by=command.by,
                    reason=command.reason,
                    at=command.at,
                ),
            )
        case Known(), Erase():
            return (PersonErased(person=state.person, by=command.by, reason=command.reason, at=command.at),)


def evolve(state: Person, event: Event) -> Person:
    """The state after one more fact."""
    match event:
        case PersonRegistered() | PersonChanged():
            return Known(event.person, event.team, event.side, event.site, event.contact)
        case PersonErased():
            return state and replace(state, contact="")


def _said(it: Known | Register | Change) -> tuple[str, str, str, str]:
    return it.team, it.side, it.site, it.contact
