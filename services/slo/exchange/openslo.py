"""OpenSLO v1: ratio metrics whose sources are Prometheus."""

from collections.abc import Mapping, Sequence
from typing import cast

from services.slo.domain.burn_rate import Tier, tiers_of_policies
from services.slo.domain.error_budget import Target
from services.slo.domain.errors import InvalidTargetError
from services.slo.domain.openslo import Fault, Path, check
from services.slo.domain.openslo.decoding import Decoded
from services.slo.domain.openslo.definition import Policy
from services.slo.domain.openslo.faults import TOP
from services.slo.domain.openslo.promise import minutes
from services.slo.domain.openslo.resolution import Catalogue, policies_of
from services.slo.exchange.level import Alert, Events, Raw, ServiceLevel
from services.slo.exchange.queries import InvalidQueryError, render, windowed
from services.slo.exchange.queries import check as check_query
from services.slo.exchange.reader import Notes

ALERT = "ErrorBudgetBurn"
_BEYOND = {"lte": ">", "lt": ">=", "gte": "<", "gt": "<="}  # what is not good, by the operator of what is

Fields = Mapping[str, object]


def shelf(documents: Sequence[object]) -> Catalogue:
    """What *documents* define, for others to refer to."""
    verdicts = [check(document, "lenient") for document in documents]
    return {(v.document.kind, v.document.name): v.document for v in verdicts if v.valid and v.document}


def read_levels(document: object, notes: Notes, beside: Catalogue) -> list[ServiceLevel]:
    """The SLOs of an OpenSLO v1 document: one for each objective; none for the other kinds.

    Args:
        document: Plain values.
        notes: Where faults go.
        beside: What it may refer to.
    """
    verdict = check(document, "lenient")
    notes.unknown += verdict.warnings
    notes.faults += verdict.errors
    if not verdict.valid or verdict.document is None or verdict.document.kind != "SLO":
        return []
    return _Slo(verdict.document, notes, beside).levels()


