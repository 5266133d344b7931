"""The garbage collector, kept off while a batch is on its way."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Generator[None]:
    """Thousands of objects that live until the batch is written: looking for garbage among them takes half the time.

    It may be on again before the end, when another batch ends meanwhile; it is never left off.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
