"""A report as the command line asks for it."""

from pathlib import Path

import pytest

from services.slo.domain.errors import InvalidOptionError, InvalidTargetError
from services.slo.report import report_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "counts.csv"
    path.write_text("\ufeffstart,good,total\n2026-11-21T10:00:00Z,990,1000\n2026-11-21T10:01:00Z,500,500\n")
    return path


def test_the_options_are_read_as_people_write_them(file: Path) -> None:
    got = report_file(
        file,
        target=0.99,
        method="timeslices",
        window="1h",
        until="2026-11-21T10:01:00Z",
        slice_length="1m",
        slice_target=0.99,
        empty="bad",
    )
    assert (got["good"], got["total"], got["sli"]) == (990, 1000, 1 / 60)
    assert got["window"] == "1h"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("method", "guess"),
        ("empty", "fine"),
        ("window", "28"),
        ("window", "0d"),
        ("window", "9999Y"),
        ("slice_length", "soon"),
        ("slice_target", 0),
        ("slice_target", "x"),
        ("until", "yesterday"),
        ("until", "2026-11-21T10:00:00"),
    ],
)
def test_an_option_that_means_nothing_is_named(file: Path, option: str, value: object) -> None:
    with pytest.raises(InvalidOptionError, match=f"{value}"):
        report_file(file, target=0.99, **{option: value})  # pyright: ignore[reportArgumentType]  what is refused


def test_a_target_without_budget_is_refused(file: Path) -> None:
    with pytest.raises(InvalidTargetError):
        report_file(file, target=1)