class _Slo:
    """Reads a valid SLO document; what no rules can be made of is noted."""

    def __init__(self, slo: Decoded, notes: Notes, beside: Catalogue) -> None:
        self._slo = slo
        self._metadata = cast("Fields", slo.fields["metadata"])
        self._spec = cast("Fields", slo.fields["spec"])
        self._notes, self._beside = notes, beside

    def levels(self) -> list[ServiceLevel]:
        if self._spec["budgetingMethod"] != "Occurrences":
            self._refuse(TOP / "spec" / "budgetingMethod", "rules count events; use Occurrences")
        period_min = self._period()
        policies, faults = policies_of(self._slo, self._beside)
        self._notes.faults += faults
        name, service = str(self._metadata["name"]), str(self._spec["service"])
        objectives = cast("list[Fields]", self._spec.get("objectives", []))
        return [
            ServiceLevel(
                id=f"{service}-{name}{suffix}",
                name=f"{name}{suffix}",
                service=service,
                target=target,
                sli=self._sli(objective),
                period_min=period_min,
                page=Alert(ALERT),
                ticket=Alert(ALERT),
                separate=True,
                conditions=self._conditions(policies, period_min, target) if policies else None,
            )
            for index, objective in enumerate(objectives)
            for suffix in [f"-{index}" if len(objectives) > 1 else ""]
            for target in [self._target(objective, TOP / "spec" / "objectives" / index)]
        ]

    def _conditions(self, policies: tuple[Policy, ...], period_min: int, target: Target) -> tuple[Tier, ...]:
        tiers, warnings = tiers_of_policies(policies, period_min, target)
        path = TOP / "spec" / "alertPolicies"
        self._notes.warnings += [Fault(path, "no_effect", warning) for warning in warnings]
        return tiers

    def _period(self) -> int:
        window = cast("list[Fields]", self._spec["timeWindow"])[0]
        if "isRolling" not in window:
            self._refuse(TOP / "spec" / "timeWindow" / 0, "Prometheus looks back over ranges; set isRolling: true")
        return minutes(cast("str", window["duration"]))

    def _sli(self, objective: Fields) -> Events | Raw:
        path, indicator = TOP / "spec" / "indicator" / "spec", cast("Fields | None", self._spec.get("indicator"))
        if "indicatorRef" in self._spec:
            path = TOP / "spec" / "indicatorRef"
            found = _spec_of(self._beside.get(("SLI", str(self._spec["indicatorRef"]))))
            if found is None:
                self._refuse(
                    path, f"there is no SLI {self._spec['indicatorRef']!r} here; add its document", "no_such_sli"
                )
                return Raw("")
            indicator = {"spec": found}
        if indicator is None:
            self._refuse(TOP / "spec" / "objectives", "composite SLOs have no rules; define one SLO each")
            return Raw("")
        spec = cast("Fields", indicator["spec"])
        if "thresholdMetric" in spec:
            return self._threshold(spec, objective, path)
        return self._ratio(cast("Fields", spec["ratioMetric"]), path / "ratioMetric")

    def _threshold(self, spec: Fields, objective: Fields, path: Path) -> Events:
        """Minutes by the value at their end, NaN being none: what the poller counts.

        The offset keeps a window from holding a minute more where ranges include their start (before Prometheus 3).
        """
        value = f"({self._query(spec, 'thresholdMetric', path)}) >= -Inf"
        beyond, limit = _BEYOND.get(str(objective.get("op")), ""), objective.get("value")
        if not beyond or limit is None:
            self._refuse(path / "thresholdMetric", "what is good is not said; give the objective op and value")
        minutes = "[{{.window}}:1m] offset 1ms"
        bad = f"sum_over_time((({value}) {beyond} bool {limit}){minutes})"
        return Events(bad, f"count_over_time(({value}){minutes})")

    def _ratio(self, ratio: Fields, path: Path) -> Events | Raw:
        if "raw" in ratio:
            query = self._query(ratio, "raw", path)
            return Raw(query if ratio.get("rawType") == "failure" else f"1 - ({query})")
        # No series of failures, or of successes, is no events of them; and no events at all are no ratio, not NaN.
        total = self._query(ratio, "total", path)
        good_or_bad = "bad" if "bad" in ratio else "good"
        some = f"({self._query(ratio, good_or_bad, path)}) or ({total}) * 0"
        return Events(some if good_or_bad == "bad" else f"({total}) - ({some})", f"({total}) > 0")

    def _query(self, ratio: Fields, name: str, path: Path) -> str:
        source = cast("Fields", cast("Fields", ratio[name])["metricSource"])
        at = path / name / "metricSource"
        kind = source.get("type")
        if kind is None and (found := _spec_of(self._beside.get(("DataSource", str(source.get("metricSourceRef")))))):
            kind = found.get("type")
        if kind is not None and "prometheus" not in str(kind).lower():
            self._refuse(at / "type", f"rules are made of PromQL, and {kind} is no Prometheus; use type: Prometheus")
        text = cast("Fields", source.get("spec", {})).get("query")
        if not isinstance(text, str):
            self._refuse(at / "spec" / "query", "must be a PromQL query", "required")
            return ""
        try:
            if name == "thresholdMetric":
                text = render(text, "1m")
                check_query(text, self._notes.complain, windowed=False)
                return text
            return windowed(text, self._notes.complain, counter=bool(ratio.get("counter", False)))
        except InvalidQueryError as error:
            self._refuse(at / "spec" / "query", error.detail, error.code)
            return ""

    def _target(self, objective: Fields, path: Path) -> Target:
        percent = cast("float | None", objective.get("targetPercent"))
        try:
            return Target.of(cast("float", objective["target"])) if percent is None else Target.of_percent(percent)
        except (InvalidTargetError, KeyError) as error:
            self._refuse(path / ("target" if percent is None else "targetPercent"), str(error), "target_invalid")
            return Target(0, 1)

    def _refuse(self, path: Path, detail: str, code: str = "unsupported") -> None:
        self._notes.faults.append(Fault(path, code, detail))


def _spec_of(document: Decoded | None) -> Fields | None:
    return cast("Fields", document.fields["spec"]) if document else None
