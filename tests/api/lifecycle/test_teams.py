from datetime import timedelta
from typing import Any

import pytest

from libs.events.envelope import Context, Metadata
from libs.events.errors import StoreUnavailableError
from libs.events.store import Timer
from libs.events.testing import FrozenClock
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import TEAM as TEAM_STREAM
from services.lifecycle.domain.team.commands import Register
from services.lifecycle.projections.teams import TeamFacts, team_of
from services.lifecycle.reactions.team_dates import set_missing
from services.lifecycle.timetable import team_dates
from tests.fixtures.engagements import active
from tests.fixtures.lifecycle_api import IN_MEMORY
from tests.fixtures.services import Running, eventually

TEAM = {"name": "checkout", "kind": "dev", "display_name": "Checkout"}


async def test_a_team_is_registered_read_and_changed(lifecycle: Running) -> None:
    created = await lifecycle.client.post("/v1/teams", json=TEAM)

    assert (created.status_code, created.headers["Location"]) == (201, "/v1/teams/checkout")
    assert {**TEAM, "state": "active", "registered_at": "2026-11-21T10:00:00Z"}.items() <= created.json().items()
    found = await lifecycle.client.get("/v1/teams/checkout")
    assert (found.json(), found.headers["ETag"]) == (created.json(), created.headers["ETag"])

    changed = await lifecycle.call(
        "PATCH", "/v1/teams/checkout", {"display_name": "Till"}, If_Match=found.headers["ETag"]
    )

    assert changed["display_name"] == "Till"


