"""From plain JSON values to the fields OpenSLO v1 knows, as go-sdk's decoder does it.

What is decoded keeps only fields that hold something: null, and the zero value of a field that is no pointer in
go-sdk, are the same as absent. So `required` later means: the key is there.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.slo.domain.openslo.faults import TOP, Fault, Path

VERSION = "openslo/v1"
KINDS = ("SLO", "SLI", "DataSource", "Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")

_DURATION = re.compile(r"\s*([+-]?[0-9]+)(?![0-9])\s*(\S+)")  # what Go's Sscanf("%d%s") takes


class Duration(NamedTuple):
    """A number and its unit, not yet known to be one of v1's."""

    value: int
    unit: str


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


class UndecodableError(Exception):
    """The value is not of the type its field has."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


Unknown = list[Fault]
Read = Callable[[Any, Path, Unknown], Any]  # None: the same as absent


def decode(value: object) -> Decoded | Fault:
    """*value* as a document of one of the kinds; the first thing that is of the wrong type otherwise."""
    if not isinstance(value, dict):
        return Fault(TOP, "wrong_type", "a document must be an object")
    version, kind = value.get("apiVersion"), value.get("kind")
    if version != VERSION:
        return Fault(TOP / "apiVersion", "unsupported_version", f"must be {VERSION}, not {version!r}")
    if kind not in KINDS:
        return Fault(TOP / "kind", "unsupported_kind", f"must be one of {', '.join(KINDS)}, not {kind!r}")
    unknown: Unknown = []
    try:
        fields = _DOCUMENTS[kind](value, TOP, unknown) or {}
    except UndecodableError as error:
        return error.fault
    return Decoded(kind, fields, tuple(unknown))


def _wrong_type(path: Path, expected: str) -> UndecodableError:
    return UndecodableError(Fault(path, "wrong_type", f"must be {expected}"))


def _text(value: Any, path: Path, _: Unknown) -> str | None:  # noqa: ANN401  JSON
    if not isinstance(value, str):
        raise _wrong_type(path, "a string")
    return value or None


def _flag(value: Any, path: Path, _: Unknown) -> bool | None:  # noqa: ANN401  JSON
    if not isinstance(value, bool):
        raise _wrong_type(path, "true or false")
    return value or None


def _number(value: Any, path: Path, _: Unknown) -> float:  # noqa: ANN401  JSON
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong_type(path, "a number")
    return value


def _kind(value: Any, path: Path, _: Unknown) -> str:  # noqa: ANN401  JSON
    if value not in KINDS:
        raise UndecodableError(Fault(path, "unsupported_kind", f"must be one of {', '.join(KINDS)}"))
    return value


def _duration(value: Any, path: Path, unknown: Unknown) -> Duration | None:  # noqa: ANN401  JSON
    text = _text(value, path, unknown)
    if text is None:
        return None
    match = _DURATION.match(text)
    if match is None:
        detail = f"{text!r} is no duration: a number and one of m, h, d, w, M, Q, Y, such as 28d"
        raise UndecodableError(Fault(path, "duration", detail))
    return Duration(int(match[1]), match[2])


def _label(value: Any, path: Path, unknown: Unknown) -> list[str]:  # noqa: ANN401  JSON
    if isinstance(value, list):
        return [_text(item, path / i, unknown) or "" for i, item in enumerate(value)]
    return [_text(value, path, unknown) or ""]


def _anything(value: Any, _: Path, __: Unknown) -> Any:  # noqa: ANN401  JSON
    return value


def _any_map(value: Any, path: Path, _: Unknown) -> dict[str, Any]:  # noqa: ANN401  JSON
    if not isinstance(value, dict):
        raise _wrong_type(path, "an object")
    return value


def _pointer(read: Read) -> Read:
    """A field that is there even when all it holds is nothing."""

    def read_pointer(value: Any, path: Path, unknown: Unknown) -> Any:  # noqa: ANN401  JSON
        held = read(value, path, unknown)
        return ({} if isinstance(value, dict) else value) if held is None else held

    return read_pointer


def _map_of(read: Read) -> Read:
    def read_map(value: Any, path: Path, unknown: Unknown) -> Any:  # noqa: ANN401  JSON
        return {name: read(item, path / name, unknown) for name, item in _any_map(value, path, unknown).items()}

    return read_map


def _list_of(read: Read) -> Read:
    def read_list(value: Any, path: Path, unknown: Unknown) -> Any:  # noqa: ANN401  JSON
        if not isinstance(value, list):
            raise _wrong_type(path, "a list")
        return [{} if item is None else read(item, path / i, unknown) or {} for i, item in enumerate(value)]

    return read_list


def _struct(**fields: Read) -> Read:
    def read_struct(value: Any, path: Path, unknown: Unknown) -> dict[str, Any] | None:  # noqa: ANN401  JSON
        held: dict[str, Any] = {}
        for name, item in _any_map(value, path, unknown).items():
            read = fields.get(name)
            if read is None:
                unknown.append(
                    Fault(path / name, "unknown_field", f"OpenSLO v1 knows {', '.join(sorted(fields))} here")
                )
            elif item is not None:
                content = read(item, path / name, unknown)
                if content is not None:
                    held[name] = content
        return held or None

    return read_struct


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
    conditions=_list_of(_struct(conditionRef=_pointer(_text), kind=_kind, metadata=_METADATA, spec=_CONDITION_SPEC)),
    notificationTargets=_list_of(_struct(targetRef=_pointer(_text), kind=_kind, metadata=_METADATA, spec=_TARGET_SPEC)),
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
    alertPolicies=_list_of(_struct(alertPolicyRef=_pointer(_text), kind=_kind, metadata=_METADATA, spec=_POLICY_SPEC)),
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
