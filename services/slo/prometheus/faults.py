"""What can be wrong with a source, a query or a minute of it: each has a code, a place and a remedy."""

from dataclasses import dataclass
from typing import Final, Literal

Code = Literal[
    # the source
    "secret-missing",
    "source-tls-settings",
    "source-not-allowed",
    "source-unreachable",
    "source-untrusted",
    "source-timeout",
    "source-unauthorized",
    "source-redirects",
    "source-not-found",
    "source-not-prometheus",
    "source-unavailable",
    "source-partial",
    "source-clock-behind",
    # a query
    "indicator-not-polled",
    "query-not-promql",
    "query-not-a-counter",
    "query-refused",
    "query-too-heavy",
    "answer-too-large",
    "query-many-series",
    "query-histograms",
    # a minute
    "count-missing",
    "count-nan",
    "count-infinite",
    "count-negative",
    "count-not-whole",
    "count-too-large",
    "good-exceeds-total",
    "ratio-out-of-range",
    "ratio-too-fine",
    "value-nan",
]

REMEDIES: Final[dict[Code, str]] = {
    "secret-missing": "put the secret where the service reads secrets, or correct its name in the source",
    "source-tls-settings": "give PEM files that fit: authorities, a certificate and its own key, without a passphrase",
    "source-not-allowed": "add its host to the setting CONCORDAT_SOURCE_HOSTS, or correct the address",
    "source-unreachable": "check the address, the network and whether the server runs",
    "source-untrusted": "name the server's authority in tls.ca, or the right host in address",
    "source-timeout": "look at how busy the server is, simplify the query with a recording rule, or raise timeout_s",
    "source-unauthorized": "check auth: the secret's content, the user and what it may read",
    "source-redirects": "give the final address; redirects are not followed, since credentials would travel along",
    "source-not-found": "give the address up to where /api/v1 begins, with its path prefix if it has one",
    "source-not-prometheus": "give the address of the Prometheus API itself, not of a page or a login in front of it",
    "source-unavailable": "nothing to do if it passes: it is asked again; otherwise look at the server",
    "source-partial": "mend what the warning names, often a store that is down; a part of the answer counts too little",
    "source-clock-behind": "synchronise the clocks of the server and of this service",
    "indicator-not-polled": "give a ratioMetric (total and good or bad, or raw) or a thresholdMetric, with spec.query",
    "query-not-promql": "correct it; PromQL newer than the parser goes with counter: false, long parts with rules",
    "query-not-a-counter": (
        "give counters, bare with counter: true or under rate or increase, summed, added, subtracted or with "
        "`or vector(0)`, without offset or @; anything else must give the count of a minute itself, with counter: false"
    ),
    "query-refused": "correct the query as the server says; try it in the server's own page",
    "query-too-heavy": "record it with a rule and query that, or raise the server's limits",
    "answer-too-large": "make the query return one series; sum over its labels",
    "query-many-series": "make the query return one series: put sum(...) around it",
    "query-histograms": "take a number out of it: histogram_count(...) or histogram_fraction(...)",
    "count-missing": "if no series means that none happened, append `or vector(0)` to this query",
    "count-nan": "find what divides zero by zero; a minute that counts nothing is 0",
    "count-infinite": "find what divides by zero",
    "count-negative": "give the counter itself with counter: true; a difference of counters falls at every restart",
    "count-not-whole": (
        "give the counter itself with counter: true, so that events are counted; nothing is rounded here"
    ),
    "count-too-large": "check the query's unit; a minute holds at most 2^40 events",
    "good-exceeds-total": "make the series of good (or bad) a part of those of total",
    "ratio-out-of-range": "a ratio lies from 0 to 1; divide a percentage by 100",
    "value-nan": "find what divides zero by zero; to call such a minute absent, ask for `(<query>) >= -Inf`",
    "ratio-too-fine": "say how exact it is to be: round(<query>, 0.000001); nothing is rounded here",
}

PASSING: Final[frozenset[Code]] = frozenset({"source-unreachable", "source-unavailable"})  # asked again at once
SHORTENED: Final[frozenset[Code]] = frozenset({"query-too-heavy", "answer-too-large", "source-timeout"})


_OF_SOURCE: Final = ("secret-", "source-")  # how codes begin that all queries of a source meet


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        code: What kind.
        place: Where: a setting of the source such as `address`, or the query's path in the SLI.
        detail: What happened.
    """

    code: Code
    place: str
    detail: str

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return REMEDIES[self.code]

    @property
    def of_source(self) -> bool:
        """Whether every query of the source meets it."""
        return self.code.startswith(_OF_SOURCE) and self.code not in SHORTENED


class SourceError(Exception):
    """A source gave nothing that can be used.

    Args:
        fault: Why.
        retry_after_s: When the server says it can be asked again.
    """

    def __init__(self, fault: Fault, retry_after_s: float | None = None) -> None:
        super().__init__(f"{fault.place}: {fault.detail} ({fault.code}); {fault.remedy}")
        self.fault, self.retry_after_s = fault, retry_after_s


def refuse(code: Code, place: str, detail: str) -> SourceError:
    """The error to raise."""
    return SourceError(Fault(code, place, detail))
