"""The catalogue of an installation as YAML: entries as in the catalogues of the program."""

from dataclasses import dataclass
from typing import ClassVar

import msgspec
from pydantic import TypeAdapter

from libs.web.documents import write_documents
from libs.web.shapes import read_shaped
from services.lifecycle.domain.own_catalog.events import CatalogPublished, OwnCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogDocument(OwnCatalog):
    """Entries of an installation; *version* is the one that they were written from."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    version: int | None = None

    @property
    def catalog(self) -> OwnCatalog:
        """What it holds."""
        return OwnCatalog(patterns=self.patterns, antipatterns=self.antipatterns, replaces=self.replaces)


def read_catalog(text: bytes) -> CatalogDocument:
    """The catalogue in *text*, YAML or JSON.

    Raises:
        FaultyDocumentError: It has another shape; says of every fault where it is.
        UnreadableError: It is neither.
    """
    return read_shaped(text, TypeAdapter(CatalogDocument))


def write_catalog(published: CatalogPublished) -> str:
    """A version as YAML that `read_catalog` reads back as what it is."""
    return write_documents([{"version": published.version, **msgspec.to_builtins(published.catalog)}])
