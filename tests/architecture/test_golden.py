"""Everything that was ever written can still be read: one golden file per type and version of event."""

import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from libs.events import codec
from libs.events.envelope import Recorded
from libs.events.ids import new_id
from services.cli.main import SERVICES

GOLDEN = Path(__file__).parent.parent / "golden"
REGISTRIES = {service: import_module(f"services.{service}.contract").CONTRACT for service in SERVICES}
TYPES = [(service, kind.name) for service, registry in REGISTRIES.items() for kind in registry]


def recorded(name: str) -> Recorded:
    """The golden event *name* as a log would hold it."""
    data = msgspec.json.encode(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")))
    then = datetime(2026, 1, 1, tzinfo=UTC)
    return Recorded(1, "golden/1", 1, name, new_id(), then, then, data, b'{"actor":"golden"}')


@pytest.mark.parametrize(("service", "name"), TYPES)
def test_a_type_that_is_written_today_has_a_golden_file_that_it_writes_again(service: str, name: str) -> None:
    golden = recorded(name)

    event = REGISTRIES[service].decode(golden)

    assert json.loads(golden.data) == json.loads(codec.encode(event))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_file_is_decoded_by_the_service_that_wrote_it(path: Path) -> None:
    service = path.stem.split(".")[2]

    assert path.stem in REGISTRIES[service]


def test_a_wire_name_says_which_service_writes_it() -> None:
    for service, registry in REGISTRIES.items():
        for kind in registry:
            assert kind.name.startswith(f"io.concordat.{service}.")
