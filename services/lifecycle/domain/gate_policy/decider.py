"""The rules of gate policies: a version is published once, and never changes."""

from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.gate_policy.commands import Command
from services.lifecycle.domain.gate_policy.events import Event, GatePolicyPublished

GatePolicies = tuple[GatePolicyPublished, ...]  # the oldest first


class VersionTakenError(LifecycleError):
    """Another policy bears this version."""

    def __init__(self, version: str) -> None:
        super().__init__(f"version {version!r} stands for another policy; give this one a version of its own")
        self.version = version


def decide(command: Command, state: GatePolicies) -> tuple[Event, ...]:
    """The facts *command* produces; none if the policy is in force already.

    Raises:
        VersionTakenError: Another policy bears its version.
    """
    policy = command.policy
    in_force = state[-1].policy if state else command.shipped
    if policy == in_force:
        return ()
    if policy.version in {command.shipped.version, *(each.version for each in state)}:
        raise VersionTakenError(policy.version)
    return (GatePolicyPublished(policy.version, in_force.version, policy, command.reason, command.by, command.at),)


def evolve(state: GatePolicies, event: Event) -> GatePolicies:
    """The policies after one more fact."""
    return (*state, event)
