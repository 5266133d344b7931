"""The reader of OpenSLO texts, under the name the routes know."""

from services.slo.documents import MOST_BYTES, UnreadableError, read_documents

__all__ = ["MOST_BYTES", "UnreadableError", "read_documents"]
