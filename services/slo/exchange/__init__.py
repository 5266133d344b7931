"""SLO definitions of other tools in, Prometheus rules out: `generate` is the whole of it for most callers.

In: Sloth `prometheus/v1` and `sloth.slok.dev/v1`, OpenSLO v1 and v1alpha, as plain values. Out: rule files, or
`PrometheusRule` objects for the Kubernetes form, with Sloth's names and labels. `upgrade` makes OpenSLO v1 of v1alpha,
and `latency_slo` an OpenSLO v1 document of a latency target.
"""

from services.slo.exchange.generate import Options, Refusal, RefusedError, RuleFile, generate
from services.slo.exchange.latency import latency_slo
from services.slo.exchange.output import to_yaml
from services.slo.exchange.v1alpha import Upgrade, upgrade
from services.slo.exchange.windows import Catalogue, catalogue, minutes, read_catalogue

__all__ = [
    "Catalogue",
    "Options",
    "Refusal",
    "RefusedError",
    "RuleFile",
    "Upgrade",
    "catalogue",
    "generate",
    "latency_slo",
    "minutes",
    "read_catalogue",
    "to_yaml",
    "upgrade",
]
