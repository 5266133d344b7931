"""From a definition to what this service promises, and what of it has no effect."""

from collections.abc import Iterable, Iterator

from services.slo.domain.openslo.checking import is_prometheus
from services.slo.domain.openslo.decoding import Decoded, Duration
from services.slo.domain.openslo.definition import Definition, Indicator
from services.slo.domain.openslo.encoding import encode
from services.slo.domain.slo.commands import Document, Promise

_PUSH = "concordat"


def minutes(duration: Duration | str) -> int:
    """A valid duration in minutes."""
    if isinstance(duration, str):
        duration = Duration(int(duration[:-1]), duration[-1])
    return duration.minutes


def promise_of(definition: Definition, decoded: Decoded, document: Document, uses: Iterable[str] = ()) -> Promise:
    """What *definition* promises.

    Args:
        definition: Of the SLO.
        decoded: The document that defines it.
        document: The same as it was sent; kept beside the promise.
        uses: What it refers to, directly or not, each as `SLI/checkout-answers`.
    """
    window: Duration = decoded.fields["spec"]["timeWindow"][0]["duration"]
    return Promise(
        slo=definition.name,
        service=definition.service,
        display_name=definition.display_name,
        target=float(definition.target),
        window=f"{window.value}{window.unit}",
        method=definition.method,
        document=document,
        definition=encode(definition),
        uses=tuple(uses),
    )


def without_effect(definition: Definition) -> tuple[str, ...]:
    """What of *definition* nothing is done with, for people."""
    return tuple(_without_effect(definition))


def _without_effect(definition: Definition) -> Iterator[str]:
    kinds = {m.source.type for indicator in _indicators(definition) for m in indicator.metrics.values()}
    for kind in sorted(kinds - {_PUSH}):
        if not is_prometheus(kind):
            yield f"nothing polls {kind or 'a source without type'}; push measurements (POST /v1/measurements)"
    if any(each.component and each.component.method is None for each in definition.objectives):
        yield "it was stored before composites were evaluated; PUT its document again to have it evaluated"
    if not definition.composite and len(definition.objectives) > 1:
        yield "only the first objective has an error budget; define an SLO for each of the others"


def _indicators(definition: Definition) -> Iterator[Indicator]:
    if definition.indicator:
        yield definition.indicator
    for objective in definition.objectives:
        if objective.component and isinstance(objective.component.of, Indicator):
            yield objective.component.of
