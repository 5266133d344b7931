"""Real servers for the tests, started by the first test that asks and stopped by process id."""

import gc
from importlib.util import find_spec

import pytest
from hypothesis import settings

from deploy.local.alertmanager import alertmanager

settings.register_profile("unhurried", deadline=None)  # the machine may be busy
settings.register_profile("sampled", deadline=None, max_examples=20, stateful_step_count=20)  # `make check`
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
        "tests.fixtures.paging",
    )
    if find_spec(name)
]


collect_ignore = [] if alertmanager() else ["e2e/test_alertmanager.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A run says what it left out."""
    for path in collect_ignore:
        terminalreporter.write_line(f"tests/{path} was not collected: no Alertmanager here; set ALERTMANAGER_BIN_DIR")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules that start whole installations come first: at the end, all others would wait for one of them."""
    items.sort(key=lambda item: item.path.parent.name not in {"e2e", "faults"})


def pytest_collection_finish() -> None:
    """What was imported stays: looking for garbage in it again and again took a tenth of the time (as `serve_app`)."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
