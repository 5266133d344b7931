"""What is known of a document of another catalogue."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityImported:
    """A document came in, or came in with other content.

    Args:
        ref: How its catalogue names it, such as `component:default/checkout-api`.
        kind: What it is there.
        document: All of it, as JSON text: an original that is kept, not read.
        became: What it is here, such as `service/checkout-api`; empty when nothing here corresponds.
        by: Who imported it.
        at: When.
    """

    ref: str
    kind: str
    document: str
    became: str
    by: str
    at: datetime


Event = EntityImported
