"""Numbers that a published policy takes over from the one that comes with the program.

A policy is published whole; a later version of the program may measure what people attested until then. Rather than
leave that to attestations until somebody publishes anew, such a check goes by the numbers that come with the program,
and every answer says that it does.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from services.lifecycle.domain.policy import Number, Policy


@dataclass(frozen=True, slots=True)
class Inherited:
    """A number that a policy lacks, and the version of the one it is taken from."""

    check: str
    number: str
    value: float
    source: str
    from_version: str


def inherited(policy: Policy, shipped: Policy, measured: Mapping[str, Collection[str]]) -> tuple[Inherited, ...]:
    """What *policy* takes over from *shipped*; *measured* are the numbers that each check needs."""
    return tuple(
        Inherited(name, number, given.value, given.source, shipped.version)
        for name, number in _missing(policy, measured)
        if (given := _given(shipped, name, number)) is not None
    )


def attested_only(policy: Policy, shipped: Policy, measured: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The checks that the platform could measure, and for which neither policy has the numbers."""
    lacking = {name for name, number in _missing(policy, measured) if _given(shipped, name, number) is None}
    return tuple(sorted(lacking))


def completed(policy: Policy, shipped: Policy, measured: Mapping[str, Collection[str]]) -> Policy:
    """*policy* with the numbers it takes over, each of which says where it comes from."""
    missing: dict[str, dict[str, Number]] = {}
    for name, number in _missing(policy, measured):
        if (given := _given(shipped, name, number)) is not None:
            source = f"{given.source} (of policy {shipped.version}; {policy.version} has no such number)"
            missing.setdefault(name, {})[number] = replace(given, source=source)
    if not missing:
        return policy
    more = {
        name: replace(policy.checks[name], numbers={**policy.checks[name].numbers, **numbers})
        for name, numbers in missing.items()
    }
    return replace(policy, checks={**policy.checks, **more})


def _missing(policy: Policy, measured: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
    for name, check in sorted(policy.checks.items()):
        yield from ((name, number) for number in measured.get(name, ()) if number not in check.numbers)


def _given(shipped: Policy, name: str, number: str) -> Number | None:
    check = shipped.checks.get(name)
    return check.numbers.get(number) if check else None
