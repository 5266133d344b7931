"""`make bench`: every row of the speed table, ours and its reference in one run; writes `build/bench.json`.

A missed goal is shown, and the exit code stays 0: a noisy machine is no reason to fail. `--quick` measures less of
each (under three minutes); names after it choose modules, such as `store http`.
"""

import gc
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests.benchmarks.result import Result
from tests.benchmarks.servers import Servers

MODULES = (
    *("slo", "on_call", "store", "projections", "bus", "fleet"),
    *("ingest", "gates", "inbox", "demo", "alerts", "paging", "http", "story"),
)
OUTPUT = Path(__file__).parents[2] / "build" / "bench.json"


async def measure(names: Sequence[str], servers: Servers, *, quick: bool) -> list[Result]:
    """The rows of the modules *names*, one after the other, said as they come."""
    results: list[Result] = []
    for name in names:
        started = time.perf_counter()
        for result in await import_module(f"tests.benchmarks.bench_{name}").run(servers, quick=quick):
            results.append(result)
            _say(f"{name}: {result.name}: {result.value:,.1f} {result.unit}")
        _say(f"{name}: took {time.perf_counter() - started:.0f} s")
        _write(results)  # a later module that fails takes none of it away
    return results


def shown(results: Sequence[Result]) -> Table:
    """The table."""
    table = Table("work", "ours", "reference", "ratio", "goal", "met")
    for each in results:
        reference = f"{each.reference_value:,.0f} ({each.reference})" if each.reference_value is not None else ""
        ratio = f"{each.ratio:.2f}" if each.ratio is not None else ""
        table.add_row(
            each.name, f"{each.value:,.1f} {each.unit}", reference, ratio, each.goal, "yes" if each.met else "NO"
        )
    return table


def main(arguments: Sequence[str]) -> None:
    """Measure, print, write."""
    gc.set_threshold(10_000, 20, 50)  # as `libs/web/server.py` has it for every process of ours
    names = [argument for argument in arguments if argument in MODULES] or MODULES
    directory = Path(tempfile.mkdtemp(prefix="concordat-bench-"))
    servers = Servers(directory)
    try:
        results = uvloop.run(measure(names, servers, quick="--quick" in arguments))
    finally:
        servers.stop()
        shutil.rmtree(directory, ignore_errors=True)
    Console(width=160).print(shown(results))


def _write(results: Sequence[Result]) -> None:
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  how far it is


if __name__ == "__main__":
    main(sys.argv[1:])
