"""Real servers for the tests, started by the first test that asks and stopped by process id."""

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.kafka"]
