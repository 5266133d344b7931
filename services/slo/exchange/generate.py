"""From documents to rule files, one for each document that defines SLOs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, cast

from services.slo.domain.openslo import Fault
from services.slo.domain.openslo.faults import TOP
from services.slo.exchange import openslo, sloth, v1alpha
from services.slo.exchange.level import Events, ServiceLevel
from services.slo.exchange.promql import complainer
from services.slo.exchange.reader import Notes, Reader
from services.slo.exchange.rules import Group, Origin, groups
from services.slo.exchange.windows import DAY, Catalogue, catalogue, duration

Form = Literal["prom", "k8s", "openslo"]

_PROMETHEUS, _KUBERNETES, _OPENSLO = "prometheus/v1", "sloth.slok.dev/v1", "openslo/v1"
_OF_RULES = {"app.kubernetes.io/component": "SLO", "app.kubernetes.io/managed-by": "sloth"}  # selectors rely on them


@dataclass(frozen=True, slots=True)
class Options:
    """How rules are made.

    Args:
        period_min: The period of SLOs whose document names none, minutes.
        catalogues: Conditions that replace the defaults for their periods.
        labels: Added to all recorded series.
        recordings: Whether to make recording rules.
        alerts: Whether to make alerting rules.
        event_weighted: Whether the period's ratio counts every event once, rather than every moment once as Sloth.
        strict: Whether fields that a format does not know are refused.
        made_by: `cli` or `api`, for `sloth_mode`.
    """

    period_min: int = 30 * DAY
    catalogues: tuple[Catalogue, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    recordings: bool = True
    alerts: bool = True
    event_weighted: bool = False
    strict: bool = False
    made_by: Literal["cli", "api"] = "cli"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The rules of one document.

    Args:
        body: A Prometheus rule file, or a `PrometheusRule` object.
        comment: What it is, and which version of Concordat wrote it.
    """

    body: Mapping[str, object]
    comment: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fault, or a warning, and which of the documents has it, from 0; None for all of them."""

    document: int | None
    fault: Fault


class RefusedError(Exception):
    """No rules were made; says every reason."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(f"{len(refusals)} faults")
        self.refusals = tuple(refusals)


@dataclass(frozen=True, slots=True)
class _Document:
    form: Form
    spec: str
    levels: list[ServiceLevel]
    notes: Notes
    metadata: Mapping[str, object]


def generate(documents: Sequence[object], options: Options | None = None) -> tuple[list[RuleFile], list[Refusal]]:
    """The rules of *documents*, in their order, and what is worth saying about them.

    Documents that define no SLO (OpenSLO's other kinds) give no file; what they define may be referred to.

    Raises:
        RefusedError: Something is wrong in them; nothing is made in part.
    """
    options = options or Options()
    beside = openslo.shelf(documents)
    complain = complainer()
    read = [_read(document, options, beside, Notes(complain=complain)) for document in documents]
    _refuse_duplicates(read)
    if not any(each.levels or each.notes.faults for each in read):
        raise RefusedError([Refusal(None, Fault(TOP, "no_slo", "there is no SLO in these documents"))])
    files: list[RuleFile] = []
    for each in read:
        made = [group for level in each.levels for group in _groups(level, each, options)]
        if each.notes.faults or not each.levels:
            continue
        if not made:
            each.notes.faults.append(Fault(TOP, "no_rules", "has no rules: recordings and alerts are both left out"))
        files.append(RuleFile(_body(each, made), f"{written_by()} from {each.spec}; do not edit."))
    if refused := _collected(read, strict=options.strict):
        raise RefusedError(refused)
    said = [(index, fault) for index, each in enumerate(read) for fault in each.notes.unknown + each.notes.warnings]
    return files, [Refusal(index, fault) for index, fault in said]


def written_by() -> str:
    """Which version of Concordat writes this."""
    return f"Written by Concordat {_version()}"


