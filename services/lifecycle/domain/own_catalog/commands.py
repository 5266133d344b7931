"""What can be asked of the catalogue of an installation."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.catalogs import Catalogs
from services.lifecycle.domain.own_catalog.events import OwnCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Put *catalog* in place of the version before; *based_on* is the one it was written from, if it says so."""

    catalog: OwnCatalog
    based_on: int | None
    shipped: Catalogs
    reason: str
    by: str
    at: datetime


Command = Publish
