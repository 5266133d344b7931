"""OpenSLO v1: what a document may hold, which of its rules it breaks, and what is defined by it.

The rules, paths and codes are those of the OpenSLO go-sdk (`pkg/openslo/v1`), which is the reference: `decoding.py`
is what its JSON decoder does, `rules.py` are its rules, kind by kind, `checking.py` is both. What valid documents
define (`definition.py`) comes of following their references (`resolution.py`).
"""

from services.slo.domain.openslo.checking import Complain, Mode, Stage, Verdict, check
from services.slo.domain.openslo.decoding import KINDS, Decoded, decode
from services.slo.domain.openslo.definition import Definition
from services.slo.domain.openslo.faults import Fault, Path
from services.slo.domain.openslo.resolution import Catalogue, Resolved, catalogue, references, resolve
from services.slo.domain.openslo.rules import validate

__all__ = [
    "KINDS",
    "Catalogue",
    "Complain",
    "Decoded",
    "Definition",
    "Fault",
    "Mode",
    "Path",
    "Resolved",
    "Stage",
    "Verdict",
    "catalogue",
    "check",
    "decode",
    "references",
    "resolve",
    "validate",
]
