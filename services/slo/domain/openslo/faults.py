"""Where a document is wrong, and which rule it breaks."""

import re
from dataclasses import dataclass

_SHORTHAND = re.compile(r"[A-Za-z_\u0080-\U0010ffff][0-9A-Za-z_\u0080-\U0010ffff]*")  # RFC 9535, member-name-shorthand
_ESCAPES = {"'": "\\'", "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Path:
    """The way from the top of a document to one of its values: names and indexes."""

    parts: tuple[str | int, ...] = ()

    def __truediv__(self, part: str | int) -> "Path":
        return Path((*self.parts, part))

    def __str__(self) -> str:
        """As go-sdk writes it: `spec.objectives[0]`, `metadata.labels['a-b']`."""
        return "".join(map(_segment, self.parts)).removeprefix(".")

    @property
    def pointer(self) -> str:
        """As a JSON pointer (RFC 6901)."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.parts)


TOP = Path()


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule.

    Args:
        path: Where.
        code: The rule, as go-sdk calls it; empty for the one rule it gives no code.
        detail: What is expected there.
    """

    path: Path
    code: str
    detail: str


def _segment(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if _SHORTHAND.fullmatch(part):
        return f".{part}"
    escaped = "".join(_ESCAPES.get(c, f"\\u{ord(c):04X}" if c < " " else c) for c in part)
    return f"['{escaped}']"