async def test_a_name_is_given_once_even_for_the_same_content(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", TEAM, expect=201)

    problem = await lifecycle.call("POST", "/v1/teams", TEAM, expect=409)

    assert (problem["code"], problem["errors"][0]["pointer"]) == ("name-taken", "/name")


@IN_MEMORY
async def test_a_name_that_is_no_label_is_refused_with_its_place_and_a_remedy(lifecycle: Running) -> None:
    problem = await lifecycle.call("POST", "/v1/teams", {**TEAM, "name": "Check Out"}, expect=422)

    (place,) = problem["errors"]
    assert place["pointer"] == "/name"
    assert "lower-case letters, digits and hyphens" in place["detail"]


async def test_a_change_from_what_was_once_so_is_refused(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", TEAM, expect=201)
    await lifecycle.call("PATCH", "/v1/teams/checkout", {"display_name": "Till"}, If_Match='"1"')

    await lifecycle.call("PATCH", "/v1/teams/checkout", {"display_name": "Shop"}, expect=412, If_Match='"1"')
    await lifecycle.call("PATCH", "/v1/teams/checkout", {"display_name": "Shop"}, expect=428)


@IN_MEMORY
async def test_a_team_that_does_not_exist_is_not_found(lifecycle: Running) -> None:
    await lifecycle.call("GET", "/v1/teams/checkout", expect=404)
    await lifecycle.call("PATCH", "/v1/teams/checkout", {}, expect=404, If_Match='"1"')


async def test_a_list_shows_the_caller_what_the_caller_has_written(lifecycle: Running) -> None:
    for name, kind in (("search", "dev"), ("checkout", "dev"), ("core-sre", "sre")):
        written = await lifecycle.client.post("/v1/teams", json={"name": name, "kind": kind})
    token = {"Consistency-Token": written.headers["Consistency-Token"]}

    first = await lifecycle.call("GET", "/v1/teams?page_size=2", **token)
    rest = await lifecycle.call("GET", f"/v1/teams?page_size=2&page_token={first['next_page_token']}", **token)
    sre = await lifecycle.call("GET", "/v1/teams?kind=sre", **token)

    assert [team["name"] for team in first["items"] + rest["items"]] == ["checkout", "core-sre", "search"]
    assert rest["next_page_token"] == ""
    assert [team["name"] for team in sre["items"]] == ["core-sre"]


async def test_as_of_answers_what_was_known_then(lifecycle: Running, clock: FrozenClock) -> None:
    before = clock.now()
    registered = clock.advance(timedelta(hours=1))
    await lifecycle.call("POST", "/v1/teams", TEAM, expect=201)
    clock.advance(timedelta(hours=1))
    changed = await lifecycle.client.patch(
        "/v1/teams/checkout", json={"display_name": "Till"}, headers={"If-Match": '"1"'}
    )
    token = {"Consistency-Token": changed.headers["Consistency-Token"]}

    then = await lifecycle.call("GET", f"/v1/teams/checkout?as_of={registered:%Y-%m-%dT%H:%M:%SZ}")
    listed = await lifecycle.call("GET", f"/v1/teams?as_of={registered:%Y-%m-%dT%H:%M:%SZ}", **token)
    earlier = await lifecycle.call("GET", f"/v1/teams?as_of={before:%Y-%m-%dT%H:%M:%SZ}", **token)

    assert (then["display_name"], listed["items"]) == ("Checkout", [then])
    assert earlier["items"] == []
    await lifecycle.call("GET", f"/v1/teams/checkout?as_of={before:%Y-%m-%dT%H:%M:%SZ}", expect=404)


CORE = {
    "name": "core-sre",
    "kind": "sre",
    "members": ["ana", "bo"],
    "leads": ["ana"],
    "product": "di",
    "charter": {"mission": "Keep the shop open", "technologies": ["go", "postgres"]},
    "sites": [
        {"name": "berlin", "time_zone": "Europe/Berlin", "headcount": 6},
        {"name": "austin", "time_zone": "America/Chicago", "headcount": 6},
    ],
    "duties": [{"name": "ticket queue", "site": "berlin", "holder": "bo", "rotate_by": "2026-12-01"}],
    "syncs": [{"name": "hand-over", "sites": ["berlin", "austin"], "every": "P7D", "last_held": "2026-11-16"}],
}


async def _register(lifecycle: Running, *services: str) -> str:
    """Teams checkout and payments, and *services* of checkout; the token of the last."""
    await lifecycle.call("POST", "/v1/teams", {**TEAM, "members": ["ana", "bo"], "leads": ["ana"]}, expect=201)
    answer = await lifecycle.client.post("/v1/teams", json={"name": "payments", "kind": "dev", "members": ["cy"]})
    for service in services:
        answer = await lifecycle.client.post("/v1/services", json={"name": service, "owner_team": "checkout"})
    assert answer.status_code == 201
    return answer.headers["Consistency-Token"]


async def _owner(lifecycle: Running, service: str) -> str:
    return (await lifecycle.call("GET", f"/v1/services/{service}"))["owner_team"]


async def test_a_team_says_how_it_is_set_up_and_who_must_do_what_next_and_why(lifecycle: Running) -> None:
    created = await lifecycle.client.post("/v1/teams", json=CORE)
    token = {"Consistency-Token": created.headers["Consistency-Token"]}

    team = created.json()
    listed = await lifecycle.call("GET", "/v1/teams", **token)

    assert listed["items"] == [team]
    assert {field: team[field] for field in ("members", "leads", "product", "headcount")} == {
        "members": ["ana", "bo"],
        "leads": ["ana"],
        "product": "di",
        "headcount": 12,
    }
    assert [(step["what"], step["who"], step["due"]) for step in team["next_steps"]] == [
        ("hold 'hand-over'", ["ana"], "2026-11-23"),
        ("pass on 'ticket queue'", ["bo"], "2026-12-01"),
        ("review the structure of the team", ["ana"], "2027-11-21"),
    ]
    assert team["structure_review"]["source"].startswith("every 365 days")


@IN_MEMORY
async def test_a_team_of_which_little_is_known_says_what_is_missing(lifecycle: Running) -> None:
    sites = [{"name": site, "time_zone": "Europe/Berlin", "headcount": 6} for site in ("berlin", "oslo")]
    team = await lifecycle.call("POST", "/v1/teams", {"name": "core-sre", "kind": "sre", "sites": sites}, expect=201)

    assert [step["what"] for step in team["next_steps"] if step["due"] is None] == [
        "name a lead",
        "say in the charter which technologies the team knows",
        "agree a sync with berlin, oslo",
    ]


async def test_a_patch_replaces_what_it_names_and_leaves_the_rest(lifecycle: Running) -> None:
    before = await lifecycle.call("POST", "/v1/teams", CORE, expect=201)

    after = await lifecycle.call(
        "PATCH", "/v1/teams/core-sre", {"product": None, "charter": {"technologies": ["rust"]}}, If_Match='"1"'
    )

    expected = {**before, "product": None, "charter": {**before["charter"], "technologies": ["rust"]}}
    assert after == expected


@IN_MEMORY
@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"leads": ["cy"]}, "team-structure", "/leads/0"),
        (
            {"members": ["ana"], "sites": [{"name": "oslo", "time_zone": "Europe/Oslo", "headcount": 1}]},
            "team-structure",
            "/sites/0/headcount",
        ),
        ({"sites": [{"name": "oslo", "time_zone": "Oslo", "headcount": 6}]}, "invalid", "/sites/0/time_zone"),
        ({"syncs": [{"name": "sync", "sites": ["berlin", "austin"], "every": "PT1H"}]}, "invalid", "/syncs/0/every"),
        ({"charter": {"services": ["nowhere"]}}, "unknown-reference", "/charter/services/0"),
        ({"members": ["Ana Person"]}, "invalid", "/members/0"),
        ({"lead": "ana"}, "invalid", "/lead"),
    ],
)
async def test_a_set_up_that_cannot_be_is_refused_with_its_place(
    lifecycle: Running, changes: dict[str, Any], code: str, pointer: str
) -> None:
    await lifecycle.call("POST", "/v1/teams", CORE, expect=201)

    for method, path, body, match in (
        ("POST", "/v1/teams", {**CORE, "name": "web-sre", "duties": [], "syncs": [], **changes}, {}),
        ("PATCH", "/v1/teams/core-sre", {"duties": [], "syncs": [], **changes}, {"If_Match": '"1"'}),
    ):
        problem = await lifecycle.call(method, path, body, expect=422, **match)
        assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


