"""What the command line answers: one line, and an exit code that scripts can rely on."""

import json
from pathlib import Path

import pytest

from services.cli.errors import NO, SETUP, UNREACHABLE, USAGE
from services.cli.main import main


def concordat(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """The exit code of `concordat` with *arguments*."""
    monkeypatch.setattr("sys.argv", ["concordat", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.fixture
def counts(tmp_path: Path) -> str:
    file = tmp_path / "counts.csv"
    file.write_text("start,good,total\n2026-01-01T00:00:00Z,2,4\n2026-01-01T00:01:00Z,10,10\n", encoding="utf-8")
    return str(file)


def test_a_report_is_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], counts: str
) -> None:
    monkeypatch.setattr("sys.argv", ["concordat", "slo", "report", counts, "--target", "0.95"])

    main()

    assert json.loads(capsys.readouterr().out)["good"] == 12


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["slo", "report", "COUNTS", "--target", "1"], USAGE, "1 leaves no error budget"),
        (["slo", "report", "COUNTS", "--target", "0.9", "--window", "3x"], USAGE, "--window is '3x'"),
        (["slo", "report", "absent.csv", "--target", "0.9"], SETUP, "absent.csv"),
        (["slo", "frob"], USAGE, "No such command 'frob'; see --help"),
        (["migrate", "frob"], USAGE, "no service 'frob'; there are lifecycle, slo, incidents, gateway"),
        (["events", "verify", "--data-dir", "absent"], SETUP, "there is no data directory absent"),
        (["api", "GET", "/v1/teams", "--data-dir", "absent"], SETUP, "set CONCORDAT_API_KEY"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    counts: str,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.delenv("CONCORDAT_API_KEY", raising=False)

    ended = concordat(monkeypatch, *(counts if argument == "COUNTS" else argument for argument in arguments))

    line = capsys.readouterr().err
    assert ended == code
    assert said in line
    assert line.count("\n") == 1


def test_a_bad_line_of_a_file_of_counts_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("start,good,total\n2026-01-01T00:00:00Z,5,4\n", encoding="utf-8")

    ended = concordat(monkeypatch, "slo", "report", str(file), "--target", "0.9")

    assert ended == NO
    assert "counts.csv: line 2" in capsys.readouterr().err


def test_a_gateway_that_is_not_there_is_unreachable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], socket_enabled: None
) -> None:
    ended = concordat(monkeypatch, "api", "GET", "/v1/teams", "--api-key", "x", "--url", "http://127.0.0.1:1")

    assert ended == UNREACHABLE
    assert "cannot be reached" in capsys.readouterr().err


def test_a_folder_of_somebody_elses_is_no_data_directory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")

    ended = concordat(monkeypatch, "projections", "list", "--data-dir", str(tmp_path))

    assert ended == SETUP
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
