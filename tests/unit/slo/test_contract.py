"""Everything slo ever said can still be read."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.events import codec
from libs.events.envelope import Recorded
from libs.events.ids import new_id
from libs.events.registry import EventType
from services.slo.contract import CONTRACT

GOLDEN = Path(__file__).parents[2] / "golden"
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize("kind", list(CONTRACT), ids=lambda kind: kind.name)
def test_everything_ever_written_still_decodes_to_the_same(kind: EventType) -> None:
    data = (GOLDEN / f"{kind.name}.json").read_bytes()
    event = CONTRACT.decode(Recorded(1, "a/b", 1, kind.name, new_id(), AT, AT, data, b'{"actor":"slo"}'))
    assert type(event) is kind.cls
    assert json.loads(codec.encode(event)) == json.loads(data)


@pytest.mark.parametrize("kind", list(CONTRACT), ids=lambda kind: kind.name)
def test_a_golden_file_holds_every_field(kind: EventType) -> None:
    data = json.loads((GOLDEN / f"{kind.name}.json").read_bytes())
    assert sorted(data) == sorted(kind.cls.__dataclass_fields__)
