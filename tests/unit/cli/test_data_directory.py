"""A data directory has one holder, and leaves other people's files alone."""

from pathlib import Path

import pytest

from libs.events.errors import SetupError
from services.cli.data_directory import FORMAT, DataDirectory, InUseError


def test_a_held_directory_is_refused_with_the_holder_and_its_socket(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path)
    with first.hold():
        first.announce("/run/control.sock")

        with pytest.raises(InUseError, match="in use by process") as refused, DataDirectory(tmp_path).hold():
            pass

        assert refused.value.control == "/run/control.sock"


def test_a_directory_may_be_held_again_after_its_holder_has_ended(tmp_path: Path) -> None:
    with DataDirectory(tmp_path).hold():
        pass
    with DataDirectory(tmp_path).hold():
        pass


def test_a_missing_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"

    with DataDirectory(folder).hold():
        assert folder.stat().st_mode & 0o077 == 0


def test_files_that_are_not_concordats_are_left_alone(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("mine", encoding="utf-8")

    with DataDirectory(tmp_path).hold():
        pass

    assert note.read_text(encoding="utf-8") == "mine"


def test_a_directory_from_a_newer_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "format").write_text(f"{FORMAT + 1}\n", encoding="utf-8")

    with pytest.raises(SetupError, match=r"newer version.*install that version"), DataDirectory(tmp_path).hold():
        pass


def test_a_damaged_format_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("?", encoding="utf-8")

    with pytest.raises(SetupError, match=r"damaged.*backup"), DataDirectory(tmp_path).hold():
        pass


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("", encoding="utf-8")

    with pytest.raises(SetupError, match="cannot be used as data directory"), DataDirectory(folder).hold():
        pass
