"""The rules of OpenSLO v1, kind by kind, as go-sdk has them: same paths, same codes, same order.

A rule that stops others in go-sdk (`Cascade(Stop)`) is an early return here.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.slo.domain.openslo.decoding import INLINE, UNITS, Decoded, Duration
from services.slo.domain.openslo.faults import TOP, Fault, Path

Fields = Mapping[str, Any]
Faults = Iterator[Fault]
Rule = Callable[[Any, Path], Faults]

METHODS: Final = ("Occurrences", "Timeslices", "RatioTimeslices")
OPERATORS: Final = ("gt", "lt", "gte", "lte")
_DESCRIPTION, _DISPLAY_NAME, _DNS_LABEL_LENGTH = 1050, 63, 63
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_KEY = re.compile(r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?")
_ANNOTATION_LENGTH = re.compile(r"(.{0,253}/)?.{0,63}")
_DNS_PART = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_ANNOTATION_KEY = re.compile(rf"({_DNS_PART}(\.{_DNS_PART})*/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{{0,61}}[a-zA-Z0-9])?")
_DATE_TIME = re.compile(  # what Go's time.Parse("2006-01-02 15:04:05") takes
    r"([0-9]{4})-([0-9]{2})-([0-9]{2}) +([0-9]{1,2}):([0-9]{2}):([0-9]{2})([.,][0-9]+)?"
)


def validate(document: Decoded) -> list[Fault]:
    """The rules that *document* breaks; none if it is valid. Unknown fields are not among them."""
    fields = document.fields
    faults = [*_metadata(fields, TOP)]
    spec = fields.get("spec")
    if spec is None and document.kind in {"SLO", "AlertCondition"}:
        return [*faults, _required(TOP / "spec")]
    return [*faults, *_KINDS[document.kind](spec or {}, TOP / "spec")]


def _required(path: Path) -> Fault:
    return Fault(path, "required", "is required")


def _need(fields: Fields, name: str, path: Path, rule: Rule | None = None) -> Faults:
    """The field must be there, and then keep *rule*."""
    if name not in fields:
        yield _required(path / name)
    elif rule is not None:
        yield from rule(fields[name], path / name)


def _may(fields: Fields, name: str, path: Path, rule: Rule) -> Faults:
    """The field, where it is there, keeps *rule*."""
    if name in fields:
        yield from rule(fields[name], path / name)


def _each(fields: Fields, name: str, path: Path, rule: Rule) -> Faults:
    for index, item in enumerate(fields.get(name, ())):
        yield from rule(item, path / name / index)


def _exclusive(fields: Fields, names: Collection[str], path: Path, *, required: bool) -> Faults:
    held = sorted(name for name in names if name in fields)
    if len(held) > 1:
        yield Fault(path, "mutually_exclusive", f"[{', '.join(held)}] exclude each other; give only one of them")
    elif required and not held:
        yield Fault(path, "mutually_exclusive", f"one of [{', '.join(sorted(names))}] must be given")


def _at_most(limit: int) -> Rule:
    def rule(text: str, path: Path) -> Faults:
        if len(text) > limit:
            yield Fault(path, "string_max_length", f"must have at most {limit} characters, has {len(text)}")

    return rule


def _one_of(values: Collection[object]) -> Rule:
    def rule(value: object, path: Path) -> Faults:
        if value not in values:
            yield Fault(path, "one_of", f"must be one of {', '.join(map(str, values))}")

    return rule


def _equal_to(expected: str) -> Rule:
    def rule(value: str, path: Path) -> Faults:
        if value != expected:
            yield Fault(path, "equal_to", f"must be {expected}")

    return rule


def _between(low: float, high: float, *, low_open: bool = False, high_open: bool = False) -> Rule:
    def rule(value: float, path: Path) -> Faults:
        if low_open and value <= low:
            yield Fault(path, "greater_than", f"must be greater than {low:g}")
        elif value < low:
            yield Fault(path, "greater_than_or_equal_to", f"must be at least {low:g}")
        if high_open and value >= high:
            yield Fault(path, "less_than", f"must be less than {high:g}")
        elif value > high:
            yield Fault(path, "less_than_or_equal_to", f"must be at most {high:g}")

    return rule


def _dns_label(text: str, path: Path) -> Faults:
    if not 1 <= len(text) <= _DNS_LABEL_LENGTH:
        yield Fault(path, "string_dns_label:string_length", f"must have 1 to {_DNS_LABEL_LENGTH} characters")
    elif not _DNS_LABEL.fullmatch(text):
        detail = "must be lower-case letters, digits and inner hyphens (RFC 1123), such as checkout-availability"
        yield Fault(path, "string_dns_label:string_match_regexp", detail)


def _forbidden(fields: Fields, name: str, path: Path) -> Faults:
    if name in fields:
        yield Fault(path / name, "forbidden", "is only for threshold metrics")


_describe = _at_most(_DESCRIPTION)


def _duration(value: Duration, path: Path) -> Faults:
    if not value.unit:
        yield _required(path / "unit")
    else:
        yield from _one_of(UNITS)(value.unit, path / "unit")
    if value.value < 0:
        yield Fault(path / "value", "greater_than_or_equal_to", "must be at least 0")


def _metadata(fields: Fields, path: Path) -> Faults:
    yield from _need(fields, "metadata", path, _metadata_fields)


def _metadata_fields(metadata: Fields, path: Path) -> Faults:
    yield from _need(metadata, "name", path, _dns_label)
    yield from _may(metadata, "displayName", path, _at_most(_DISPLAY_NAME))
    for key in metadata.get("labels", ()):
        if not _LABEL_KEY.fullmatch(key):
            detail = "a label's key is letters, digits and inner - . _, at most 63"
            yield Fault(path / "labels" / key, "string_match_regexp", detail)
    for key in metadata.get("annotations", ()):
        if not (_ANNOTATION_LENGTH.fullmatch(key) and _ANNOTATION_KEY.fullmatch(key)):
            detail = "an annotation's key is a name of letters, digits and inner - . _, after an optional domain and /"
            yield Fault(path / "annotations" / key, "string_match_regexp", detail)


def _inline_or_ref(ref: str, kind: str, spec: Rule) -> Rule:
    """A list's item that names an object, or holds it."""

    def rule(item: Fields, path: Path) -> Faults:
        inline = item.get(INLINE, False)
        if inline == (ref in item):
            text = "give either a reference or the object itself"
            yield Fault(path, "mutually_exclusive", text + (", not both" if inline else ""))
        elif inline:
            yield from _need(item, "kind", path, _equal_to(kind))
            yield from _metadata(item, path)
            yield from _need(item, "spec", path, spec)
        elif not item[ref]:
            yield _required(path / ref)
        else:
            yield from _dns_label(item[ref], path / ref)

    return rule


