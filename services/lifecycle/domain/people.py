"""Who asks, and who may let it happen."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks; a machine never counts as the second person of an approval."""

    name: str
    is_person: bool


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may approve.

    Args:
        people: By name; empty: anybody, since no team has said who belongs to it.
        roles: What makes them so, in the policy's words.
    """

    people: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()

    def besides(self, person: str) -> "Approvers":
        """Them without *person*, who asks; anybody else, where there is nobody but that person."""
        return replace(self, people=self.people - {person})

    def include(self, actor: Actor) -> bool:
        """Whether *actor* is one of them."""
        return actor.is_person and (not self.people or actor.name in self.people)


ANYBODY = Approvers()
