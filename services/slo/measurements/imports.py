"""Files of counts as measurements: CSV or JSON lines as a stream; what is wrong with a line costs that line only."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

import msgspec

from services.slo.measurements.bucket_rules import REMEDIES as OF_BUCKETS
from services.slo.measurements.bucket_rules import BucketRules, WrongBucketError, is_number
from services.slo.measurements.bucket_rules import Code as BucketCode
from services.slo.measurements.topic import Measurement

Code = BucketCode | Literal["missing-column", "not-csv", "not-json"]
REMEDIES: Final[dict[Code, str]] = {
    **OF_BUCKETS,
    "missing-column": "let the first line name start, good and total, and slo where each line names its own",
    "not-csv": "write as many fields as the first line names, without commas in them",
    "not-json": 'write an object a line, such as {"start": "2026-11-21T10:00:00Z", "good": 990, "total": 1000}',
}
_FIELDS: Final = ("start", "good", "total")
_OWN: Final = ("slo",)  # where each line names its own SLO


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that holds no measurement.

    Args:
        line: Counted from 1.
        code: What is wrong.
        field: `start`, `good` or `total`; empty for the whole line.
        detail: What it says.
    """

    line: int
    code: Code
    field: str
    detail: str

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return REMEDIES[self.code]


class Batch(NamedTuple):
    """Some lines of a file.

    Args:
        measurements: Of the lines that are fine, by their number.
        refused: The other lines.
        line: The last line read so far; reading that is interrupted may go on behind it.
    """

    measurements: dict[int, Measurement]
    refused: list[Refused]
    line: int


class _WrongError(Exception):
    def __init__(self, code: Code, field: str, detail: str) -> None:
        super().__init__(detail)
        self.code: Code = code
        self.field, self.detail = field, detail


class _Row(msgspec.Struct, gc=False):
    start: str
    good: int
    total: int
    slo: str = ""


_Parse = Callable[[str], tuple[str, str, int, int]]
_ROW = msgspec.json.Decoder(_Row)


def read_measurements(
    lines: Iterable[str], slo: str, source: str, revision: int, *, latest: datetime, size: int = 10_000
) -> Iterator[Batch]:
    """The measurements of *lines* in batches, with the refused lines named; blank lines are passed over.

    A minute that comes twice is refused the second time: which of the two is right, only the sender knows. Memory is
    one batch, and a bit for every minute between the first and the last.

    Args:
        lines: CSV with a header, or JSON lines; a byte order mark is passed over.
        slo: Whose measurements they are; empty where each line names its own SLO.
        source: Who counted.
        revision: Of its counts.
        latest: A bucket may start no later.
        size: Lines of a batch.
    """
    numbered = ((number, text) for number, line in enumerate(lines, 1) if (text := line.strip(" \t\r\n\ufeff")))
    first = next(numbered, None)
    if first is None:
        return
    if first[1].startswith("{"):
        parse = _json_rows(slo)
        numbered = chain((first,), numbered)
    else:
        try:
            parse = _csv_rows(first[1], slo)
        except _WrongError as wrong:
            yield Batch({}, [Refused(first[0], wrong.code, wrong.field, wrong.detail)], first[0])
            return
    rules: dict[str, BucketRules] = defaultdict(lambda: BucketRules(latest))
    batch = Batch({}, [], 0)
    for number, text in numbered:
        try:
            named, start, good, total = parse(text)
            at = rules[named].take(start, good, total)
        except (WrongBucketError, _WrongError) as wrong:
            batch.refused.append(Refused(number, wrong.code, wrong.field, wrong.detail))
        else:
            batch.measurements[number] = Measurement(named, at, source, revision, good, total)
        batch = batch._replace(line=number)
        if len(batch.measurements) + len(batch.refused) >= size:
            yield batch
            batch = Batch({}, [], number)
    if batch.measurements or batch.refused:
        yield batch


def _csv_rows(header: str, slo: str) -> _Parse:
    """A reader of the rows under *header*. Fields may be quoted; no field of ours holds a comma or a line's end."""
    names = [_unquoted(name) for name in header.split(",")]
    missing = [name for name in (*_FIELDS, *_OWN[: not slo]) if name not in names]
    if missing:
        raise _WrongError("missing-column", missing[0], f"there is no column {', '.join(missing)}")
    of = None if slo else names.index("slo")
    start, good, total = map(names.index, _FIELDS)

    def row(line: str) -> tuple[str, str, int, int]:
        fields = line.split(",")
        if len(fields) != len(names):
            raise _WrongError("not-csv", "", f"{len(fields)} fields under {len(names)} columns")
        named = slo if of is None else _unquoted(fields[of])
        return named, _unquoted(fields[start]), _whole("good", fields[good]), _whole("total", fields[total])

    return row


def _unquoted(field: str) -> str:
    return field.strip().removeprefix('"').removesuffix('"').strip()


def _whole(name: str, field: str) -> int:
    text = _unquoted(field)
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise _WrongError("not-whole" if is_number(text) else "not-a-number", name, f"{name} is {text[:100]!r}")
    if len(text) > 20:  # noqa: PLR2004  digits; past what any count has, and what int() would take long for
        raise _WrongError("negative" if text.startswith("-") else "too-large", name, f"{name} has {len(text)} digits")
    return int(text)


def _json_rows(slo: str) -> _Parse:
    """A reader of objects, of *slo* unless each names its own."""

    def row(line: str) -> tuple[str, str, int, int]:
        try:
            found = _ROW.decode(line)
        except msgspec.MsgspecError:
            raise _why_no_row(line) from None
        except UnicodeError as error:
            raise _WrongError("not-json", "", str(error)) from error
        if not (slo or found.slo):
            raise _WrongError("missing-column", "slo", "there is no slo")
        return slo or found.slo, found.start, found.good, found.total

    return row


def _why_no_row(line: str) -> _WrongError:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _WrongError("not-json", "", str(error)[:100])
    if not isinstance(row, dict):
        return _WrongError("not-json", "", "is no object")
    missing = [name for name in _FIELDS if name not in row]
    if missing:
        return _WrongError("missing-column", missing[0], f"there is no {', '.join(missing)}")
    if not isinstance(row["start"], str):
        return _WrongError("not-a-time", "start", f"start is {str(row['start'])[:100]}")
    if not isinstance(row.get("slo", ""), str):
        return _WrongError("unknown-slo", "slo", f"slo is {json.dumps(row['slo'])[:100]}")
    name = "total" if _is_whole(row["good"]) else "good"
    code = "not-whole" if is_number(row[name]) else "not-a-number"
    return _WrongError(code, name, f"{name} is {json.dumps(row[name])[:100]}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
