import json
from pathlib import Path

import pytest

from libs.events.registry import EventType
from services.incidents.contract import CONTRACT

GOLDEN = Path(__file__).parents[2] / "golden"
KINDS = list(CONTRACT)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_golden_file_holds_every_field(kind: EventType) -> None:
    data = json.loads((GOLDEN / f"{kind.name}.json").read_bytes())

    assert list(data) == list(kind.cls.__dataclass_fields__)
