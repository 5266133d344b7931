"""From plain JSON values to the fields OpenSLO v1 knows, as go-sdk's decoder does it.

What is decoded keeps only fields that hold something: null, and the zero value of a field that is no pointer in
go-sdk, are the same as absent. So `required` later means: the key is there.

One thing differs on purpose: Go's JSON reader takes a field's name in any case; here `Name` is an unknown field.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.slo.domain.openslo.faults import TOP, Fault, Path

VERSION = "openslo/v1"
KINDS = ("SLO", "SLI", "DataSource", "Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")

UNITS = {  # minutes
    "m": 1,
    "h": 60,
    "d": 24 * 60,
    "w": 7 * 24 * 60,
    "M": 30 * 24 * 60,
    "Q": 90 * 24 * 60,
    "Y": 365 * 24 * 60,
}

_SPACE = r"\t\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Go's, without the new line
_DURATION = re.compile(rf"[{_SPACE}]*([+-]?)0*([0-9]{{1,19}})(?![0-9])[{_SPACE}]*([^{_SPACE}\n]+)")  # Sscanf("%d%s")
_INT64 = range(-(2**63), 2**63)
_LARGEST = 1.7976931348623157e308  # float64

INLINE = "inline"  # key of a decoded list item: whether it holds its object; no field of OpenSLO


class Duration(NamedTuple):
    """A number and its unit, not yet known to be one of v1's."""

    value: int
    unit: str

    @property
    def minutes(self) -> int:
        """Its length, of a valid one; as go-sdk counts them, a month has 30 days."""
        return self.value * UNITS[self.unit]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A document whose fields have the right types.

    Args:
        kind: One of `KINDS`.
        fields: What it holds.
        unknown: Fields that OpenSLO v1 does not know: faults in strict mode, warnings in lenient mode.
    """

    kind: str
    fields: dict[str, Any]
    unknown: tuple[Fault, ...]

    @property
    def name(self) -> str:
        """Of the object it describes; empty if it gives none."""
        return self.fields.get("metadata", {}).get("name", "")


@dataclass(frozen=True, slots=True)
class Notes:
    """What is found while a document is read: values of the wrong type, and unknown fields."""

    broken: list[Fault] = field(default_factory=list[Fault])
    unknown: list[Fault] = field(default_factory=list[Fault])

    def wrong_type(self, path: Path, expected: str) -> None:
        """The value at *path* is not what was *expected* there, and counts as absent."""
        self.broken.append(Fault(path, "wrong_type", f"must be {expected}"))


Read = Callable[[Any, Path, Notes], Any]  # None: the same as absent


def decode(value: object) -> Decoded | Fault:
    """*value* as a document of one of the kinds; the first thing that is of the wrong type otherwise."""
    decoded, broken = read(value)
    return decoded or broken[0]


def read(value: object) -> tuple[Decoded | None, tuple[Fault, ...]]:
    """*value* as a document of one of the kinds; or None and every place where it is of the wrong type."""
    if not isinstance(value, dict):
        return None, (Fault(TOP, "wrong_type", "a document must be an object"),)
    version, kind = value.get("apiVersion"), value.get("kind")
    if version != VERSION:
        detail = f"must be {VERSION}, not {version!r}"
        return None, (Fault(TOP / "apiVersion", "unsupported_version", detail),)
    if kind not in KINDS:
        detail = f"must be one of {', '.join(KINDS)}, not {kind!r}"
        return None, (Fault(TOP / "kind", "unsupported_kind", detail),)
    notes = Notes()
    fields = _DOCUMENTS[kind](value, TOP, notes) or {}
    if notes.broken:
        return None, (*notes.broken, *notes.unknown)
    return Decoded(kind, fields, tuple(notes.unknown)), ()


def _text(value: Any, path: Path, notes: Notes) -> str | None:  # noqa: ANN401  JSON
    if isinstance(value, str):
        return value or None
    return notes.wrong_type(path, "a string")


def _flag(value: Any, path: Path, notes: Notes) -> bool | None:  # noqa: ANN401  JSON
    if isinstance(value, bool):
        return value or None
    return notes.wrong_type(path, "true or false")


def _number(value: Any, path: Path, notes: Notes) -> float | None:  # noqa: ANN401  JSON
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:  # neither inf nor NaN
        return value
    return notes.wrong_type(path, "a number")


def _kind(value: Any, path: Path, notes: Notes) -> str | None:  # noqa: ANN401  JSON
    if value in KINDS:
        return value
    notes.broken.append(Fault(path, "unsupported_kind", f"must be one of {', '.join(KINDS)}"))
    return None


def _duration(value: Any, path: Path, notes: Notes) -> Duration | None:  # noqa: ANN401  JSON
    text = _text(value, path, notes)
    if text is None:
        return None
    match = _DURATION.match(text)
    if match is not None and (value := int(match[1] + match[2])) in _INT64:
        return Duration(value, match[3])
    detail = f"{text[:40]!r} is no duration: a number and one of m, h, d, w, M, Q, Y, such as 28d"
    notes.broken.append(Fault(path, "duration", detail))
    return None


def _label(value: Any, path: Path, notes: Notes) -> list[str]:  # noqa: ANN401  JSON
    if isinstance(value, list):
        return ["" if item is None else _text(item, path / i, notes) or "" for i, item in enumerate(value)]
    return [_text(value, path, notes) or ""]


def _anything(value: Any, _: Path, _notes: Notes) -> Any:  # noqa: ANN401  JSON
    return value


def _any_map(value: Any, path: Path, notes: Notes) -> dict[str, Any] | None:  # noqa: ANN401  JSON
    return value if isinstance(value, dict) else notes.wrong_type(path, "an object")


def _pointer(read: Read) -> Read:
    """A field that is there even when all it holds is nothing."""

    def read_pointer(value: Any, path: Path, notes: Notes) -> Any:  # noqa: ANN401  JSON
        held = read(value, path, notes)
        return ({} if isinstance(value, dict) else value) if held is None else held

    return read_pointer


def _map_of(read: Read) -> Read:
    def read_map(value: Any, path: Path, notes: Notes) -> Any:  # noqa: ANN401  JSON
        if not isinstance(value, dict):
            return notes.wrong_type(path, "an object")
        return {name: None if item is None else read(item, path / name, notes) for name, item in value.items()}

    return read_map


def _list_of(read: Read) -> Read:
    def read_list(value: Any, path: Path, notes: Notes) -> Any:  # noqa: ANN401  JSON
        if not isinstance(value, list):
            return notes.wrong_type(path, "a list")
        return [{} if item is None else read(item, path / i, notes) or {} for i, item in enumerate(value)]

    return read_list


def _struct(**fields: Read) -> Read:
    def read_struct(value: Any, path: Path, notes: Notes) -> dict[str, Any] | None:  # noqa: ANN401  JSON
        if not isinstance(value, dict):
            return notes.wrong_type(path, "an object")
        held: dict[str, Any] = {}
        for name, item in value.items():
            read = fields.get(name)
            if read is None:
                detail = f"OpenSLO v1 knows {', '.join(sorted(fields))} here"
                notes.unknown.append(Fault(path / name, "unknown_field", detail))
            elif item is not None or read is _anything:
                content = read(item, path / name, notes)
                if content is not None or item is None:
                    held[name] = content
        return held or None

    return read_struct


def _inline_or_ref(ref: str, spec: Read) -> Read:
    """A list's item that names an object (`ref`), or holds it: which of the two, its keys say, whatever they hold."""
    read = _struct(**{ref: _text}, kind=_kind, metadata=_METADATA, spec=spec)

    def read_item(value: Any, path: Path, notes: Notes) -> dict[str, Any]:  # noqa: ANN401  JSON
        item = read(value, path, notes) or {}
        if isinstance(value, dict):
            item[INLINE] = any(name in value for name in ("kind", "metadata", "spec"))
            if ref in value:
                item.setdefault(ref, "")
        return item

    return read_item


