import json

from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.fixtures.servers import ROOT


def test_the_merged_document_is_sound() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_bytes())
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
