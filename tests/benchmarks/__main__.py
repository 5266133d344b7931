"""`make bench`: every row of the speed table, ours and its reference in one run; writes `build/bench.json`.

A missed goal is shown, and the exit code stays 0: a noisy machine is no reason to fail. `--quick` measures less of
each (under three minutes); names after it choose modules, such as `store http`.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.result import Result

MODULES = ("store", "projections", "bus", "http", "slo", "story")
OUTPUT = Path(__file__).parents[2] / "build" / "bench.json"


async def measure(names: Sequence[str], *, quick: bool) -> list[Result]:
    """The rows of the modules *names*, one after the other, said as they come."""
    results: list[Result] = []
    for name in names:
        for result in await import_module(f"tests.benchmarks.bench_{name}").run(quick=quick):
            results.append(result)
            print(f"{name}: {result.name}: {result.value:,.1f} {result.unit}", file=sys.stderr, flush=True)  # noqa: T201
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
    names = [argument for argument in arguments if argument in MODULES] or MODULES
    results = asyncio.run(measure(names, quick="--quick" in arguments))
    Console(width=160).print(shown(results))
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
