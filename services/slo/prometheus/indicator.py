"""An OpenSLO indicator as queries, and their answers as counts. Nothing is rounded or clamped to make it fit."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple

from services.slo.domain.openslo.definition import Limit
from services.slo.measurements.topic import MOST, Measurement
from services.slo.prometheus.counting import asked
from services.slo.prometheus.faults import Code, Fault, refuse
from services.slo.prometheus.plan import Span

PARTS: Final = 1_000_000  # of a minute whose ratio is known and whose events are not; minutes weigh the same
_WINDOW: Final = re.compile(r"\{\{\s*\.window\s*\}\}")  # as Sloth has it; a minute here
Values = Mapping[int, str]  # minute since the epoch -> the value at its end, as Prometheus writes numbers


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL whose value at the end of a minute is about that minute.

    Args:
        text: What Prometheus is asked.
        place: Where it comes from in the SLI.
    """

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is asked, and what the answers mean.

    Args:
        kind: `good` and `bad` count events out of total; `success` and `failure` are ratios of each minute; of a
            `threshold` each minute is one event, good if the value is within the limit.
        queries: Good or bad, then total; or the ratio or the value alone.
        limit: Of a threshold.
    """

    kind: Literal["good", "bad", "success", "failure", "threshold"]
    queries: tuple[Query, ...]
    limit: Limit | None = None


class Bucket(NamedTuple):
    """The counts of a minute since the epoch."""

    minute: int
    good: int
    total: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Minutes that say the same wrong thing.

    Args:
        fault: What is wrong; its detail is about the first minute.
        first: The first minute since the epoch.
        last: The last one.
        minutes: How many; those between that are fine or absent are not counted.
    """

    fault: Fault
    first: int
    last: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source said about a span.

    Args:
        span: What was asked for.
        buckets: Minutes with counts, in order; a count of zero is one.
        refused: Minutes whose values are no counts.
        absent: How many minutes it knows nothing about.
    """

    span: Span
    buckets: Sequence[Bucket]
    refused: Sequence[Refused]
    absent: int

    def measurements(self, slo: str, source: str, revision: int) -> Iterator[Measurement]:
        """The buckets as they are published."""
        for minute, good, total in self.buckets:
            yield Measurement(slo, datetime.fromtimestamp(minute * 60, UTC), source, revision, good, total)


def indicator_of(sli: Mapping[str, Any], place: str = "spec.indicator.spec") -> Indicator:
    """The queries of the `spec` of a valid OpenSLO SLI.

    Args:
        sli: Its fields; with a `thresholdMetric` also `op` and `value` of the objective, the value as a fraction.
        place: Its path in the document; faults name places below it.

    Raises:
        SourceError: A query is missing, or counters cannot be told apart in it.
    """
    if "thresholdMetric" in sli:
        limit = Limit(sli["op"], Fraction(sli["value"]))
        return Indicator("threshold", (_query(sli, "thresholdMetric", place),), limit)
    ratio, place = sli["ratioMetric"], f"{place}.ratioMetric"
    if "raw" in ratio:
        kind = "failure" if ratio.get("rawType") == "failure" else "success"
        return Indicator(kind, (_query(ratio, "raw", place),))
    kind = "bad" if "good" not in ratio else "good"
    return Indicator(kind, tuple(_query(ratio, name, place) for name in (kind, "total")))


def _query(fields: Mapping[str, Any], name: str, place: str) -> Query:
    spec = fields.get(name, {}).get("metricSource", {}).get("spec", {})
    text, at = spec.get("query"), f"{place}.{name}.metricSource.spec.query"
    if not isinstance(text, str) or not text.strip():
        raise refuse("indicator-not-polled", at, "there is no query")
    text = _WINDOW.sub("1m", text)
    counts = name in {"good", "bad", "total"}
    return Query(asked(text, at, counter=bool(fields.get("counter"))) if counts else text, at)


def reading(indicator: Indicator, answers: Sequence[Values], span: Span) -> Reading:
    """What the *answers* to the indicator's queries amount to, minute by minute."""
    buckets: list[Bucket] = []
    wrong: list[tuple[int, Fault]] = []
    absent = 0
    for minute in range(span.first, span.end):
        texts = [answer.get(minute) for answer in answers]
        if all(text is None for text in texts):
            absent += 1
            continue
        counted = _bucket(indicator, texts)
        if isinstance(counted, Fault):
            wrong.append((minute, counted))
        else:
            buckets.append(Bucket(minute, *counted))
    return Reading(span, buckets, _gathered(wrong), absent)


def _gathered(wrong: list[tuple[int, Fault]]) -> list[Refused]:
    def kind(item: tuple[int, Fault]) -> tuple[str, str]:
        return item[1].code, item[1].place

    gathered = [list(items) for _, items in groupby(sorted(wrong, key=kind), key=kind)]
    return [Refused(items[0][1], items[0][0], items[-1][0], len(items)) for items in gathered]


def _bucket(indicator: Indicator, texts: Sequence[str | None]) -> tuple[int, int] | Fault:
    """Good and total of a minute that at least one query knows."""
    if indicator.limit is not None:
        return _judged(texts[0] or "", indicator.queries[0].place, indicator.limit)
    counts: list[int] = []
    whole = _count if len(texts) > 1 else _parts
    for query, text in zip(indicator.queries, texts, strict=True):
        count = (
            Fault("count-missing", query.place, "no series, while the other query has one") if text is None else None
        )
        count = count or whole(text or "", query.place)
        if isinstance(count, Fault):
            return count
        counts.append(count)
    part, total = counts[0], counts[-1] if len(counts) > 1 else PARTS
    if part > total:
        return Fault("good-exceeds-total", indicator.queries[0].place, f"is {part}, and total is {total}")
    return (part if indicator.kind in {"good", "success"} else total - part), total


def _count(text: str, place: str) -> int | Fault:
    """A number of events, as it is written."""
    number = _number(text, place)
    if isinstance(number, Fault):
        return number
    code: Code | None = None
    if number < 0:
        code = "count-negative"
    elif number != number.to_integral_value():
        code = "count-not-whole"
    elif number > MOST:
        code = "count-too-large"
    return Fault(code, place, f"is {text}") if code else int(number)


def _parts(text: str, place: str) -> int | Fault:
    """A ratio in parts of `PARTS`, exactly."""
    ratio = _number(text, place)
    if isinstance(ratio, Fault):
        return ratio
    if not 0 <= ratio <= 1:
        return Fault("ratio-out-of-range", place, f"is {text}")
    parts = ratio * PARTS
    if parts != parts.to_integral_value():
        return Fault("ratio-too-fine", place, f"is {text}; at most six decimals can be kept")
    return int(parts)


def _number(text: str, place: str) -> Decimal | Fault:
    number = Decimal(text)
    if number.is_nan():
        return Fault("count-nan", place, "is NaN")
    if number.is_infinite():
        return Fault("count-infinite", place, f"is {text}")
    return number


def _judged(text: str, place: str, limit: Limit) -> tuple[int, int] | Fault:
    """The minute as one event; infinity is a value that is compared, as in PromQL, and NaN is none."""
    value = Decimal(text)
    if value.is_nan():
        return Fault("value-nan", place, "is NaN")
    return int(limit.holds(value)), 1
