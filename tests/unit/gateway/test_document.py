"""One OpenAPI document out of several."""

from typing import Any

from services.gateway.api.document import merge


def _document(path: str, field: str) -> dict[str, Any]:
    """A service that answers a page of items, which have *field*."""
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}}
    return {
        "paths": {path: {"get": {"operationId": f"list{path}", "responses": {"200": answer}}}},
        "components": {
            "schemas": {
                "Item": {"properties": {field: {"type": "string"}}},
                "Page": {"properties": {"items": {"items": {"$ref": "#/components/schemas/Item"}}}},
            }
        },
    }


def test_what_contains_something_of_another_meaning_has_another_name_too() -> None:
    merged = merge({"slo": _document("/a", "tier"), "incidents": _document("/b", "urgency")})
    schemas = merged["components"]["schemas"]
    for path, page, field in (("/a", "Page", "tier"), ("/b", "IncidentsPage", "urgency")):
        answer = merged["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer == {"$ref": f"#/components/schemas/{page}"}
        item = schemas[page]["properties"]["items"]["items"]["$ref"].rpartition("/")[2]
        assert list(schemas[item]["properties"]) == [field]


def test_what_two_services_mean_alike_is_there_once() -> None:
    merged = merge({"slo": _document("/a", "tier"), "incidents": _document("/b", "tier")})
    assert list(merged["components"]["schemas"]) == ["Item", "Page"]
