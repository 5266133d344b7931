"""Where an operation is carried out."""

from pathlib import Path

import pytest

from libs.events.errors import SetupError
from services.cli.access import operation_lines


async def test_only_an_operation_that_may_begin_makes_a_data_directory(tmp_path: Path) -> None:
    folder = tmp_path / "new"

    with pytest.raises(SetupError, match="no data directory"):
        await anext(operation_lines("events verify", {}, folder, ""))
    found = [line async for line in operation_lines("events verify", {}, folder, "", begins=True)]

    assert {line["summary"]["events"] for line in found} == {0}
    assert folder.exists()