def _read(document: object, options: Options, beside: openslo.Catalogue, notes: Notes) -> _Document:
    fields = cast("Mapping[str, object]", document) if isinstance(document, Mapping) else {}
    metadata = cast("Mapping[str, object]", fields.get("metadata") or {})
    match fields.get("version"), fields.get("apiVersion"):
        case "prometheus/v1", _:
            top = Reader(document, TOP, notes)
            top.take("version")
            levels = sloth.read_levels(top, options.period_min)
            top.finish()
            return _Document("prom", _PROMETHEUS, levels, notes, {})
        case _, "sloth.slok.dev/v1":
            return _Document("k8s", _KUBERNETES, _read_kubernetes(document, notes, options), notes, metadata)
        case _, "openslo/v1alpha":
            levels = v1alpha.read_levels(document, notes, options.period_min)
            return _Document("openslo", v1alpha.VERSION, levels, notes, {})
        case _, "openslo/v1":
            return _Document("openslo", _OPENSLO, openslo.read_levels(document, notes, beside), notes, {})
        case found:
            known = f"version {_PROMETHEUS}, or apiVersion {_KUBERNETES}, {_OPENSLO} or {v1alpha.VERSION}"
            named = next((str(each) for each in found if each is not None), "none")
            place = TOP / ("version" if "version" in fields else "apiVersion")
            notes.faults.append(Fault(place, "version_unknown", f"must be {known}; found {named}"))
            return _Document("prom", "", [], notes, {})


def _read_kubernetes(document: object, notes: Notes, options: Options) -> list[ServiceLevel]:
    top = Reader(document, TOP, notes, sloth.camel_case)
    top.take("apiVersion")
    if top.text("kind") != "PrometheusServiceLevel":
        top.refuse("kind", "kind_unknown", "must be PrometheusServiceLevel")
    metadata = top.section("metadata")
    metadata.text("name", required=True)
    metadata.text("namespace")
    for of_the_cluster in ("labels", "annotations", "creationTimestamp", "generation", "resourceVersion", "uid"):
        metadata.take(of_the_cluster)
    top.take("status")
    levels = sloth.read_levels(top.section("spec"), options.period_min)
    top.finish()
    return levels


def _refuse_duplicates(read: Sequence[_Document]) -> None:
    seen: set[str] = set()
    for each in read:
        for level in each.levels:
            if level.id in seen:
                detail = f"the SLO {level.id!r} is defined twice; rename one, or their series would mix"
                each.notes.faults.append(Fault(TOP, "duplicate", detail))
            seen.add(level.id)


def _groups(level: ServiceLevel, document: _Document, options: Options) -> list[Group]:
    notes, origin = document.notes, Origin(_version(), f"{options.made_by}-gen-{document.form}", document.spec)
    given = {each.period_min: each for each in options.catalogues}
    conditions = given.get(level.period_min) or catalogue(level.period_min)
    if level.conditions:
        conditions = Catalogue(level.period_min, level.conditions)
    notes.warnings += [Fault(TOP, "window_too_long", f"{level.id}: {warning}") for warning in conditions.warnings]
    _warn_of_impossible(level, conditions, notes)
    if options.event_weighted and not isinstance(level.sli, Events) and level.sli.events is None:
        detail = f"{level.id}: a ratio cannot be weighted by events; give bad and total events"
        notes.faults.append(Fault(TOP, "events_missing", detail))
    return [
        *groups(
            replace(level, labels={**level.labels, **options.labels}),
            conditions,
            origin,
            recordings=options.recordings,
            alerts=options.alerts,
            event_weighted=options.event_weighted,
        )
    ]


def _warn_of_impossible(level: ServiceLevel, conditions: Catalogue, notes: Notes) -> None:
    """Every event bad burns 1/b: a condition at or above that never fires. Sloth writes it without a word."""
    most = Fraction(level.target.q, level.target.budget)
    for window in conditions.windows:
        if (level.page if window.severity == "page" else level.ticket) and window.factor >= most:
            name = f"the {window.severity} over {duration(window.short_min)} and {duration(window.long_min)}"
            needs = f"a burn rate above {float(window.factor):g}, and {float(most):g} is the most there can be"
            detail = f"{level.id}: {name} never fires: it needs {needs}"
            notes.warnings.append(Fault(TOP, "alert_impossible", detail))


def _body(document: _Document, made: list[Group]) -> Mapping[str, object]:
    if document.form != "k8s":
        return {"groups": made}
    given = cast("Mapping[str, object]", document.metadata.get("labels") or {})
    kept = {
        name: document.metadata[name] for name in ("name", "namespace", "annotations") if document.metadata.get(name)
    }
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {**kept, "labels": {**given, **_OF_RULES}},
        "spec": {"groups": made},
    }


def _collected(read: Sequence[_Document], *, strict: bool) -> list[Refusal]:
    return [
        Refusal(index, fault)
        for index, each in enumerate(read)
        for fault in each.notes.faults + (each.notes.unknown if strict else [])
    ]


def _version() -> str:
    try:
        return version("concordat")
    except PackageNotFoundError:
        return "0+checkout"
