"""Real servers for the tests, started by the first test that asks and stopped by process id."""

import gc
from importlib.util import find_spec

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)  # the machine may be busy
settings.register_profile("sampled", deadline=None, max_examples=20)  # `make check`; `make test` tries the rest
settings.load_profile("unhurried")
pytest.register_assert_rewrite("libs.events.testing", "libs.events.store_contract", "libs.events.bus_contract")

pytest_plugins = [
    name
    for name in (
        "tests.fixtures.postgres",
        "tests.fixtures.kafka",
        "tests.fixtures.prometheus",
        "tests.fixtures.servers",
        "tests.fixtures.views",
        "tests.fixtures.services",
    )
    if find_spec(name)
]


def pytest_collection_finish() -> None:
    """What was imported stays: looking for garbage in it again and again took a tenth of the time (as `serve_app`)."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
