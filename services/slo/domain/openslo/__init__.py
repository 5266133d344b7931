"""OpenSLO v1: what a document may hold, and which of its rules it breaks.

The rules, paths and codes are those of the OpenSLO go-sdk (`pkg/openslo/v1`), which is the reference: `decoding.py`
is what its JSON decoder does, `rules.py` are its rules, kind by kind.
"""

from services.slo.domain.openslo.decoding import KINDS, Decoded, decode
from services.slo.domain.openslo.faults import Fault, Path
from services.slo.domain.openslo.rules import validate

__all__ = ["KINDS", "Decoded", "Fault", "Path", "decode", "validate"]
