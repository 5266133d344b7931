from pathlib import Path

import pytest
from sqlalchemy import text

from libs.events import database
from libs.events.database import open_database


async def test_a_read_whose_time_is_up_before_it_begins_is_made_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_SHORT_S", -1.0)
    monkeypatch.setattr(database, "_LOOK_AT_THE_TIME_EVERY", 1)
    async with open_database(f"sqlite:///{tmp_path / 'views.db'}", pool_size=1) as opened:
        found = [await opened.read(lambda connection: connection.scalar(text("SELECT 1"))) for _ in range(20)]
    assert found == [1] * 20
