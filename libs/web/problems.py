"""Problem documents: every refusal says what, where, and how to mend it (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """One thing wrong with what was sent, and the JSON pointer (RFC 6901) or parameter where it stands."""

    detail: str
    pointer: str = ""


@dataclass(slots=True)
class Problem(Exception):  # noqa: N818  RFC 9457 calls it a problem
    """A refusal on its way to the client.

    Args:
        status: HTTP status.
        code: Stable slug, also the last part of `type`; such as `gate-not-passed`.
        title: What this kind of problem is, the same for every occurrence.
        detail: What happened here, and how to mend it.
        errors: The places.
        headers: More HTTP headers, such as `Retry-After`.
        extra: More members of the document, such as the allowed transitions.
    """

    status: int
    code: str
    title: str
    detail: str
    errors: Sequence[Place] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
