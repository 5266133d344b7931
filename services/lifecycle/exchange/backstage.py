"""Backstage catalog documents (`catalog-info.yaml`) as what they can be here.

A Component becomes a service and a Group a team; a System, Domain, API or Resource is kept, as nothing here
corresponds. What has a place is mapped, what has none is kept with the original, and each is named in a report.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.catalogue import Catalogue, Link

KINDS: Final = ("Component", "System", "API", "Resource", "Group", "Domain")
PHASES: Final[Mapping[str, Phase]] = {  # Backstage leaves the word free; these three its documentation suggests
    "experimental": Phase.ACTIVE_DEVELOPMENT,
    "production": Phase.GENERAL_AVAILABILITY,
    "deprecated": Phase.DEPRECATION,
}
_API_VERSION: Final = re.compile(r"backstage\.io/v1(alpha|beta)[0-9]+")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LABEL_KEY: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"[^\x00-\x20\x7f]{0,200}")
_WEB: Final = re.compile(r"https?://\S{1,2000}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SOURCE: Final = "backstage.io/source-location"
_LINE: Final = 200


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was not mapped as it stands: a stable code, the place in the document, and why."""

    code: str
    pointer: str
    detail: str


class UnreadableEntityError(Exception):
    """The document is none of a Backstage catalogue that can be read."""

    def __init__(self, code: str, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.remark = Remark(code, pointer, detail)


@dataclass(slots=True)
class Read:
    """What a document says, as far as there is a place for it here.

    Args:
        ref: How Backstage names it.
        kind: What it is there.
        becomes: What it is here.
        name: Its name here; empty when it is kept only.
        display_name: What people call it.
        catalogue: What people look up about a service.
        phase: What `spec.lifecycle` says, if that is known.
        members: Of a team.
        mapped: The places that were mapped.
        kept: The places that have none here; the original holds them.
        remarks: What people should look at.
    """

    ref: str
    kind: str
    becomes: Literal["service", "team", ""]
    name: str = ""
    display_name: str = ""
    catalogue: Catalogue = field(default_factory=Catalogue)
    phase: Phase | None = None
    members: tuple[str, ...] = ()
    mapped: list[str] = field(default_factory=list[str])
    kept: list[str] = field(default_factory=list[str])
    remarks: list[Remark] = field(default_factory=list[Remark])


def read_entity(document: object) -> Read:
    """What *document* says.

    Raises:
        UnreadableEntityError: It is no document of a catalogue, or of no kind that is read.
    """
    if not isinstance(document, dict):
        raise UnreadableEntityError("no-object", "", "a document is an object with apiVersion, kind, metadata and spec")
    version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(version, str) or not _API_VERSION.fullmatch(version):
        raise UnreadableEntityError("unknown-version", "/apiVersion", "send apiVersion: backstage.io/v1alpha1")
    if kind not in KINDS:
        raise UnreadableEntityError("unknown-kind", "/kind", f"kinds that are read: {', '.join(KINDS)}")
    metadata, spec = _object(document, "metadata"), _object(document, "spec")
    name, namespace = metadata.get("name"), metadata.get("namespace", "default")
    if not isinstance(name, str) or not name:
        raise UnreadableEntityError("no-name", "/metadata/name", "every document has a name")
    if not isinstance(namespace, str):
        raise UnreadableEntityError("no-text", "/metadata/namespace", "a namespace is text")
    read = Read(f"{kind.lower()}:{namespace}/{name}".lower(), kind, "")
    if kind == "Component":
        _name(read, name, namespace)
        read.becomes = "service"
        _component(read, metadata, spec)
    elif kind == "Group":
        _name(read, name, namespace)
        read.becomes = "team"
        _group(read, metadata, spec)
    places = [*(f"/metadata/{key}" for key in metadata), *(f"/spec/{key}" for key in spec)]
    read.kept += [place for place in places if place not in {*read.mapped, *read.kept, "/metadata/namespace"}]
    return read


def ref_name(ref: object) -> str:
    """The name in an entity reference (`[kind:][namespace/]name`) as a name here; empty if it cannot be one."""
    name = re.split(r"[:/]", ref)[-1] if isinstance(ref, str) else ""
    found = _label(name)
    return found if _LABEL.fullmatch(found) else ""


def _object(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise UnreadableEntityError("no-object", f"/{key}", f"{key} is an object")
    return value


def _label(name: str) -> str:
    return re.sub(r"[._]+", "-", name.lower()).strip("-")


def _name(read: Read, name: str, namespace: str) -> None:
    read.name = _label(name if namespace == "default" else f"{namespace}-{name}")
    if not _LABEL.fullmatch(read.name):
        detail = "no name here can be made of it: 1 to 63 letters, digits and hyphens"
        raise UnreadableEntityError("unfit-name", "/metadata/name", detail)
    read.mapped.append("/metadata/name")
    if read.name != name:
        read.remarks.append(Remark("renamed", "/metadata/name", f"{name!r} is called {read.name!r} here"))


def _component(read: Read, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    read.display_name = _line(read, metadata, "/metadata", "title")
    labels = _labels(read, metadata.get("labels"))
    for key in ("owner", "type", "lifecycle", "system"):  # for display; nothing is derived from an owner
        value = spec.get(key)
        if isinstance(value, str) and _LABEL_VALUE.fullmatch(value) and value:
            labels[f"backstage.io/{key}"] = value
            read.mapped.append(f"/spec/{key}")
    lifecycle = spec.get("lifecycle")
    if isinstance(lifecycle, str):
        read.phase = PHASES.get(lifecycle.lower())
        if read.phase is None:
            known = ", ".join(PHASES)
            detail = f"{lifecycle[:_LINE]!r} is no phase that is known ({known}); the original is kept as a label"
            read.remarks.append(Remark("unknown-lifecycle", "/spec/lifecycle", detail))
    for key in ("dependsOn", "providesApis", "consumesApis"):
        if spec.get(key):
            detail = "say at the service how much it relies on each (PUT /v1/services/{service}/dependencies/{on})"
            read.remarks.append(Remark("dependency-not-declared", f"/spec/{key}", detail))
    description = metadata.get("description")
    if isinstance(description, str):
        read.mapped.append("/metadata/description")
    read.catalogue = Catalogue(
        description=description[:10_000] if isinstance(description, str) else "",
        product=ref_name(spec.get("system")),
        technologies=_tags(read, metadata.get("tags")),
        labels=labels,
        links=_links(read, metadata),
    )


def _group(read: Read, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    profile = spec.get("profile")
    if isinstance(profile, dict):
        read.display_name = _line(read, profile, "/spec/profile", "displayName")
        if {"email", "picture"} & profile.keys():
            detail = "personal data is left out of what is kept"
            read.remarks.append(Remark("personal-data", "/spec/profile", detail))
    read.display_name = read.display_name or _line(read, metadata, "/metadata", "title")
    members = spec.get("members")
    if isinstance(members, list):
        found = {str(member): ref_name(member) for member in members}
        read.members = tuple(dict.fromkeys(name for name in found.values() if name))
        read.mapped.append("/spec/members")
        read.remarks += [
            Remark("unfit-name", "/spec/members", f"{member[:_LINE]!r} can be no label of a person")
            for member, name in found.items()
            if not name
        ]


def _line(read: Read, source: Mapping[str, Any], place: str, key: str) -> str:
    value = source.get(key)
    if not isinstance(value, str) or not value or _CONTROL.search(value):
        return ""
    read.mapped.append(f"{place}/{key}")
    return value[:_LINE]


def _labels(read: Read, labels: object) -> dict[str, str]:
    if not isinstance(labels, dict):
        return {}
    read.mapped.append("/metadata/labels")
    found = {str(key): str(value) for key, value in labels.items()}
    fits = {key: value for key, value in found.items() if _LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value)}
    read.remarks += [
        Remark("unfit-label", "/metadata/labels", f"{key[:_LINE]!r} can be no label here")
        for key in found.keys() - fits.keys()
    ]
    return fits


def _tags(read: Read, tags: object) -> tuple[str, ...]:
    if not isinstance(tags, list):
        return ()
    read.mapped.append("/metadata/tags")
    names = {str(tag): _label(str(tag)) for tag in tags}
    read.remarks += [
        Remark("unfit-tag", "/metadata/tags", f"{tag[:_LINE]!r} can be no technology here")
        for tag, name in names.items()
        if not _LABEL.fullmatch(name)
    ]
    return tuple(dict.fromkeys(name for name in names.values() if _LABEL.fullmatch(name)))


def _links(read: Read, metadata: Mapping[str, Any]) -> tuple[Link, ...]:
    links: list[Link] = []
    listed = metadata.get("links")
    if isinstance(listed, list):
        read.mapped.append("/metadata/links")
        for index, link in enumerate(listed):
            url = link.get("url") if isinstance(link, dict) else None
            if not isinstance(url, str) or not _WEB.fullmatch(url):
                detail = "a link has a url that begins with http:// or https://"
                read.remarks.append(Remark("unfit-link", f"/metadata/links/{index}", detail))
                continue
            title = link.get("title")
            named = title if isinstance(title, str) and title and not _CONTROL.search(title) else url
            links.append(Link(named[:_LINE], url, ref_name(link.get("type"))))
    annotations = metadata.get("annotations")
    source = annotations.get(_SOURCE) if isinstance(annotations, dict) else None
    if isinstance(source, str) and _WEB.fullmatch(source.removeprefix("url:")):
        links.append(Link("Source", source.removeprefix("url:"), "source"))
    return tuple(links)
