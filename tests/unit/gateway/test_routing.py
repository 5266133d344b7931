"""Finding the operation that a path means."""

import pytest

from services.gateway.api.routing import Operation, Routes, operations

PATHS = {
    "/v1/services": "GET POST",
    "/v1/services/{service}": "GET PATCH",
    "/v1/services/{service}:transition": "POST",
    "/v1/services/{service}/gates/{phase}": "GET",
    "/v1/services/{service}/gates/{phase}:evaluate": "POST",
    "/v1/incidents/{id}:resolve": "POST",
    "/v1/openslo:validate": "POST",
    "/v1/events": "GET",
    "/v1/events/stream": "GET",
    "/v1/events/{id}": "GET",
    "/schemas/{type}.json": "GET",
}
ROUTES = Routes(
    (method, Operation("lifecycle", path, "services.read"))
    for path, methods in PATHS.items()
    for method in methods.split()
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/services", "/v1/services"),
        ("/v1/services/checkout-api", "/v1/services/{service}"),
        ("/v1/services/checkout-api:transition", "/v1/services/{service}:transition"),
        ("/v1/services/x/gates/general_availability", "/v1/services/{service}/gates/{phase}"),
        ("/v1/services/x/gates/general_availability:evaluate", "/v1/services/{service}/gates/{phase}:evaluate"),
        ("/v1/incidents/INC-42:resolve", "/v1/incidents/{id}:resolve"),
        ("/v1/openslo:validate", "/v1/openslo:validate"),
        ("/v1/events/stream", "/v1/events/stream"),
        ("/v1/events/7", "/v1/events/{id}"),
        ("/schemas/io.concordat.lifecycle.team.registered.v1.json", "/schemas/{type}.json"),
    ],
)
def test_a_path_finds_its_resource(path: str, expected: str) -> None:
    found = ROUTES.find(path)
    assert {operation.path for operation in found.values()} == {expected}
    assert sorted(found) == sorted(PATHS[expected].split())


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v1/services/",
        "/v1//services",
        "/v1/services/x:frobnicate",
        "/v1/services/:transition",
        "/v1/services/x/gates",
        "/v1/services/x/y/z",
        "/v1/incidents/INC-42",
        "/V1/services",
        "/schemas/.json",
        "//v1/services",
        "",
    ],
)
def test_a_path_without_a_resource_finds_nothing(path: str) -> None:
    assert ROUTES.find(path) == {}


def test_an_operation_that_names_no_scope_is_not_reachable() -> None:
    document = {
        "paths": {
            "/a": {"get": {}, "post": {"x-concordat-scope": "a.write"}},
            "/b": {"get": {"x-concordat-scope": None}},
        }
    }
    assert list(operations("slo", document)) == [
        ("POST", Operation("slo", "/a", "a.write")),
        ("GET", Operation("slo", "/b", None)),
        ("HEAD", Operation("slo", "/b", None)),
    ]
