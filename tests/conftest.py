"""Real servers for the tests, started by the first test that asks and stopped by process id."""

from importlib.util import find_spec

pytest_plugins = [name for name in ("tests.fixtures.postgres", "tests.fixtures.kafka") if find_spec(name)]