async def test_a_review_of_the_structure_makes_the_next_due_a_year_later(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await lifecycle.call("POST", "/v1/teams", CORE, expect=201)
    clock.advance(timedelta(days=100))

    team = await lifecycle.call("POST", "/v1/teams/core-sre:review-structure", {"outcome": "keep"})

    review = team["structure_review"]
    assert (review["outcome"], review["by"], review["due"]) == ("keep", "ana", "2028-02-29")


async def test_a_shard_takes_people_and_services_along_all_at_once(lifecycle: Running) -> None:
    await _register(lifecycle, "shop", "till")
    part = {"name": "tills", "members": ["bo"], "leads": ["bo"], "services": ["till"]}

    left = await lifecycle.call("POST", "/v1/teams/checkout:shard", {"into": [part], "reason": "own roadmap"})

    tills = await lifecycle.call("GET", "/v1/teams/tills")
    assert (left["members"], left["state"]) == (["ana"], "active")
    assert (tills["kind"], tills["members"], tills["shard_of"]) == ("dev", ["bo"], "checkout")
    assert [await _owner(lifecycle, name) for name in ("shop", "till")] == ["checkout", "tills"]


@pytest.mark.parametrize(
    ("parts", "remaining", "code", "pointer"),
    [
        ([{"name": "payments", "services": ["till"]}], None, "name-taken", "/name"),
        ([{"name": "tills"}, {"name": "tills"}], None, "name-taken", "/name"),
        ([{"name": "tills", "services": ["ledger"]}], None, "foreign-service", "/into/0/services/0"),
        (
            [{"name": "a", "services": ["till"]}, {"name": "b", "services": ["till"]}],
            None,
            "foreign-service",
            "/into/1/services/0",
        ),
        ([{"name": "tills"}], {"leads": ["di"]}, "team-structure", "/leads/0"),
    ],
)
async def test_a_shard_that_cannot_be_changes_nothing(
    lifecycle: Running, parts: list[dict[str, Any]], remaining: dict[str, Any] | None, code: str, pointer: str
) -> None:
    await _register(lifecycle, "shop", "till")
    body = {"into": parts, "remaining": remaining, "reason": "own roadmap"}

    answer = await lifecycle.client.post("/v1/teams/checkout:shard", json=body)

    assert answer.status_code in {409, 422}
    assert (answer.json()["code"], answer.json()["errors"][0]["pointer"]) == (code, pointer)
    assert await _owner(lifecycle, "till") == "checkout"
    await lifecycle.call("GET", "/v1/teams/tills", expect=404)


async def test_a_merge_leaves_no_service_without_an_owner_and_points_onward(lifecycle: Running) -> None:
    await _register(lifecycle, "shop", "till")

    ended = await lifecycle.call("POST", "/v1/teams/checkout:merge", {"into": "payments", "reason": "one product"})

    assert (ended["state"], ended["end"]["how"], ended["end"]["into"]) == ("ended", "merged", "payments")
    assert ended["end"]["services"] == {"shop": "payments", "till": "payments"}
    payments = await lifecycle.call("GET", "/v1/teams/payments")
    assert payments["members"] == ["cy", "ana", "bo"]
    assert [await _owner(lifecycle, name) for name in ("shop", "till")] == ["payments", "payments"]
    problem = await lifecycle.call("PATCH", "/v1/teams/checkout", {}, expect=409, If_Match='"2"')
    assert (problem["code"], problem["into"]) == ("team-ended", "payments")


async def test_a_team_is_not_dissolved_while_a_service_would_be_left_without_an_owner(lifecycle: Running) -> None:
    await _register(lifecycle, "shop", "till")

    for answer in (
        await lifecycle.client.delete("/v1/teams/checkout"),
        await lifecycle.client.post(
            "/v1/teams/checkout:dissolve", json={"services": {"shop": "payments"}, "reason": "no need"}
        ),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "team-needed")
        assert "service till" in problem["needed_by"]
    assert await _owner(lifecycle, "shop") == "checkout"

    ended = await lifecycle.call("POST", "/v1/teams/checkout:dissolve", {"successor": "payments", "reason": "no need"})

    assert (ended["end"]["how"], ended["end"]["reason"]) == ("dissolved", "no need")
    assert [await _owner(lifecycle, name) for name in ("shop", "till")] == ["payments", "payments"]


async def test_what_has_ended_stays_readable_and_takes_nothing_on(lifecycle: Running) -> None:
    token = await _register(lifecycle)
    ended = await lifecycle.client.delete("/v1/teams/payments?reason=never%20needed")
    token = ended.headers["Consistency-Token"]

    found = await lifecycle.call("GET", "/v1/teams/payments")
    living = await lifecycle.call("GET", "/v1/teams?state=active", Consistency_Token=token)
    problem = await lifecycle.call("POST", "/v1/services", {"name": "shop", "owner_team": "payments"}, expect=409)

    assert (found["state"], found["end"]["reason"]) == ("ended", "never needed")
    assert [team["name"] for team in living["items"]] == ["checkout"]
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("reference-ended", "/owner_team")
    for path, body in (
        (":merge", {"into": "payments", "reason": "?"}),
        (":dissolve", {"successor": "payments", "reason": "?"}),
    ):
        if path == ":dissolve":
            await lifecycle.call("POST", "/v1/services", {"name": "shop", "owner_team": "checkout"}, expect=201)
        refused = await lifecycle.call("POST", f"/v1/teams/checkout{path}", body, expect=409)
        assert refused["code"] == "reference-ended"


async def test_a_merge_of_two_kinds_or_of_a_team_with_itself_is_refused(lifecycle: Running) -> None:
    await _register(lifecycle)
    await lifecycle.call("POST", "/v1/teams", CORE, expect=201)

    for into in ("core-sre", "checkout"):
        problem = await lifecycle.call("POST", "/v1/teams/checkout:merge", {"into": into, "reason": "?"}, expect=409)
        assert (problem["code"], problem["errors"][0]["pointer"]) == ("teams-differ", "/into")


async def test_others_ask_who_belongs_to_a_team(lifecycle: Running) -> None:
    created = await lifecycle.client.post("/v1/teams", json=CORE)
    await lifecycle.call("GET", "/v1/teams", Consistency_Token=created.headers["Consistency-Token"])

    found = await lifecycle.resources.views.read(team_of, "core-sre")

    assert found == TeamFacts("core-sre", "sre", ("ana", "bo"), ("ana",), "di", ended=False)
    assert await lifecycle.resources.views.read(team_of, "nobody") is None


@IN_MEMORY
async def test_a_team_with_an_engagement_is_not_dissolved(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    await lifecycle.call("POST", "/v1/teams", {"name": "web-sre", "kind": "sre"}, expect=201)

    for method, path, body in (
        ("DELETE", "", None),
        ("POST", ":dissolve", {"successor": "web-sre", "reason": "?"}),
    ):
        problem = await lifecycle.call(method, f"/v1/teams/sre-pay{path}", body, expect=409)
        assert (problem["code"], problem["needed_by"]) == ("team-needed", [f"engagement {engaged.id}"])


@IN_MEMORY
async def test_a_duty_and_a_look_at_the_structure_that_are_overdue_are_said_once(
    lifecycle: Running, clock: FrozenClock
) -> None:
    duty = {"name": "queue", "holder": "ana", "rotate_by": "2026-11-30"}
    await lifecycle.call("POST", "/v1/teams", {**TEAM, "members": ["ana"], "duties": [duty]}, expect=201)

    async def said() -> list[tuple[str, str]]:
        log = await lifecycle.resources.store.load("team/checkout")
        return [(each.type.split(".")[4], str(each.occurred_at.date())) for each in log if "overdue" in each.type]

    async def until(count: int) -> list[tuple[str, str]]:
        async def found() -> list[tuple[str, str]] | None:
            told = await said()
            return told if len(told) == count else None

        return await eventually(found) or []

    clock.advance(timedelta(days=10))
    assert await until(1) == [("duty-overdue", "2026-12-01")]
    await lifecycle.call(
        "PATCH", "/v1/teams/checkout", {"duties": [{**duty, "rotate_by": "2026-12-30"}]}, If_Match='"2"'
    )
    clock.advance(timedelta(days=40))
    assert (await until(2))[1][0] == "duty-overdue"
    clock.advance(timedelta(days=365))
    assert [kind for kind, _ in await until(3)] == ["duty-overdue", "duty-overdue", "structure-review-overdue"]


@IN_MEMORY
async def test_a_team_of_before_there_were_timers_has_them_once(lifecycle: Running, clock: FrozenClock) -> None:
    policies = load_policies(LifecycleSettings())
    dates = team_dates(policies.inbox, policies.teams)
    await set_missing(lifecycle.resources, dates)  # where nothing is stored, no read model is waited for
    at = clock.now()
    known = Register(team="checkout", kind="dev", display_name="Checkout", at=at)
    await lifecycle.resources.handler.handle(TEAM_STREAM, "checkout", known, Context.of_request(at, Metadata("ana")))

    async def starts() -> bool:
        try:
            await set_missing(lifecycle.resources, dates)
        except StoreUnavailableError:  # the read model is behind; a worker tries again
            return False
        return True

    await eventually(starts)
    clock.advance(timedelta(days=3))  # over a Monday
    await eventually(starts)

    async def next_digest() -> list[Timer]:
        due = await lifecycle.resources.store.due(at + timedelta(days=400), 10)
        return due if any(each.due_at.day == 30 and each.key == "digest/checkout" for each in due) else []

    due = await eventually(next_digest)
    assert [(each.key, each.due_at.date().isoformat()) for each in due if "checkout" in each.key] == [
        ("digest/checkout", "2026-11-30"),
        ("team-due/checkout", "2027-11-22"),
    ]
