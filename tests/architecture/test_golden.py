"""Everything that was ever written can still be read: a golden file for each shape that a type of event has had."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from libs.events import codec
from services.cli.main import SERVICES
from tests.fixtures.golden import GOLDEN, golden, recorded, type_of

REGISTRIES = {service: import_module(f"services.{service}.contract").CONTRACT for service in SERVICES}
TYPES = [(service, kind.name) for service, registry in REGISTRIES.items() for kind in registry]


@pytest.mark.parametrize(("service", "name"), TYPES)
def test_the_newest_golden_file_of_a_type_is_what_is_written_today(service: str, name: str) -> None:
    newest = recorded(golden(name)[-1])

    event = REGISTRIES[service].decode(newest)

    assert json.loads(newest.data) == json.loads(codec.encode(event))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_a_golden_file_says_is_still_understood(path: Path) -> None:
    event = REGISTRIES[type_of(path).split(".")[2]].decode(recorded(path))

    said, understood = json.loads(path.read_bytes()), json.loads(codec.encode(event))

    assert _as_far_as(said, understood) == said


def _as_far_as(said: Any, understood: Any) -> Any:
    """*understood* without the fields that were added since; what is missing shows as a difference."""
    match said, understood:
        case dict(), dict():
            return {name: _as_far_as(said[name], understood[name]) for name in said if name in understood}
        case list(), list() if len(said) == len(understood):
            return [_as_far_as(*each) for each in zip(said, understood, strict=True)]
        case _:
            return understood


def test_a_wire_name_says_which_service_writes_it() -> None:
    for service, registry in REGISTRIES.items():
        for kind in registry:
            assert kind.name.startswith(f"io.concordat.{service}.")