def _condition_spec(spec: Fields, path: Path) -> Faults:
    yield from _may(spec, "description", path, _describe)
    yield from _need(spec, "severity", path)
    yield from _need(spec, "condition", path, _condition)


def _condition(condition: Fields, path: Path) -> Faults:
    yield from _need(condition, "kind", path, _one_of(("burnrate",)))
    if condition.get("kind") == "burnrate":
        yield from _need(condition, "op", path, _one_of(OPERATORS))
        yield from _need(condition, "threshold", path)
        yield from _need(condition, "lookbackWindow", path, _duration)
        yield from _may(condition, "alertAfter", path, _pointed_duration)


def _pointed_duration(value: Duration | str, path: Path) -> Faults:
    """A duration behind a pointer may be there and empty."""
    yield from _duration(value if isinstance(value, Duration) else Duration(0, ""), path)


def _target_spec(spec: Fields, path: Path) -> Faults:
    yield from _need(spec, "target", path)
    yield from _may(spec, "description", path, _describe)


def _policy_spec(spec: Fields, path: Path) -> Faults:
    yield from _may(spec, "description", path, _describe)
    if len(spec.get("conditions", ())) != 1:
        yield Fault(path / "conditions", "slice_length", "must hold exactly one condition")
    yield from _each(spec, "conditions", path, _inline_or_ref("conditionRef", "AlertCondition", _condition_spec))
    if not spec.get("notificationTargets"):
        yield Fault(path / "notificationTargets", "slice_min_length", "must hold at least one target")
    yield from _each(
        spec, "notificationTargets", path, _inline_or_ref("targetRef", "AlertNotificationTarget", _target_spec)
    )


