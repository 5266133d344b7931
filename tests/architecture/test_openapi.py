"""The committed OpenAPI documents are what the routes say, and the merged one says enough."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from libs.web.auth import SCOPE
from services.cli.openapi_sync import ROOT, documents, text_of
from services.gateway.api.routing import METHODS

MERGED = Path("docs/openapi.json")


@pytest.fixture(scope="module")
def made() -> dict[Path, dict[str, Any]]:
    return asyncio.run(documents())


@pytest.fixture(scope="module")
def operations(made: dict[Path, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    paths = made[MERGED]["paths"]
    return {
        f"{method.upper()} {path}": item[method] for path, item in paths.items() for method in METHODS if method in item
    }


def test_the_committed_documents_are_what_the_routes_say(made: dict[Path, dict[str, Any]]) -> None:
    changed = [str(path) for path, document in made.items() if (ROOT / path).read_text() != text_of(document)]
    assert changed == [], "run `make openapi`"


def test_every_reference_leads_somewhere(made: dict[Path, dict[str, Any]]) -> None:
    components = made[MERGED]["components"]
    lost = [
        reference
        for reference in references(made[MERGED])
        if (parts := reference.split("/"))[3] not in components.get(parts[2], {})
    ]
    assert lost == []


def test_shapes_are_called_by_names_of_the_field_and_not_by_where_their_code_is(
    made: dict[Path, dict[str, Any]],
) -> None:
    shapes = [name for document in made.values() for name in document["components"].get("schemas", {})]
    assert [name for name in shapes if "__" in name] == [], "two shapes of one name: give each a name of its own"


def test_the_merged_document_says_where_how_and_under_which_licence(made: dict[Path, dict[str, Any]]) -> None:
    document = made[MERGED]
    assert document["servers"]
    assert document["info"]["contact"]
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    assert document["security"] == [{"ApiKey": []}]
    assert document["components"]["securitySchemes"]["ApiKey"]["name"] == "X-API-Key"


def test_every_operation_has_a_name_of_its_own_and_a_tag(operations: dict[str, dict[str, Any]]) -> None:
    names = [operation["operationId"] for operation in operations.values()]
    assert len(names) == len(set(names))
    assert [name for name, operation in operations.items() if not operation.get("tags")] == []


def test_every_operation_names_its_scope_or_is_public(operations: dict[str, dict[str, Any]]) -> None:
    open_doors = [name for name, operation in operations.items() if not operation.get(SCOPE)]
    assert [name for name in open_doors if operations[name].get("security") != []] == []


def test_every_operation_says_what_a_refusal_looks_like(operations: dict[str, dict[str, Any]]) -> None:
    for name, operation in operations.items():
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert "503" in refusals, name
        for answer in refusals.values():
            assert "application/problem+json" in answer["content"], name


def test_every_body_has_an_example(made: dict[Path, dict[str, Any]], operations: dict[str, dict[str, Any]]) -> None:
    schemas = made[MERGED]["components"]["schemas"]
    without: list[str] = []
    for name, operation in operations.items():
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            schema = content.get("schema", {})
            named = [schemas[reference.rpartition("/")[2]] for reference in references(schema)]
            if not any(
                described.get(key) for described in (content, schema, *named) for key in ("example", "examples")
            ):
                without.append(f"{name} ({kind})")
    assert without == []


def references(value: Any) -> set[str]:
    match value:
        case {"$ref": str(reference)}:
            return {reference}
        case dict():
            return {reference for inner in value.values() for reference in references(inner)}
        case list():
            return {reference for inner in value for reference in references(inner)}
        case _:
            return set()
