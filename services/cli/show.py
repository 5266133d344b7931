"""How lines of an operation look: progress and text for people, JSON lines for machines (`--json`)."""

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Line = dict[str, Any]


async def show(lines: AsyncIterator[Line], *, as_json: bool, text: Callable[[Line], str] = str) -> list[Line]:
    """Print items and summaries on standard output, progress on standard error; gives the summaries.

    Args:
        lines: Of an operation (`operations.py`).
        as_json: One JSON object per item or summary instead of text, no progress.
        text: How an item reads.
    """
    summaries: list[Line] = []
    with ExitStack() as stack:
        bars = None if as_json else stack.enter_context(progress_bars(sys.stderr))
        tasks: dict[str, TaskID] = {}
        async for line in lines:
            match line:
                case {"progress": step}:
                    if bars is not None:
                        label = step["label"]
                        if label not in tasks:
                            tasks[label] = bars.add_task(label)
                        bars.update(tasks[label], completed=step["done"], total=step["total"])
                case {"item": item}:
                    _print(json.dumps(item) if as_json else text(item))
                case {"summary": summary}:
                    summaries.append(summary)
                    _print(json.dumps({"summary": summary}) if as_json else _sentence(summary))
                case _:
                    _print(json.dumps(line))
    return summaries


def progress_bars(to: TextIO) -> Progress:
    """Bars that say what, how far, how much, and how long still; silent where nobody looks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=to),
        disable=not to.isatty(),
    )


def as_line(item: Line) -> str:
    """An item's values side by side; empty ones are left out."""
    return "  ".join(f"{name}={value}" for name, value in item.items() if value not in (None, "", [], False))


def _sentence(summary: Line) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in summary.items())


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