_METADATA = _struct(name=_text, displayName=_text, labels=_map_of(_label), annotations=_map_of(_text))
_METRIC = _pointer(_struct(metricSource=_struct(metricSourceRef=_text, type=_text, spec=_any_map)))
_SLI_SPEC = _struct(
    description=_text,
    thresholdMetric=_METRIC,
    ratioMetric=_pointer(_struct(counter=_flag, good=_METRIC, bad=_METRIC, total=_METRIC, rawType=_text, raw=_METRIC)),
)
_INDICATOR = _pointer(_struct(metadata=_METADATA, spec=_SLI_SPEC))
_CONDITION_SPEC = _struct(
    severity=_text,
    condition=_struct(
        kind=_text, op=_text, threshold=_number, lookbackWindow=_duration, alertAfter=_pointer(_duration)
    ),
    description=_text,
)
_TARGET_SPEC = _struct(description=_text, target=_text)
_POLICY_SPEC = _struct(
    description=_text,
    alertWhenNoData=_flag,
    alertWhenBreaching=_flag,
    alertWhenResolved=_flag,
    conditions=_list_of(_inline_or_ref("conditionRef", _CONDITION_SPEC)),
    notificationTargets=_list_of(_inline_or_ref("targetRef", _TARGET_SPEC)),
)
_SLO_SPEC = _struct(
    description=_text,
    service=_text,
    indicator=_INDICATOR,
    indicatorRef=_pointer(_text),
    budgetingMethod=_text,
    timeWindow=_list_of(
        _struct(duration=_duration, isRolling=_flag, calendar=_pointer(_struct(startTime=_text, timeZone=_text)))
    ),
    objectives=_list_of(
        _struct(
            displayName=_text,
            op=_text,
            value=_number,
            target=_number,
            targetPercent=_number,
            timeSliceTarget=_number,
            timeSliceWindow=_pointer(_duration),
            indicator=_INDICATOR,
            indicatorRef=_pointer(_text),
            compositeWeight=_number,
        )
    ),
    alertPolicies=_list_of(_inline_or_ref("alertPolicyRef", _POLICY_SPEC)),
)
_SPECS: Mapping[str, Read] = {
    "SLO": _SLO_SPEC,
    "SLI": _SLI_SPEC,
    "DataSource": _struct(description=_text, type=_text, connectionDetails=_anything),
    "Service": _struct(description=_text),
    "AlertPolicy": _POLICY_SPEC,
    "AlertCondition": _CONDITION_SPEC,
    "AlertNotificationTarget": _TARGET_SPEC,
}
_DOCUMENTS = {
    kind: _struct(apiVersion=_text, kind=_kind, metadata=_METADATA, spec=spec) for kind, spec in _SPECS.items()
}
