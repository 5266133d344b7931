"""How fast one SLO is reported from measurements in memory, beside slo-generator, and documents are validated.

`python -m tests.benchmarks slo [--quick]` runs these rows alone. Everything is in this process;
seconds are of its core.
"""

import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import yaml
from slo_generator.compute import compute

from libs.web.documents import read_documents
from services.slo.domain.assessment import Terms, assess
from services.slo.domain.error_budget import Target
from services.slo.domain.methods import Measured, Method
from services.slo.domain.openslo import check
from services.slo.domain.series import Series
from services.slo.domain.windows import Rolling
from services.slo.exchange.openslo_file import check_lines
from services.slo.exchange.promql import complainer
from tests.benchmarks.result import Result, above, against, alternate
from tests.benchmarks.servers import Servers
from tests.fixtures.slo import document, polled

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PERIOD_MIN = 28 * 24 * 60
METHODS: tuple[Method, ...] = ("occurrences", "timeslices", "ratio-timeslices")
_GOAL = "0.999"


async def run(_: Servers, *, quick: bool) -> list[Result]:
    """The rows."""
    logging.getLogger("slo_generator").setLevel(logging.ERROR)  # a line for each report takes longer than the report
    return [*[await _reports(method, quick=quick) for method in METHODS], *await _validations(quick=quick)]


async def _reports(method: Method, *, quick: bool) -> Result:
    """Both have the measurements in memory, ours as sums that windows are cut from; theirs are told good and bad."""
    times, rounds = (2_000, 3) if quick else (20_000, 7)
    measured, terms = Measured(_series(), method), Terms(Target.of(_GOAL), Rolling(PERIOD_MIN), method)
    ours = assess(measured, terms, NOON)
    good, total = measured.sli(ours.window.minutes)
    slo, config = _theirs(good / total if method == "ratio-timeslices" else (good, total - good))

    def theirs() -> list[dict[str, Any]]:
        return compute(slo, config, NOON.timestamp())

    if theirs()[0]["sli_measurement"] != round(ours.figures.sli or 0, 6):
        message = f"{ours} and {theirs()} differ"
        raise AssertionError(message)
    per_s, their_per_s = await alternate(
        rounds, _rate(lambda: assess(measured, terms, NOON), times), _rate(theirs, times // 20)
    )
    name = f"report of an SLO, 28 days of minutes in memory, {method}"
    return against(name, per_s, "reports/s", "slo-generator in process", their_per_s, at_least=20)


def _series() -> Series:
    """28 days of minutes of a busy service."""
    chance = random.Random(28)  # noqa: S311  a workload
    last = int(NOON.timestamp()) // 60
    counts = [(each - chance.choice((0, 0, 0, 1, 2)), each) for each in chance.choices(range(900, 1100), k=PERIOD_MIN)]
    return Series.of(dict(zip(range(last - PERIOD_MIN, last), counts, strict=True)))


class Counted:
    """A backend of slo-generator that knows the answer: what it would take to count is not theirs."""

    def __init__(self, client: object = None, answer: object = None) -> None:
        self._client, self._answer = client, answer

    def counts(self, _timestamp: int, _window: int, _config: object) -> object:
        """Good and bad events, or the SLI."""
        return self._answer


def _theirs(answer: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """An SLO and a configuration as slo-generator reads them from its files."""
    backend = f"{__name__}.{Counted.__name__}"
    spec = {"description": "", "goal": _GOAL, "backend": backend, "method": "counts", "exporters": []}
    step = {"name": "28 days", "window": PERIOD_MIN * 60, "burn_rate_threshold": 1, "alert": True}
    steps = [step | {"message_alert": "Freeze", "message_ok": "Go on"}]
    config = {"backends": {backend: {"answer": answer}}, "error_budget_policies": {"default": {"steps": steps}}}
    return {"metadata": {"name": "checkout", "labels": {}}, "spec": spec}, config


async def _validations(*, quick: bool) -> list[Result]:
    """Documents with queries for Prometheus and alert conditions, as lines of JSON and as YAML."""
    times, rounds = (500, 3) if quick else (5_000, 5)
    documents = [document(), polled(), _POLICY, _CONDITION]
    lines = [json.dumps({"object": each}).encode() for each in documents]
    texts = [yaml.safe_dump(each).encode() for each in documents]

    def from_json() -> None:
        for verdict in check_lines(lines):
            _must_be_valid(valid=verdict["valid"])

    def from_yaml() -> None:
        complain = complainer()
        for text in texts:
            for value in read_documents(text):
                _must_be_valid(valid=check(value, "strict", complain).valid)

    json_per_s, yaml_per_s = await alternate(
        rounds, _rate(from_json, times, len(documents)), _rate(from_yaml, times, len(documents))
    )
    return [
        above("OpenSLO documents validated, JSON lines", json_per_s, "documents/s", limit=2_000),
        above("OpenSLO documents validated, YAML and PromQL", yaml_per_s, "documents/s", limit=2_000),
    ]


_CONDITION: dict[str, Any] = {
    "apiVersion": "openslo/v1",
    "kind": "AlertCondition",
    "metadata": {"name": "burns-fast"},
    "spec": {
        "severity": "page",
        "condition": {"kind": "burnrate", "op": "gt", "threshold": 14.4, "lookbackWindow": "1h", "alertAfter": "5m"},
    },
}
_POLICY: dict[str, Any] = {
    "apiVersion": "openslo/v1",
    "kind": "AlertPolicy",
    "metadata": {"name": "fast"},
    "spec": {
        "alertWhenBreaching": True,
        "conditions": [{"conditionRef": "burns-fast"}],
        "notificationTargets": [{"targetRef": "on-call"}],
    },
}


def _must_be_valid(*, valid: bool) -> None:
    if not valid:
        raise AssertionError


def _rate(work: Callable[[], object], times: int, each: int = 1) -> Callable[[], Awaitable[float]]:
    """How many a second, doing *work*, which does *each* of them, so many *times*."""

    async def measure() -> float:
        started = time.process_time()
        for _ in range(times):
            work()
        return times * each / (time.process_time() - started)

    return measure
