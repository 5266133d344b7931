from datetime import date, timedelta

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from libs.web.problems import Place


class Step(BaseModel):
    model_config = ConfigDict(extra="forbid")

    delay: timedelta
    day: date = date(2026, 11, 22)
    steps: dict[str, "Step"] = {}


@pytest.mark.parametrize(
    ("sent", "pointer", "said"),
    [
        ("{}", "/delay", "is missing; send it"),
        ('{"delay": "PT5M", "dlay": 1}', "/dlay", "is not a field here; remove it"),
        ('{"delay": "five minutes"}', "/delay", "is no duration; write it as ISO 8601, such as PT5M"),
        ('{"delay": {}}', "/delay", "is no duration; write it as ISO 8601, such as PT5M"),
        ('{"delay": "PT5M", "day": "30 Nov"}', "/day", "is no day; write it such as 2026-11-30"),
        ('{"delay": "PT5M", "steps": {"a/b~": {}}}', "/steps/a~1b~0/delay", "is missing; send it"),
    ],
)
def test_what_pydantic_finds_is_said_with_its_place_and_remedy(sent: str, pointer: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Step.model_validate_json(sent)
    (found,) = refused.value.errors()
    assert Place.of_shape(found, found["loc"]) == Place(said, pointer)
