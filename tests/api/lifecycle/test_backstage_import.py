from datetime import timedelta
from typing import Any

import pytest
import yaml

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import IN_MEMORY
from tests.fixtures.services import Running

IMPORT = "/v1/imports/backstage"
CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Checkout_API
  title: Checkout API
  description: Takes orders
  tags: [go, postgres]
  labels: {region: eu}
  annotations: {backstage.io/source-location: "url:https://git.example/shop/"}
  links: [{url: "https://wiki.example/runbook", title: Runbook, type: runbook}]
spec: {type: service, lifecycle: production, owner: "group:checkout", system: shop, dependsOn: ["resource:db"]}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: checkout}
spec:
  type: team
  profile: {displayName: Checkout, email: checkout@example.org}
  members: [ana, "user:default/bo", "Ünknown Person"]
  children: []
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: checkout}
---
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: all}
spec: {targets: []}
"""


async def _imported(lifecycle: Running, text: str, query: str = "", expect: int = 200) -> Any:
    answer = await lifecycle.client.post(
        f"{IMPORT}{query}", content=text.encode(), headers={"Content-Type": "application/yaml"}
    )
    assert answer.status_code == expect, answer.text
    return answer.json()


def _component(**changes: Any) -> dict[str, Any]:
    metadata = {"name": "till", **changes.pop("metadata", {})}
    spec = {"type": "service", "lifecycle": "production", "owner": "checkout", **changes.pop("spec", {})}
    return {"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": metadata, "spec": spec, **changes}


async def test_a_catalogue_becomes_services_and_teams_with_a_report_of_what_was_mapped_and_kept(
    lifecycle: Running,
) -> None:
    report = await _imported(lifecycle, CATALOG)

    assert report["counts"] == {"created": 2, "kept": 1, "unreadable": 1}
    component, group, system, location = report["items"]
    assert (component["ref"], component["became"]) == ("component:default/checkout_api", "service/checkout-api")
    assert [remark["code"] for remark in component["remarks"]] == ["renamed", "dependency-not-declared"]
    assert component["kept"] == ["/metadata/annotations", "/spec/dependsOn"]
    assert [remark["code"] for remark in group["remarks"]] == ["personal-data", "unfit-name", "kind-assumed"]
    assert (system["result"], system["became"], system["kept"]) == ("kept", None, ["/metadata/name", "/spec/owner"])
    assert location["remarks"][0]["code"] == "unknown-kind"
    service = await lifecycle.call("GET", "/v1/services/checkout-api")
    assert (
        service.items()
        >= {
            "display_name": "Checkout API",
            "description": "Takes orders",
            "product": "shop",
            "technologies": ["go", "postgres"],
            "phase": "general_availability",
            "owner_team": None,
        }.items()
    )
    assert service["labels"]["backstage.io/owner"] == "group:checkout"
    assert [link["kind"] for link in service["links"]] == ["runbook", "source"]
    team = await lifecycle.call("GET", "/v1/teams/checkout")
    assert (team["display_name"], team["members"]) == ("Checkout", ["ana", "bo"])


async def test_the_same_import_again_changes_nothing(lifecycle: Running) -> None:
    await _imported(lifecycle, CATALOG)
    head = await lifecycle.resources.store.head()

    again = await _imported(lifecycle, CATALOG)

    assert again["counts"] == {"unchanged": 3, "unreadable": 1}
    assert await lifecycle.resources.store.head() == head


async def test_an_import_adds_and_never_takes_away_nor_moves_nor_gives_away(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", {"name": "payments", "kind": "dev"}, expect=201)
    mine = {"name": "till", "owner_team": "payments", "tier": 2, "technologies": ["rust"], "labels": {"region": "us"}}
    await lifecycle.call("POST", "/v1/services", mine, expect=201)

    report = await _imported(lifecycle, yaml.safe_dump(_component(metadata={"tags": ["go"]})))

    (item,) = report["items"]
    assert (item["result"], [remark["code"] for remark in item["remarks"]]) == ("updated", ["phase-differs"])
    service = await lifecycle.call("GET", "/v1/services/till")
    assert (service["phase"], service["owner_team"], service["tier"]) == ("architecture_and_design", "payments", 2)
    assert (service["technologies"], service["labels"]["region"]) == (["rust", "go"], "us")


@IN_MEMORY
async def test_what_is_missing_from_a_later_import_stays(lifecycle: Running) -> None:
    await _imported(lifecycle, CATALOG)

    await _imported(lifecycle, yaml.safe_dump(_component()))

    assert (await lifecycle.call("GET", "/v1/services/checkout-api"))["name"] == "checkout-api"


@IN_MEMORY
async def test_a_dry_run_says_what_would_be_and_stores_nothing(lifecycle: Running) -> None:
    report = await _imported(lifecycle, CATALOG, "?dry_run=true")

    assert (report["stored"], report["counts"]["created"]) == (False, 2)
    assert await lifecycle.resources.store.head() == 0


@IN_MEMORY
async def test_a_lifecycle_that_is_not_known_is_reported_and_its_original_kept(lifecycle: Running) -> None:
    report = await _imported(lifecycle, yaml.safe_dump(_component(spec={"lifecycle": "sunsetting"})))

    assert [remark["code"] for remark in report["items"][0]["remarks"]] == ["unknown-lifecycle"]
    service = await lifecycle.call("GET", "/v1/services/till")
    assert (service["phase"], service["labels"]["backstage.io/lifecycle"]) == ("architecture_and_design", "sunsetting")


async def test_the_originals_are_kept_without_personal_data_and_as_of_a_time(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await _imported(lifecycle, CATALOG)
    then = clock.now()
    clock.advance(timedelta(hours=1))
    answer = await lifecycle.client.post(
        IMPORT,
        content=CATALOG.replace("displayName: Checkout", "displayName: Till").encode(),
        headers={"Content-Type": "application/yaml"},
    )
    token = {"Consistency-Token": answer.headers["Consistency-Token"]}

    now = await lifecycle.call("GET", f"{IMPORT}/entities?kind=Group", **token)
    past = await lifecycle.call("GET", f"{IMPORT}/entities?kind=Group&as_of={then:%Y-%m-%dT%H:%M:%SZ}", **token)

    assert [one["document"]["spec"]["profile"] for one in now["items"]] == [{"displayName": "Till"}]
    assert [one["document"]["spec"]["profile"] for one in past["items"]] == [{"displayName": "Checkout"}]


@IN_MEMORY
@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ("text", "no-object", ""),
        (_component(apiVersion="v1"), "unknown-version", "/apiVersion"),
        (_component(kind="User"), "unknown-kind", "/kind"),
        (_component(metadata={"name": ""}), "no-name", "/metadata/name"),
        (_component(metadata={"name": "ä"}), "unfit-name", "/metadata/name"),
        ({**_component(), "spec": []}, "no-object", "/spec"),
    ],
)
async def test_a_document_that_cannot_be_read_keeps_no_other_out(
    lifecycle: Running, document: Any, code: str, pointer: str
) -> None:
    report = await _imported(lifecycle, yaml.safe_dump_all([document, _component(metadata={"name": "fine"})]))

    bad, fine = report["items"]
    assert (bad["result"], bad["remarks"][0]["code"], bad["remarks"][0]["pointer"]) == ("unreadable", code, pointer)
    assert fine["result"] == "created"


@IN_MEMORY
async def test_two_documents_that_would_become_one_are_not_mixed(lifecycle: Running) -> None:
    twice = [_component(metadata={"name": "till_a"}), _component(metadata={"name": "till.a"})]

    report = await _imported(lifecycle, yaml.safe_dump_all(twice))

    assert [item["result"] for item in report["items"]] == ["created", "unreadable"]


@IN_MEMORY
async def test_what_is_no_yaml_is_refused_with_its_place(lifecycle: Running) -> None:
    problem = await _imported(lifecycle, "kind: [", expect=422)

    assert problem["code"] == "unreadable"
    assert "line" in problem["detail"]
