"""Counts from a Prometheus: good and total events per minute, read through its query API.

    indicator = indicator_of(sli["spec"])
    async with client.open_source(settings, Secrets(directory)) as source:
        async for progress, reading in read_on(source, indicator, Progress.between(since, until)):
            publish(reading.measurements(slo, "prometheus", revision))
            keep(progress)

The client is imported where a source is opened: it takes as long as all the rest of the service.
How whole counts come out of counters is told in `counting.py`, and why in decision 0011.
"""

from services.slo.prometheus.faults import REMEDIES, Fault, SourceError
from services.slo.prometheus.indicator import Bucket, Indicator, Query, Reading, Refused, indicator_of
from services.slo.prometheus.plan import Progress, Span, newest
from services.slo.prometheus.poller import Step, read_on
from services.slo.prometheus.secrets import Secrets

__all__ = [
    "REMEDIES",
    "Bucket",
    "Fault",
    "Indicator",
    "Progress",
    "Query",
    "Reading",
    "Refused",
    "Secrets",
    "SourceError",
    "Span",
    "Step",
    "indicator_of",
    "newest",
    "read_on",
]