def _data_source_spec(spec: Fields, path: Path) -> Faults:
    yield from _may(spec, "description", path, _describe)
    yield from _need(spec, "type", path)
    yield from _need(spec, "connectionDetails", path)


def _service_spec(spec: Fields, path: Path) -> Faults:
    yield from _may(spec, "description", path, _describe)


def _sli_spec(spec: Fields, path: Path) -> Faults:
    yield from _may(spec, "description", path, _describe)
    yield from _exclusive(spec, ("thresholdMetric", "ratioMetric"), path, required=True)
    yield from _may(spec, "thresholdMetric", path, _metric)
    yield from _may(spec, "ratioMetric", path, _ratio)


def _ratio(ratio: Fields, path: Path) -> Faults:
    """Good or bad, each out of total; or a raw ratio. The first broken rule hides the later ones."""
    for faults in (
        _exclusive(ratio, ("total", "raw"), path, required=True),
        _exclusive(ratio, ("raw", "good", "bad"), path, required=False),
        _fraction(ratio, path),
        _raw(ratio, path),
    ):
        found = list(faults)
        if found:
            yield from found
            return


def _fraction(ratio: Fields, path: Path) -> Faults:
    if "total" not in ratio:
        return
    if "good" not in ratio and "bad" not in ratio:
        yield Fault(path, "one_of_properties", "one of [bad, good] must be given")
        return
    for name in ("total", "good", "bad"):
        found = list(_may(ratio, name, path, _metric))
        if found:
            yield from found
            return


def _raw(ratio: Fields, path: Path) -> Faults:
    if "raw" in ratio:
        yield from _metric(ratio["raw"], path / "raw")
        yield from _need(ratio, "rawType", path, _one_of(("success", "failure")))


def _metric(metric: Fields, path: Path) -> Faults:
    yield from _need(metric, "metricSource", path, _metric_source)


def _metric_source(source: Fields, path: Path) -> Faults:
    yield from _may(source, "metricSourceRef", path, _dns_label)
    yield from _need(source, "spec", path, _not_empty)


def _not_empty(value: Fields, path: Path) -> Faults:
    if not value:
        yield Fault(path, "map_min_length", "must hold something")


def _indicator(fields: Fields, path: Path) -> Faults:
    """The indicator of an SLO or of one objective, where it has one."""
    if "indicator" in fields and "indicatorRef" in fields:
        yield from _exclusive(fields, ("indicator", "indicatorRef"), path, required=False)
        return
    yield from _may(fields, "indicator", path, _inline_indicator)
    yield from _may(fields, "indicatorRef", path, _dns_label)


def _inline_indicator(indicator: Fields, path: Path) -> Faults:
    yield from _metadata(indicator, path)
    yield from _sli_spec(indicator.get("spec", {}), path / "spec")


