"""`concordat rotation preview FILE`, the JSON of `/v1/rotations:preview`."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.cli.main import main

BODY: dict[str, Any] = {
    "zone": "America/Chicago",
    "type": "hourly",
    "length": 24,
    "start": "2020-10-30T01:30",
    "participants": ["ana", "bo"],
    "restrictions": [{"days": ["monday"], "start": "20:00", "end": "08:00"}],
    "from": "2020-10-30T01:00",
    "until": "2020-11-03T01:00",
}


@pytest.fixture
def preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(**change: Any) -> None:
        file = tmp_path / "rotation.json"
        file.write_text(json.dumps(BODY | change))
        monkeypatch.setattr("sys.argv", ["concordat", "rotation", "preview", str(file)])
        main()

    return run


def test_shifts_are_told_with_the_offsets_of_the_zone(preview: Any, capsys: pytest.CaptureFixture[str]) -> None:
    preview(restrictions=[])
    shifts = json.loads(capsys.readouterr().out)["shifts"]
    assert shifts[0] == {"participant": "bo", "start": "2020-10-29T01:30:00-05:00", "end": "2020-10-30T01:30:00-05:00"}
    assert shifts[-1] == {"participant": "bo", "start": "2020-11-02T01:30:00-06:00", "end": "2020-11-03T01:30:00-06:00"}
    assert len(shifts) == 5


def test_restrictions_cut_them(preview: Any, capsys: pytest.CaptureFixture[str]) -> None:
    preview()
    shifts = json.loads(capsys.readouterr().out)["shifts"]
    assert [(each["start"], each["end"]) for each in shifts] == [
        ("2020-11-02T20:00:00-06:00", "2020-11-03T01:30:00-06:00")
    ]


def test_times_with_an_offset_are_moments(preview: Any, capsys: pytest.CaptureFixture[str]) -> None:
    preview(restrictions=[])
    on_the_wall = capsys.readouterr().out
    preview(restrictions=[], start="2020-10-30T06:30:00Z", until="2020-11-03T08:00:00+01:00")
    assert capsys.readouterr().out == on_the_wall


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"participants": []}, "/participants"),
        ({"restrictions": [{"days": [], "start": "08:00", "end": "09:00"}]}, "/restrictions/0/days"),
        ({"restrictions": [{"days": ["monday"], "start": "25:00", "end": "09:00"}]}, "/restrictions/0/start"),
        ({"until": "2020-10-29T01:00"}, "/until"),
        ({"length": 0}, "/length"),
        ({"start": 17}, "/start"),
    ],
)
def test_what_means_nothing_is_refused_with_its_place(
    preview: Any, capsys: pytest.CaptureFixture[str], change: dict[str, Any], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        preview(**change)
    assert ended.value.code == 1
    assert told in capsys.readouterr().err
