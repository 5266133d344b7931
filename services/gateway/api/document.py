"""One OpenAPI document out of four."""

import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import msgspec

from libs.events.errors import SetupError
from libs.web.problems import responses
from services.gateway.api.routing import METHODS

Document = dict[str, Any]

SELF: Final = "gateway"
OWNERS: Final = ("lifecycle", "slo", "incidents")
_DESCRIPTION: Final = """\
The agreement between product-development teams and SRE teams: lifecycle, SLOs, incidents, promises.

Every refusal is a problem document (RFC 9457) that says what to do. Lists come in pages: send `next_page_token` back as
`page_token`. Writes take an `Idempotency-Key`, and answer an `ETag` and a `Consistency-Token`; a read that brings the
token shows the write.
"""
_HEAD: Final[Document] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Concordat",
        "version": "1",
        "description": _DESCRIPTION,
        "contact": {"name": "whoever runs this installation"},
        "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/", "description": "this installation"}],
    "security": [{"ApiKey": []}],
}
_KEY: Final = {
    "type": "apiKey",
    "in": "header",
    "name": "X-API-Key",
    "description": "`cc_<id>_<secret>`, from `POST /v1/api-keys`; the first is in `admin.key` of the data directory.",
}
_PARAMETER: Final = re.compile(r"\{[^}]*\}")


def owners_documents() -> dict[str, Document]:
    """The committed documents of the owners, by service."""
    folder = resources.files("services.gateway") / "openapi"
    return {owner: msgspec.json.decode((folder / f"{owner}.json").read_bytes()) for owner in OWNERS}


def merge(documents: Mapping[str, Document]) -> Document:
    """One document; where two services describe the same operation, the earlier one wins.

    Raises:
        SetupError: The documents cannot be one: a path is spelled in two ways.
    """
    paths: Document = {}
    components: Document = {"securitySchemes": {"ApiKey": _KEY}}
    tags: dict[str, Document] = {}
    spelled: dict[str, str] = {}
    names: set[str] = set()
    for service, original in documents.items():
        document = _renamed(service, original, components)
        for kind, entries in document.get("components", {}).items():
            if kind != "securitySchemes":
                components.setdefault(kind, {}).update(entries)
        for path, item in document["paths"].items():
            if spelled.setdefault(_PARAMETER.sub("{}", path), path) != path:
                message = f"{service} calls {path} what another service calls {spelled[_PARAMETER.sub('{}', path)]}"
                raise SetupError(message)
            for method in METHODS:
                if method in item and method not in paths.get(path, {}):
                    operation = _operation(service, item[method], names)
                    paths.setdefault(path, {})[method] = operation
                    tags |= {tag: {"name": tag} for tag in operation.get("tags", ()) if tag not in tags}
        tags |= {tag["name"]: tag for tag in document.get("tags", ())}
    return _HEAD | {
        "tags": [tags[name] for name in sorted(tags)],
        "paths": dict(sorted(paths.items())),
        "components": {kind: dict(sorted(entries.items())) for kind, entries in sorted(components.items())},
    }


def _operation(service: str, operation: Document, names: set[str]) -> Document:
    """*operation* under a name of its own, with the gateway's security in place of the owner's."""
    name = operation["operationId"]
    if name in names:
        name = f"{service}_{name}"
    names.add(name)
    public = operation.get("security") == []
    kept = {key: value for key, value in operation.items() if key != "security"}
    if service != SELF:
        answers = kept["responses"] | {str(status): answer for status, answer in responses(504).items()}
        kept["responses"] = dict(sorted(answers.items()))
    return kept | {"operationId": name} | ({"security": []} if public else {})


def _renamed(service: str, document: Document, taken: Document) -> Document:
    """*document* with other names for components whose names mean something else in *taken*."""
    renames: dict[str, str] = {}
    while True:  # what refers to something renamed means something else too
        moved = _with_references(document, renames)
        more = {
            f"#/components/{kind}/{name}": f"#/components/{kind}/{service.capitalize()}{name}"
            for kind, entries in moved.get("components", {}).items()
            if kind != "securitySchemes"
            for name, entry in entries.items()
            if taken.get(kind, {}).get(name, entry) != entry
        }
        if more == renames:
            break
        renames = more
    for old, new in renames.items():
        _, _, kind, name = old.split("/")
        entries = moved["components"][kind]
        entries[new.rpartition("/")[2]] = entries.pop(name)
    return moved


def _with_references(value: Any, renames: Mapping[str, str]) -> Any:  # noqa: ANN401  it is JSON
    if isinstance(value, dict):
        return {
            key: renames.get(inner, inner) if key == "$ref" else _with_references(inner, renames)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_with_references(inner, renames) for inner in value]
    return value