def _slo_spec(spec: Fields, path: Path) -> Faults:
    objectives = spec.get("objectives", ())
    composite = any("indicator" in o or "indicatorRef" in o for o in objectives)
    if composite == ("indicator" in spec or "indicatorRef" in spec):
        text = "an indicator belongs either to the SLO or, in a composite, to each objective"
        detail = f"{text}, not to both" if composite else f"{text}; none is given"
        yield Fault(path, "mutually_exclusive", detail)
    yield from _indicator(spec, path)
    method = spec.get("budgetingMethod")
    if method == "Timeslices":
        yield from _each(spec, "objectives", path, _sliced_objective)
    elif method == "RatioTimeslices":
        yield from _each(spec, "objectives", path, _slice_window)
    yield from _may(spec, "description", path, _describe)
    yield from _need(spec, "service", path)
    yield from _need(spec, "budgetingMethod", path, _one_of(METHODS))
    if len(spec.get("timeWindow", ())) != 1:
        yield Fault(path / "timeWindow", "slice_length", "must hold exactly one window")
    yield from _each(spec, "timeWindow", path, _time_window)
    yield from _each(spec, "alertPolicies", path, _inline_or_ref("alertPolicyRef", "AlertPolicy", _policy_spec))
    yield from _each(spec, "objectives", path, _objective)
    metric = spec.get("indicator", {}).get("spec", {})
    if "ratioMetric" in metric:
        yield from _each(spec, "objectives", path, _ratio_objective)
    if "thresholdMetric" in metric:
        yield from _each(spec, "objectives", path, _threshold_objective)
    if composite:
        yield from _each(spec, "objectives", path, _composite_objective)


def _time_window(window: Fields, path: Path) -> Faults:
    rolling = "isRolling" in window
    if rolling == ("calendar" in window):
        yield Fault(path, "", "calendar cannot be given for a rolling window" if rolling else "calendar must be given")
    yield from _need(window, "duration", path, _duration)
    yield from _may(window, "calendar", path, _calendar)


def _calendar(calendar: Fields, path: Path) -> Faults:
    if civil_time(calendar.get("startTime", "")) is None:
        yield Fault(path / "startTime", "string_date_time", "must look like 2006-01-02 15:04:05")
    if not _is_zone(calendar.get("timeZone", "")):
        yield Fault(path / "timeZone", "string_time_zone", "must be an IANA time zone, such as Europe/Warsaw")


def civil_time(text: str) -> tuple[int, int, int, int, int, int] | None:
    """Year (from 0), month, day, hour, minute and second that a calendar's start names; None if there is no such."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    real = 1 <= month <= len(days) and 1 <= day <= days[month - 1] and hour < 24 and minute < 60 and second < 60  # noqa: PLR2004
    return (year, month, day, hour, minute, second) if real else None


def _is_zone(text: str) -> bool:
    if text in {"", "Local"}:
        return False
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _objective(objective: Fields, path: Path) -> Faults:
    yield from _exclusive(objective, ("target", "targetPercent"), path, required=True)
    yield from _may(objective, "target", path, _between(0, 1, high_open=True))
    yield from _may(objective, "targetPercent", path, _between(0, 100, high_open=True))


def _sliced_objective(objective: Fields, path: Path) -> Faults:
    yield from _need(objective, "timeSliceTarget", path, _between(0, 1, low_open=True))
    yield from _slice_window(objective, path)


def _slice_window(objective: Fields, path: Path) -> Faults:
    yield from _need(objective, "timeSliceWindow", path, _pointed_duration)


def _ratio_objective(objective: Fields, path: Path) -> Faults:
    yield from _forbidden(objective, "value", path)
    yield from _forbidden(objective, "op", path)


def _threshold_objective(objective: Fields, path: Path) -> Faults:
    yield from _need(objective, "value", path)
    yield from _need(objective, "op", path, _one_of(OPERATORS))


def _composite_objective(objective: Fields, path: Path) -> Faults:
    yield from _indicator(objective, path)
    yield from _may(objective, "compositeWeight", path, _between(0, float("inf"), low_open=True))


_KINDS: Mapping[str, Rule] = {
    "SLO": _slo_spec,
    "SLI": _sli_spec,
    "DataSource": _data_source_spec,
    "Service": _service_spec,
    "AlertPolicy": _policy_spec,
    "AlertCondition": _condition_spec,
    "AlertNotificationTarget": _target_spec,
}
