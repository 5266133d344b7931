"""What happens to the catalogue of an installation."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.catalogs import Antipattern, Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCatalog:
    """Entries of an installation.

    Args:
        patterns: What keeps services up here.
        antipatterns: What makes them fail again and again here.
        replaces: The ids of entries of the program in whose place entries stand here.
    """

    patterns: tuple[Pattern, ...] = ()
    antipatterns: tuple[Antipattern, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogPublished:
    """From now on these entries stand beside those of the program."""

    version: int
    catalog: OwnCatalog
    reason: str
    by: str
    at: datetime


Event = CatalogPublished
