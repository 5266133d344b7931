"""What a Prometheus API answers to a range query, or why that is no answer."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec

from services.slo.prometheus.faults import Code, Fault, SourceError, refuse
from services.slo.prometheus.indicator import Query, Values
from services.slo.prometheus.plan import Span

_SAID: Final = 300  # characters of a server's text that are passed on
_NUMBER = re.compile(r"[+-]?(NaN|Inf|\d+(\.\d+)?([eE][+-]?\d+)?)", re.ASCII)
# Of Prometheus, Thanos, Mimir and VictoriaMetrics.
_TOO_HEAVY = re.compile(r"too many samples|exceed|more than -search", re.IGNORECASE)


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    histograms: list[Any] = []


class _Data(msgspec.Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class _Answer(msgspec.Struct, rename="camel"):
    status: str
    data: _Data | None = None
    error_type: str = ""
    error: str = ""
    warnings: list[str] = []


_ANSWER = msgspec.json.Decoder(_Answer)
_SERIES = msgspec.json.Decoder(list[_Series])


def values(status: int, headers: Mapping[str, str], body: bytes, query: Query, span: Span) -> Values:
    """The value of each minute of *span* that has one.

    Raises:
        SourceError: It is no answer, or not one series.
    """
    answer = _decoded(body)
    if answer is None or status // 100 != 2 or answer.status != "success":  # noqa: PLR2004  2xx
        raise _refusal(status, headers, body, answer, query)
    if answer.warnings:
        raise refuse("source-partial", query.place, _brief("; ".join(answer.warnings)))
    _refuse_young(headers, span)
    series = _series(answer)
    if series is None:
        raise refuse("source-not-prometheus", "address", "its result is no matrix of series")
    if len(series) > 1:
        some = " and ".join(_brief(msgspec.json.encode(one.metric).decode()) for one in series[:2])
        raise refuse("query-many-series", query.place, f"gave {len(series)} series, among them {some}")
    if not series:
        return {}
    if series[0].histograms:
        raise refuse("query-histograms", query.place, "gave native histograms")
    return _minutes(series[0].values, span)


def _decoded(body: bytes) -> _Answer | None:
    try:
        return _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _series(answer: _Answer) -> list[_Series] | None:
    if answer.data is None or answer.data.result_type != "matrix":
        return None
    try:
        return _SERIES.decode(answer.data.result)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _minutes(pairs: list[tuple[float, str]], span: Span) -> Values:
    """By the minute that ends at each time."""
    found = {round(at) // 60 - 1: text for at, text in pairs if at % 60 == 0 and _NUMBER.fullmatch(text)}
    if len(found) != len(pairs) or not all(span.first <= minute < span.end for minute in found):
        detail = "its values are no numbers, or not at the times that were asked for"
        raise refuse("source-not-prometheus", "address", detail)
    return found


def _refuse_young(headers: Mapping[str, str], span: Span) -> None:
    """A minute that is not over where the samples are would be read as less than it will hold."""
    try:
        now = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return  # it tells no time
    if now.tzinfo is not None and now.timestamp() < span.end * 60:
        end = datetime.fromtimestamp(span.end * 60, UTC)
        detail = f"there it is {now.isoformat()}, before {end.isoformat()}, when the last minute asked for ends"
        raise refuse("source-clock-behind", "address", detail)


def _refusal(status: int, headers: Mapping[str, str], body: bytes, answer: _Answer | None, query: Query) -> SourceError:
    said = _brief(answer.error) if answer else ""
    match status:
        case 301 | 302 | 303 | 307 | 308:
            fault = Fault("source-redirects", "address", f"{status} to {_brief(headers.get('location', ''))}")
        case 401 | 403:
            fault = Fault("source-unauthorized", "auth", f"answered {status}")
        case 404 | 405 if answer is None:
            fault = Fault("source-not-found", "address", f"answered {status}: there is no /api/v1/query_range")
        case 400 | 422 if answer is not None:
            code: Code = "query-too-heavy" if _TOO_HEAVY.search(answer.error) else "query-refused"
            fault = Fault(code, query.place, f"{answer.error_type}: {said}")
        case 503 if answer is not None and answer.error_type in {"timeout", "canceled"}:
            fault = Fault("query-too-heavy", query.place, f"{answer.error_type}: {said}")
        case 429 | 500 | 502 | 503 | 504:
            text = f"answered {status} {HTTPStatus(status).phrase}"
            fault = Fault("source-unavailable", "address", f"{text}: {said}" if said else text)
        case _:
            kind = headers.get("content-type", "content of no type")
            detail = (
                f"answered {status} with {_brief(kind)}, which begins {_brief(body[:80].decode(errors='replace'))!r}"
            )
            fault = Fault("source-not-prometheus", "address", detail)
    return SourceError(fault, _retry_after_s(headers))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _brief(text: str) -> str:
    """One printable line of bounded length."""
    line = "".join(character if character.isprintable() else " " for character in text[: _SAID + 1]).strip()
    return line if len(line) <= _SAID else f"{line[:_SAID]} ..."
