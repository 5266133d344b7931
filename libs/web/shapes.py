"""What a document must look like, from the types it is read into; every fault is told with its place."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from pydantic import TypeAdapter, ValidationError

from libs.web.documents import UnreadableError, read_documents
from libs.web.problems import Place

T = TypeVar("T")


class FaultyDocumentError(Exception):
    """The document cannot be used; *places* say where and why."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__("; ".join(f"{place.pointer or 'the document'}: {place.detail}" for place in places))
        self.places = tuple(places)


def read_shaped(text: bytes, shape: TypeAdapter[T]) -> T:
    """The one document in *text*, YAML or JSON, as what *shape* describes: nothing is converted, nothing passed over.

    Raises:
        FaultyDocumentError: It cannot be read, or is not like that.
    """
    try:
        documents = read_documents(text)
    except UnreadableError as error:
        raise FaultyDocumentError([Place(str(error))]) from error
    if len(documents) != 1:
        raise FaultyDocumentError([Place(f"there are {len(documents)} documents; send one")])
    try:
        return shape.validate_json(msgspec.json.encode(documents[0]), strict=True)
    except ValidationError as error:
        raise FaultyDocumentError([Place.of_shape(found, found["loc"]) for found in error.errors()]) from error
