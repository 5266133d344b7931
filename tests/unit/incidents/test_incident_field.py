from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import INCIDENT_FIELD
from services.incidents.domain.errors import AbsentError, FieldError
from services.incidents.domain.incident_field.commands import DefineField, RetireField
from services.incidents.domain.incident_field.decider import Defined, check_value
from services.incidents.domain.incident_field.events import IncidentFieldDefined, IncidentFieldRetired

BY: dict[str, Any] = {"field": "region", "by": "ana", "at": datetime(2026, 11, 21, 10, tzinfo=UTC)}
SAID: dict[str, Any] = {"display_name": "Region", "type": "choice", "choices": ("eu", "us"), "description": ""}
DEFINE, DEFINED = DefineField(**BY, **SAID), IncidentFieldDefined(**BY, **SAID)
RETIRE, RETIRED = RetireField(**BY), IncidentFieldRetired(**BY)


def test_a_field_is_defined_changed_retired_and_defined_again() -> None:
    given(INCIDENT_FIELD).when(DEFINE).then(DEFINED)
    given(INCIDENT_FIELD, DEFINED).when(DEFINE).then()
    given(INCIDENT_FIELD, DEFINED).when(replace(DEFINE, choices=("eu",))).then(replace(DEFINED, choices=("eu",)))
    required = {"required_to": "close"}
    given(INCIDENT_FIELD, DEFINED).when(replace(DEFINE, **required)).then(replace(DEFINED, **required))
    given(INCIDENT_FIELD, DEFINED).when(RETIRE).then(RETIRED)
    given(INCIDENT_FIELD, DEFINED, RETIRED).when(RETIRE).then()
    given(INCIDENT_FIELD, DEFINED, RETIRED).when(DEFINE).then(DEFINED)


def test_what_cannot_be_is_refused() -> None:
    given(INCIDENT_FIELD).when(RETIRE).refuses(AbsentError)
    given(INCIDENT_FIELD).when(replace(DEFINE, choices=())).refuses(FieldError)
    given(INCIDENT_FIELD).when(replace(DEFINE, type="text")).refuses(FieldError)


@pytest.mark.parametrize(
    ("kind", "takes", "refuses"),
    [
        ("text", "x", 1.0),
        ("number", 1.5, True),
        ("boolean", False, "no"),
        ("choice", "eu", "mars"),
        ("url", "https://a.example", "javascript:alert(1)"),
        ("url", "http://a.example/b", "https://"),
        ("url", "https://a.example/%20", "https://a.example/b c"),
    ],
)
def test_a_value_is_one_of_its_type(kind: Any, takes: object, refuses: object) -> None:
    state = Defined(replace(DEFINED, type=kind))
    check_value("region", state, takes)
    with pytest.raises(FieldError):
        check_value("region", state, refuses)
