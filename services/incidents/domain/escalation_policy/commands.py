"""What can be asked of an escalation policy."""

from dataclasses import dataclass

from services.incidents.domain.asked import Asked
from services.incidents.domain.escalation_policy.steps import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePolicy(Asked):
    """Make it, under a name that was never used."""

    policy: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePolicy(Asked):
    """Have it say something else."""

    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPolicy(Asked):
    """Use it no more; *needed_by* says who still does, which refuses it."""

    needed_by: tuple[str, ...] = ()


Command = WritePolicy | ChangePolicy | EndPolicy
