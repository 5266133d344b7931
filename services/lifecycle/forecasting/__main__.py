"""Reads a history a line, writes what it foretells a line, and ends with its input."""

import sys

from libs.events import codec
from services.lifecycle.forecasting.model import forecast
from services.lifecycle.forecasting.task import Task

_TASK = codec.decoder(Task)


def main() -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(codec.encode(forecast(_TASK.decode(line))) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
