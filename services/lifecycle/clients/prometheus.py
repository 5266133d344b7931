"""A range query of a Prometheus API: one answer, bounded in time and size, no redirects."""

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S: Final = 20.0
_LARGEST_B: Final = 4 * 1024 * 1024  # 11,000 points of one series are under 0.5 MiB
_SAID: Final = 300  # characters of a server's text that are passed on
MOST_POINTS: Final = 11_000  # of one series, as Prometheus limits it


class Sample(NamedTuple):
    """The value of a series at a time."""

    at: datetime
    value: float


class RangeQueryError(Exception):
    """There is no usable answer; the text says why, and how to mend it."""


class _Series(msgspec.Struct):
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class _Answer(msgspec.Struct, rename="camel"):
    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] = []


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_MATRIX: Final = msgspec.json.Decoder(list[_Series])


class Asker(NamedTuple):
    """How to show who asks: a user's name and password, or a token where there is no name."""

    username: str
    secret: str


async def range_query(
    address: str, query: str, since: datetime, until: datetime, step_s: int, asker: Asker | None = None
) -> Sequence[Sample]:
    """The values of the one series that *query* gives; what is no number is left out.

    Raises:
        RangeQueryError: Nothing came, or not that.
    """
    import httpx  # noqa: PLC0415  the app starts without it, and most never ask

    headers, auth = {"accept-encoding": "identity"}, None
    if asker and asker.username:
        auth = httpx.BasicAuth(asker.username, asker.secret)
    elif asker:
        headers["authorization"] = f"Bearer {asker.secret}"
    form = {
        "query": query,
        "start": f"{since.timestamp():.3f}",
        "end": f"{until.timestamp():.3f}",
        "step": str(step_s),
        "timeout": f"{_TIMEOUT_S:g}s",
    }
    try:
        async with (
            asyncio.timeout(_TIMEOUT_S),
            httpx.AsyncClient(
                base_url=address, timeout=_TIMEOUT_S, trust_env=False, headers=headers, auth=auth
            ) as http,
            http.stream("POST", "api/v1/query_range", data=form) as response,
        ):
            body = await _bounded(response)
    except (TimeoutError, httpx.TimeoutException) as error:
        msg = f"no answer within {_TIMEOUT_S:g} s; ask for less, or for larger steps"
        raise RangeQueryError(msg) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        msg = f"it cannot be reached: {type(error).__name__}; check the address"
        raise RangeQueryError(msg) from error
    return read_answer(response.status_code, body)


def read_answer(status: int, body: bytes) -> Sequence[Sample]:
    """The values of the one series in an answer; what is no number is left out.

    Raises:
        RangeQueryError: It is no answer, or not one series.
    """
    return _samples(_matrix(status, body))


async def _bounded(response: "httpx.Response") -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST_B:
            msg = f"the answer is larger than {_LARGEST_B} bytes; make the query return one series"
            raise RangeQueryError(msg)
    return bytes(body)


def _matrix(status: int, body: bytes) -> list[_Series]:
    if status in {401, 403}:
        msg = f"it answered {status}: it does not let us ask; check auth: the secret's content, and what it may read"
        raise RangeQueryError(msg)
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"it answered {status}, and no Prometheus API does; check the address"
        raise RangeQueryError(msg) from error
    if answer.status != "success" or answer.data is None:
        msg = f"it answered {status}: {_brief(answer.error)}"
        raise RangeQueryError(msg)
    if answer.data.result_type != "matrix":
        raise RangeQueryError("its result is no matrix of series; give a query of an instant vector")
    if answer.warnings:
        msg = f"a part of the answer is missing: {_brief('; '.join(answer.warnings))}"
        raise RangeQueryError(msg)
    try:
        return _MATRIX.decode(answer.data.result)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RangeQueryError("its result is no matrix of series; check the address") from error


def _samples(matrix: list[_Series]) -> Sequence[Sample]:
    if len(matrix) > 1:
        msg = f"the query gave {len(matrix)} series; put sum(...) around it"
        raise RangeQueryError(msg)
    try:
        pairs = [(datetime.fromtimestamp(at, UTC), float(text)) for series in matrix for at, text in series.values]
    except (ValueError, OverflowError, OSError) as error:
        raise RangeQueryError("its values are no numbers at times; check the address") from error
    samples = [Sample(at, value) for at, value in pairs if not math.isnan(value)]
    if any(math.isinf(sample.value) or sample.value < 0 for sample in samples):
        raise RangeQueryError("the query gave a demand below zero or without end; find what divides by zero")
    return samples


def _brief(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text[:_SAID])
