"""What can be asked of a document of another catalogue."""

from dataclasses import dataclass

from services.lifecycle.domain.catalog_entity.events import EntityImported


@dataclass(frozen=True, slots=True)
class Import:
    """Keep the document; the same content again changes nothing."""

    what: EntityImported


Command = Import
