"""F17, drawn by a machine: schemathesis over the merged document, every operation of a running installation."""

import json
import subprocess
import sys
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

from tests.fixtures.servers import ROOT, ConcordatServer

EXAMPLES = 5  # per operation; the list of test_f17_bad_input.py is exhaustive, this one finds what nobody listed
STREAMS = {"/v1/events/stream"}  # it does not end


@pytest.mark.timeout(600)  # hundreds of operations; 180 s where ten processes share two cores
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the tool's own dependencies
def test_no_drawn_request_gives_a_500_and_the_log_stays_sound(concordat_server: ConcordatServer) -> None:
    headers = {"X-API-Key": concordat_server.api_key}
    document = schemathesis.openapi.from_url(f"{concordat_server.url}/openapi.json", headers=headers)
    sent: dict[int, int] = {}

    def try_operation(operation: schemathesis.APIOperation) -> None:
        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def each(case: schemathesis.Case) -> None:
            answer = case.call(headers=headers, timeout=30)
            sent[answer.status_code] = sent.get(answer.status_code, 0) + 1
            case.validate_response(answer, checks=[not_a_server_error])

        each()

    operations = [found.ok() for found in document.get_all_operations()]
    for operation in operations:
        if operation.path not in STREAMS:
            try_operation(operation)

    print(f"F17: {len(operations)} operations, answers {dict(sorted(sent.items()))}")  # noqa: T201  the test's figures
    found = asked(concordat_server, "events", "verify")
    assert {0} == {line["summary"]["faults"] for line in found if "summary" in line}
    assert asked(concordat_server, "dead-letters", "list") == []


def asked(server: ConcordatServer, *command: str) -> list[dict[str, Any]]:
    """What the command line says of the installation, line by line."""
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "services.cli.main", *command, "--json", "--data-dir", str(server.data_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
