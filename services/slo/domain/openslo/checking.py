"""What is wrong with one document, and how far it came: decoded, validated, valid."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.slo.domain.openslo.decoding import Decoded, read
from services.slo.domain.openslo.faults import TOP, Fault, Path
from services.slo.domain.openslo.rules import validate

Mode = Literal["strict", "lenient"]
Stage = Literal["decode", "validate", "valid"]
Complain = Callable[[str], str | None]  # what is wrong with a query, with its place; None if nothing is

_METRICS = ("good", "bad", "total", "raw")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a document.

    Args:
        stage: Where it ended: `decode` (a value of the wrong type; in strict mode an unknown field), `validate` (it
            breaks a rule), `valid`.
        errors: What is wrong.
        warnings: What is ignored: in lenient mode, unknown fields.
        document: What was decoded; None if values are of the wrong type.
    """

    stage: Stage
    errors: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    document: Decoded | None

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.errors


def check(value: object, mode: Mode = "strict", complain: Complain | None = None) -> Verdict:
    """The OpenSLO v1 document *value* against the rules of the go-sdk.

    Args:
        value: Plain JSON values.
        mode: Unknown fields are errors (`strict`) or warnings (`lenient`).
        complain: Asked about every query for Prometheus, where given. The go-sdk has no such rule (code `promql`).
    """
    decoded, broken = read(value)
    if decoded is None:
        return Verdict("decode", broken, (), None)
    strict = mode == "strict"
    errors = list(decoded.unknown) if strict else []
    errors += validate(decoded)
    if complain is not None:
        errors += _queries(decoded, complain)
    stage: Stage = "decode" if strict and decoded.unknown else "validate" if errors else "valid"
    return Verdict(stage, tuple(errors), () if strict else decoded.unknown, decoded)


def _queries(document: Decoded, complain: Complain) -> Iterator[Fault]:
    for source, path in _metric_sources(document):
        query = source.get("spec", {}).get("query")
        if is_prometheus(source.get("type", "")) and isinstance(query, str) and (said := complain(query)):
            yield Fault(path / "spec" / "query", "promql", said)


def is_prometheus(kind: str) -> bool:
    """Whether the type of a metric source means Prometheus; its examples write it in both cases."""
    return kind.lower() == "prometheus"


def _metric_sources(document: Decoded) -> Iterator[tuple[Mapping[str, Any], Path]]:
    spec, path = document.fields.get("spec", {}), TOP / "spec"
    if document.kind == "SLI":
        yield from _of_indicator(spec, path)
    elif document.kind == "SLO":
        for holder, at in (
            (spec, path),
            *((o, path / "objectives" / i) for i, o in enumerate(spec.get("objectives", ()))),
        ):
            yield from _of_indicator(holder.get("indicator", {}).get("spec", {}), at / "indicator" / "spec")


def _of_indicator(spec: Mapping[str, Any], path: Path) -> Iterator[tuple[Mapping[str, Any], Path]]:
    ratio = spec.get("ratioMetric", {})
    held = [(ratio[name], path / "ratioMetric" / name) for name in _METRICS if name in ratio]
    if "thresholdMetric" in spec:
        held.append((spec["thresholdMetric"], path / "thresholdMetric"))
    for metric, at in held:
        yield metric.get("metricSource", {}), at / "metricSource"
