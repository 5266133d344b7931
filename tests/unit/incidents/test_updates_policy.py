"""How often who is concerned hears of an incident, as a file says."""

from pathlib import Path

import pytest

from libs.events.errors import SetupError
from services.incidents.config import IncidentsSettings, load_updates

SHIPPED = IncidentsSettings(internal_key="x" * 32).updates_policy


def test_the_worse_it_is_the_sooner() -> None:
    policy = load_updates(SHIPPED)
    assert [policy.every_minutes(severity) for severity in ("sev1", "sev2", "sev3", "sev4")] == [30, 60, None, None]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("every_minutes: 30", "every_minutes: 1", "/cadence/sev1/every_minutes"),
        ("sev4:", "sev5:", "/cadence"),
        ('  sev3: {every_minutes: null, source: "[D] when there is something to say"}\n', "", "/cadence/sev3"),
    ],
)
def test_a_wrong_policy_stops_the_start_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    path = tmp_path / "updates.yaml"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    with pytest.raises(SetupError, match="CONCORDAT_UPDATES_POLICY") as refusal:
        load_updates(path)

    assert place in str(refusal.value)
