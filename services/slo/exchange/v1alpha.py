"""OpenSLO v1alpha: the rules Sloth makes of it, and its upgrade to v1 with a report of what changed."""

from dataclasses import dataclass

from services.slo.domain.openslo import Fault
from services.slo.domain.openslo.faults import TOP
from services.slo.exchange.level import Events, Raw, ServiceLevel
from services.slo.exchange.reader import Notes, Reader
from services.slo.exchange.sloth import checked_name, checked_query, checked_target
from services.slo.exchange.windows import DAY, HOUR

VERSION = "openslo/v1alpha"

_UNITS = {  # v1alpha's, in minutes and as v1 writes them; v1 counts months of 30 days where they roll
    "Minute": (1, "m"),
    "Hour": (HOUR, "h"),
    "Day": (DAY, "d"),
    "Week": (7 * DAY, "w"),
    "Month": (30 * DAY, "M"),
    "Quarter": (90 * DAY, "Q"),
    "Year": (365 * DAY, "Y"),
}
_SOURCES = ("prometheus", "sloth")

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A v1alpha document as v1.

    Args:
        documents: v1; v1alpha has an indicator for each objective, v1 one for all, so there may be several SLOs.
        changes: What was changed, with the place in v1alpha and why.
    """

    documents: tuple[Document, ...]
    changes: tuple[Fault, ...]


def read_levels(document: object, notes: Notes, period_min: int) -> list[ServiceLevel]:
    """The SLOs of a v1alpha document as Sloth reads it: one for each objective, numbered, without alerts."""
    top = Reader(document, TOP, notes)
    top.text("apiVersion")
    if top.text("kind") != "SLO":
        for name in ("metadata", "spec"):
            top.take(name)
        top.finish()
        return []
    name = _name(top)
    spec = top.section("spec")
    service = checked_name(spec, "service")
    spec.text("description")
    if spec.text("budgetingMethod") not in {"", "Occurrences"}:
        spec.refuse("budgetingMethod", "unsupported", "rules count events; use Occurrences")
    if "indicator" in spec:
        spec.take("indicator")
        spec.refuse("indicator", "unsupported", "only ratio metrics have rules; give each objective ratioMetrics")
    period_min = _period(spec) or period_min
    objectives = spec.items("objectives")
    if not objectives:
        spec.refuse("objectives", "required", "must hold at least one objective")
    levels = [
        ServiceLevel(
            id=f"{service}-{name}-{index}",
            name=f"{name}-{index}",
            service=service,
            target=checked_target(objective, "target", percent=False),
            sli=_sli(objective),
            period_min=period_min,
        )
        for index, objective in enumerate(objectives)
    ]
    for objective in objectives:
        for field in ("displayName", "value", "op", "timeSliceTarget"):
            objective.take(field)
    top.finish()
    return levels


def upgrade(document: object) -> Upgrade | list[Fault]:
    """A v1alpha SLO or Service as v1, with what changed; its faults if it is no v1alpha.

    Nothing is made up: what v1 asks for and v1alpha leaves out is either said by v1alpha's own rules, or a change
    that is reported. Whether the result is valid v1 is for `domain.openslo.validate` to say.
    """
    notes = Notes()
    top = Reader(document, TOP, notes)
    if top.text("apiVersion") != VERSION:
        top.refuse("apiVersion", "version_unknown", f"must be {VERSION}")
    kind = top.text("kind")
    if kind not in {"SLO", "Service"}:
        top.refuse("kind", "kind_unknown", "must be SLO or Service")
    metadata, name = top.section("metadata"), _name(top)
    head: Document = {"name": name} | _kept(metadata, "displayName")
    changes = [_change(top, "apiVersion", "is now openslo/v1")]
    spec = top.section("spec")
    if kind != "SLO":
        return notes.faults or Upgrade((_v1(kind, head, _kept(spec, "description")),), tuple(changes))
    common: Document = _kept(spec, "description") | {"service": spec.text("service", required=True)}
    common["timeWindow"] = [window for fields in spec.items("timeWindows") for window in _window(fields, changes)]
    if "timeWindows" in spec:
        changes.append(_change(spec, "timeWindows", "is now timeWindow, with durations such as 30d"))
    common["budgetingMethod"] = spec.text("budgetingMethod", required=True)
    objectives = spec.items("objectives")
    documents: list[Document] = []
    for index, objective in enumerate(objectives):
        own_head = head | {"name": f"{name}-{index}"} if len(objectives) > 1 else head
        kept = _kept(objective, "displayName", "op", "value", "target", "timeSliceTarget")
        indicator = _indicator(spec, objective, str(own_head["name"]), changes)
        documents.append(_v1(kind, own_head, common | {"indicator": indicator, "objectives": [kept]}))
        if "ratioMetrics" in objective:
            unused = [field for field in ("op", "value") if kept.pop(field, None) is not None]
            changes += [_change(objective, field, "is dropped: it belongs to threshold metrics") for field in unused]
    if len(objectives) > 1:
        changes.append(
            _change(spec, "objectives", f"are now {len(objectives)} SLOs: v1 has one indicator for all of them")
        )
    top.finish()
    changes += [Fault(each.path, "changed", "is dropped: v1alpha does not know it") for each in notes.unknown]
    return notes.faults or Upgrade(tuple(documents), tuple(changes))


def _v1(kind: str, metadata: Document, spec: Document) -> Document:
    return {"apiVersion": "openslo/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _name(top: Reader) -> str:
    metadata = top.section("metadata")
    metadata.text("displayName")
    return checked_name(metadata, "name")


def _period(spec: Reader) -> int:
    windows = spec.items("timeWindows")
    if len(windows) > 1:
        spec.refuse("timeWindows", "unsupported", "must hold one window")
    lengths = [0]
    for window in windows[:1]:
        lengths.append(_length(window)[0])
        window.flag("isRolling")
        if "calendar" in window:
            window.take("calendar")
            window.refuse("calendar", "unsupported", "Prometheus looks back over ranges; set isRolling: true")
    return lengths[-1]


def _length(window: Reader) -> tuple[int, str]:
    count, unit = window.number("count"), window.text("unit", required=True)
    if not isinstance(count, int) or count < 1:
        window.refuse("count", "out_of_range", "must be a whole number from 1")
        count = 1
    size, letter = _UNITS.get(unit.title(), (0, ""))
    if unit and not size:
        window.refuse("unit", "unit_unknown", f"must be one of {', '.join(_UNITS)}")
    return count * size, f"{count}{letter}"


def _sli(objective: Reader) -> Raw:
    if "ratioMetrics" not in objective:
        objective.refuse("ratioMetrics", "required", "is required")
        return Raw("")
    ratio = objective.section("ratioMetrics")
    for field in ("counter", "incremental"):
        ratio.flag(field)
    good, total = (_query(ratio.section(name)) for name in ("good", "total"))
    # No series of successes is no success, where events are weighted.
    events = Events(f"({total}) - (({good}) or ({total}) * 0)", total)
    return Raw(f"\n  1 - (\n    (\n      {good}\n    )\n    /\n    (\n      {total}\n    )\n  )\n", events)


def _query(metric: Reader) -> str:
    source, language = metric.text("source", required=True), metric.text("queryType", required=True)
    if source and source not in _SOURCES:
        metric.refuse("source", "unsupported", f"rules are made of PromQL; use {' or '.join(_SOURCES)}")
    if language and language != "promql":
        metric.refuse("queryType", "unsupported", "must be promql")
    metric.take("metadata")
    return checked_query(metric, "query")


def _kept(fields: Reader, *names: str) -> Document:
    values = {name: fields.take(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _change(fields: Reader, name: str, detail: str) -> Fault:
    return Fault(fields.at(name), "changed", detail)


def _window(fields: Reader, changes: list[Fault]) -> list[Document]:
    minutes, duration = _length(fields)
    rolling, calendar = fields.flag("isRolling"), fields.take("calendar")
    if calendar is None and not rolling:
        changes.append(_change(fields, "isRolling", "is now true: a window without a calendar rolls"))
    return [{"duration": duration, **({"calendar": calendar} if calendar else {"isRolling": True})}] if minutes else []


def _indicator(spec: Reader, objective: Reader, name: str, changes: list[Fault]) -> Document:
    if "ratioMetrics" in objective:
        ratio = objective.section("ratioMetrics")
        changes.append(_change(objective, "ratioMetrics", "is now spec.indicator.spec.ratioMetric"))
        # Queries of v1alpha hold their own rate() or increase(), so the events are what they answer.
        counter = ratio.flag("counter") or ratio.flag("incremental")
        metrics: Document = {part: _metric(ratio.section(part), changes) for part in ("good", "total")}
        body: Document = {"ratioMetric": {**({"counter": True} if counter else {}), **metrics}}
    else:
        threshold = spec.section("indicator").section("thresholdMetric")
        changes.append(_change(spec, "indicator", "has its metric source in metricSource now"))
        body = {"thresholdMetric": _metric(threshold, changes)}
    return {"metadata": {"name": f"{name}-indicator"}, "spec": body}


def _metric(metric: Reader, changes: list[Fault]) -> Document:
    source = metric.text("source", required=True)
    changes.append(_change(metric, "source", "is now metricSource.type; the query is in metricSource.spec"))
    source_type = "Prometheus" if source in _SOURCES else source
    return {"metricSource": {"type": source_type, "spec": _kept(metric, "query", "queryType")}}
