"""Incidents while people work on them: merged and split, with roles, responders, links, updates and their times."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal, sign
from tests.fixtures.paging import timeline
from tests.fixtures.services import KEY, Elsewhere, Running, eventually, memory_is_enough

OUTAGE = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev2"}


async def declared(incidents: Running, **more: Any) -> dict[str, Any]:
    return await incidents.call("POST", "/v1/incidents", OUTAGE | more, expect=201)


async def burns(slo: Elsewhere, *alerts: str) -> None:
    for alert in alerts:
        await slo.says(
            "alert.fired",
            f"slo/{alert}",
            alert=alert,
            slo=alert.partition("-")[0],
            service="checkout-api",
            severity="page",
            short_window="5m",
            long_window="1h",
            burn_rate_long=20.0,
            at=slo.clock.now(),
        )


async def told(incidents: Running, number: str) -> list[str]:
    items = await timeline(incidents, number)
    return [item["text"] for item in items]


def as_bo(incidents: Running, clock: FrozenClock) -> dict[str, str]:
    bo = Principal("bo", "person", frozenset({"*"}), "api-key", "key-2")
    return {"Authorization": f"Bearer {sign(bo, 'incidents', KEY, now_s=clock.now().timestamp())}"}


async def test_two_incidents_become_one_with_the_alerts_of_both(incidents: Running, slo: Elsewhere) -> None:
    await burns(slo, "a-1", "b-1")

    async def both() -> Any:
        items = (await incidents.call("GET", "/v1/incidents"))["items"]
        return len(items) == 2 and {item["title"][0]: item for item in items}

    found = await eventually(both)  # either may be the first
    first, part = found["a"], found["b"]["number"]
    why = {"into": first["number"], "reason": "one queue"}
    merged = await incidents.call("POST", f"/v1/incidents/{part}:merge", why)
    assert (merged["state"], merged["merged_into"]) == ("merged", first["id"])
    assert await incidents.call("POST", f"/v1/incidents/{part}:merge", why) == merged

    whole = await incidents.call("GET", f"/v1/incidents/{first['id']}")
    assert len(whole["alerts_firing"]) == 2
    assert f"{part} is a part of it, with 1 alert: one queue" in await told(incidents, first["id"])
    assert (await told(incidents, part))[-1] == f"merged into {first['number']}: one queue"

    async def moved() -> Any:
        alerts = (await incidents.call("GET", f"/v1/alerts?incident={first['id']}"))["items"]
        return len(alerts) == 2 and "further alerts of slo/b join it: one queue" in await told(incidents, first["id"])

    assert await eventually(moved)
    await burns(slo, "b-2")  # of the group whose incident is no more

    async def joined() -> Any:
        return len((await incidents.call("GET", f"/v1/incidents/{first['id']}"))["alerts"]) == 3

    assert await eventually(joined)
    for alert in ("a-1", "b-1", "b-2"):
        await slo.says("alert.resolved", f"slo/{alert}", alert=alert, at=slo.clock.now())

    async def over() -> Any:
        return (await incidents.call("GET", f"/v1/incidents/{first['id']}"))["state"] == "resolved"

    assert await eventually(over)


async def test_alerts_that_have_another_cause_become_an_incident_of_their_own(
    incidents: Running, slo: Elsewhere
) -> None:
    await burns(slo, "a-1", "a-2")

    async def together() -> Any:
        items = (await incidents.call("GET", "/v1/incidents"))["items"]
        return items and len(items[0]["alerts"]) == 2 and items[0]

    whole = await eventually(together)
    split = {"alerts": whole["alerts"][1:], "title": "Search is slow", "service": "search-api", "severity": "sev3"}
    apart = await incidents.call("POST", "/v1/incidents/INC-1:split", split | {"reason": "another cause"}, expect=201)
    assert (apart["service"], apart["severity"], apart["split_from"]) == ("search-api", "sev3", whole["id"])
    assert (apart["state"], apart["alerts_firing"]) == ("active", split["alerts"])
    assert (await incidents.call("GET", "/v1/incidents/INC-1"))["alerts"] == whole["alerts"][:1]
    refused = await incidents.call("POST", "/v1/incidents/INC-1:split", split, expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("unknown-reference", "/alerts")

    async def moved() -> Any:
        return (await incidents.call("GET", f"/v1/alerts?incident={apart['id']}"))["items"]

    [alert] = await eventually(moved)  # whichever of both was the second
    assert [alert["id"]] == split["alerts"]
    ended = alert["dedup_key"]
    await slo.says("alert.resolved", f"slo/{ended}", alert=ended, at=slo.clock.now())

    async def watched() -> Any:
        return (await incidents.call("GET", f"/v1/incidents/{apart['id']}"))["stage"] == "monitoring"

    assert await eventually(watched)


@memory_is_enough
async def test_one_that_is_merged_nowhere_or_into_one_that_is_over_is_refused(incidents: Running) -> None:
    await declared(incidents)
    await declared(incidents)
    await incidents.call("POST", "/v1/incidents/INC-2:cancel")
    missing = await incidents.call("POST", "/v1/incidents/INC-1:merge", {"into": "INC-9"}, expect=422)
    assert missing["errors"][0]["pointer"] == "/into"
    itself = await incidents.call("POST", "/v1/incidents/INC-1:merge", {"into": "INC-1"}, expect=422)
    assert itself["errors"][0]["pointer"] == "/into"
    over = await incidents.call("POST", "/v1/incidents/INC-1:merge", {"into": "INC-2"}, expect=409)
    assert (over["code"], over["state"]) == ("illegal-transition", "cancelled")
    assert (await incidents.call("GET", "/v1/incidents/INC-1"))["state"] == "triage"


async def test_what_is_said_of_an_incident_changes_by_who_has_seen_it(incidents: Running) -> None:
    lost = {"display_name": "Orders lost", "type": "number"}
    await incidents.call("PUT", "/v1/incident-fields/orders_lost", lost)
    await declared(incidents, priority="P2", tags=["eu"], fields={"orders_lost": 3}, customer_facing=True)
    path = "/v1/incidents/INC-1"
    worse = {"severity": "sev1", "priority": "P0", "affected_services": [{"service": "search-api", "users_share": 0.5}]}

    assert (await incidents.call("PATCH", path, worse, expect=428))["code"] == "if-match-required"
    changed = await incidents.call("PATCH", path, worse | {"reason": "all of Europe"}, If_Match='"1"')
    assert (changed["severity"], changed["priority"], changed["tags"]) == ("sev1", "P0", ["eu"])
    assert changed["fields"] == {"orders_lost": 3}
    assert changed["affected_services"] == [{"service": "search-api", "users_share": 0.5, "since": None, "until": None}]
    assert (await incidents.call("PATCH", path, {"test": True}, If_Match='"1"', expect=412))["code"]
    twice = {"affected_services": [{"service": "checkout-api"}]}
    refused = await incidents.call("PATCH", path, twice, If_Match="*", expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("invalid-impact", "/affected_services/0")

    async def listed() -> Any:
        return (await incidents.call("GET", "/v1/incidents?priority=P0&customer_facing=true&test=false"))["items"]

    assert await eventually(listed) == [changed]


@memory_is_enough
async def test_one_service_tag_or_field_is_added_and_taken_away_alone(incidents: Running) -> None:
    for field in ("orders_lost", "orders_late"):
        await incidents.call("PUT", f"/v1/incident-fields/{field}", {"display_name": field, "type": "number"})
    await declared(incidents, tags=["eu"], fields={"orders_lost": 3})
    path = "/v1/incidents/INC-1"

    await incidents.call("PUT", f"{path}/tags/us", {"reason": "support says so"})
    await incidents.call("PUT", f"{path}/tags/us")
    await incidents.call("PUT", f"{path}/affected-services/search-api", {"users_share": 0.5})
    whole = await incidents.call("PATCH", path, {"fields": {"orders_late": 7}}, If_Match="*")

    assert whole["tags"] == ["eu", "us"]
    assert [each["users_share"] for each in whole["affected_services"]] == [0.5]
    assert whole["fields"] == {"orders_lost": 3, "orders_late": 7}
    again = await incidents.call("PUT", f"{path}/affected-services/search-api", {"users_share": 0.25})
    assert [each["users_share"] for each in again["affected_services"]] == [0.25]
    await incidents.call("POST", f"{path}/tags/eu:remove")
    await incidents.call("POST", f"{path}/affected-services/search-api:remove", {"reason": "it has a cache"})
    left = await incidents.call("PATCH", path, {"fields": {"orders_lost": None}}, If_Match="*")
    assert (left["tags"], left["affected_services"], left["fields"]) == (["us"], [], {"orders_late": 7})
    await incidents.call("PATCH", path, {"priority": "P1", "test": True, "title": "Slow"}, If_Match="*")
    taken = dict.fromkeys(("priority", "test", "tags", "fields"))  # null takes each away
    left = await incidents.call("PATCH", path, taken, If_Match="*")
    assert [left[name] for name in ("title", *taken)] == ["Slow", "", False, [], {}]
    kept = await incidents.call("PATCH", path, {"severity": None}, If_Match="*", expect=422)
    assert kept["errors"][0]["pointer"] == "/severity"
    own = await incidents.call("PUT", f"{path}/affected-services/checkout-api", {}, expect=422)
    assert own["code"] == "invalid-impact"
    for number in range(20):
        await incidents.call("PUT", f"{path}/tags/t{number}")
    assert (await incidents.call("PUT", f"{path}/tags/t20", expect=422))["code"] == "too-many-tags"


async def test_a_field_that_becomes_another_says_which_values_do_not_fit(incidents: Running) -> None:
    path = "/v1/incident-fields/lost"
    await incidents.call("PUT", path, {"display_name": "Lost", "type": "text"})
    await declared(incidents, fields={"lost": "orders"})
    await declared(incidents, fields={"lost": "many"})
    await declared(incidents)

    await incidents.call("PUT", path, {"display_name": "Lost", "type": "choice", "choices": ["orders", "mails"]})

    async def misfits() -> Any:
        return (await incidents.call("GET", f"{path}/misfits"))["items"]

    [misfit] = await eventually(misfits)
    assert (misfit["number"], misfit["value"]) == ("INC-2", "many")
    assert "orders, mails" in misfit["why"]
    assert (await incidents.call("GET", "/v1/incidents/INC-2"))["fields"] == {"lost": "many"}
    assert (await incidents.call("GET", "/v1/incident-fields/none/misfits", expect=404))["code"] == "not-found"


async def test_people_fill_in_what_is_required_before_they_resolve_or_close(incidents: Running) -> None:
    for field, verb in (("cause", "close"), ("region", "resolve"), ("ticket", "")):
        definition = {"display_name": field, "type": "text", "required_to": verb}
        await incidents.call("PUT", f"/v1/incident-fields/{field}", definition)

    async def listed() -> Any:
        return len((await incidents.call("GET", "/v1/incident-fields"))["items"]) == 3

    assert await eventually(listed)
    await declared(incidents)
    path = "/v1/incidents/INC-1"
    steps = (await incidents.call("GET", f"{path}/responder-view"))["next"]
    assert any("fill in cause, region" in step for step in steps)
    assert (await incidents.call("POST", f"{path}:close", expect=409))["code"] == "illegal-transition"

    async def refused(verb: str) -> list[str]:
        problem = await incidents.call("POST", f"{path}:{verb}", expect=409)
        assert problem["code"] == "fields-empty"
        return [place["pointer"] for place in problem["errors"]]

    assert await refused("resolve") == ["/fields/region"]
    await incidents.call("POST", f"{path}:resolve", {"force": True, "reason": "nobody knows the region yet"})
    assert await refused("close") == ["/fields/cause", "/fields/region"]
    await incidents.call("PATCH", path, {"fields": {"cause": "full disk", "region": "eu"}}, If_Match="*")
    assert (await incidents.call("POST", f"{path}:close"))["state"] == "closed"
    assert (await incidents.call("POST", f"{path}:close"))["state"] == "closed"


async def test_a_field_takes_the_values_that_its_definition_names(incidents: Running) -> None:
    path = "/v1/incident-fields/region"
    region = {"display_name": "Region", "type": "choice", "choices": ["eu", "us"]}
    defined = await incidents.call("PUT", path, region)
    assert defined == await incidents.call("GET", path)
    assert (await declared(incidents, fields={"region": "eu"}))["fields"] == {"region": "eu"}
    for fields in ({"region": "mars"}, {"colour": "red"}):
        refused = await incidents.call("POST", "/v1/incidents", OUTAGE | {"fields": fields}, expect=422)
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("invalid-field", f"/fields/{next(iter(fields))}")
    assert (await incidents.call("PUT", path, region | {"choices": []}, expect=422))["code"] == "invalid-field"
    retired = await incidents.call("DELETE", path)
    assert retired["state"] == "retired"
    patch = {"fields": {"region": "us"}}
    assert (await incidents.call("PATCH", "/v1/incidents/INC-1", patch, If_Match="*", expect=422))["code"]

    async def listed() -> Any:
        items = (await incidents.call("GET", "/v1/incident-fields"))["items"]
        return items == [retired]

    assert await eventually(listed)
    assert (await incidents.call("GET", "/v1/incident-fields/none", expect=404))["code"] == "not-found"


@memory_is_enough
async def test_a_closed_incident_is_final_and_a_new_one_links_to_it(incidents: Running) -> None:
    old = await declared(incidents)
    for verb in ("resolve", "close"):
        await incidents.call("POST", f"/v1/incidents/INC-1:{verb}")
    final = await incidents.call("PATCH", "/v1/incidents/INC-1", {"severity": "sev1"}, If_Match="*", expect=409)
    assert (final["code"], final["state"], final["allowed"]) == ("illegal-transition", "closed", [])
    assert (await incidents.call("POST", "/v1/incidents/INC-1:reopen", expect=409))["state"] == "closed"

    again = await declared(incidents, follows="INC-1")

    assert again["links"] == [{"relation": "follows", "incident": old["id"], "number": "INC-1"}]
    seen = (await incidents.call("GET", "/v1/incidents/INC-1"))["links"]
    assert seen == [{"relation": "followed_by", "incident": again["id"], "number": "INC-2"}]
    gone = await incidents.call("POST", "/v1/incidents/INC-2/links/follows/INC-1:remove")
    assert gone["links"] == []
    assert (await incidents.call("GET", "/v1/incidents/INC-1"))["links"] == []
    linked = await incidents.call("POST", "/v1/incidents/INC-1/links", {"incident": "INC-2", "relation": "caused_by"})
    assert linked["links"][0]["number"] == "INC-2"
    [seen] = (await incidents.call("GET", "/v1/incidents/INC-2"))["links"]
    assert (seen["relation"], seen["number"]) == ("causes", "INC-1")
    itself = await incidents.call(
        "POST", "/v1/incidents/INC-1/links", {"incident": "INC-1", "relation": "related_to"}, expect=422
    )
    assert itself["code"] == "unknown-reference"
    assert await incidents.call("POST", "/v1/incidents/INC-2/links/causes/INC-9:remove") == await incidents.call(
        "GET", "/v1/incidents/INC-2"
    )
    refused = await incidents.call("POST", "/v1/incidents", OUTAGE | {"follows": "INC-9"}, expect=422)
    assert refused["errors"][0]["pointer"] == "/follows"


@memory_is_enough
async def test_the_commander_hands_over_to_who_acknowledges_it(incidents: Running, clock: FrozenClock) -> None:
    await declared(incidents)
    bo = as_bo(incidents, clock)
    path = "/v1/incidents/INC-1/roles"
    role = {"role": "incident_commander"}
    roles = await incidents.call("POST", path, role)
    assert roles["items"][0]["person"] == "ana"
    held = await incidents.call("POST", path, role, expect=409, **bo)
    assert (held["code"], held["holder"]) == ("role-held", "ana")

    offered = await incidents.call("POST", f"{path}/incident_commander:hand-over", {"to": "bo"})
    assert (offered["items"][0]["person"], offered["items"][0]["offered_to"]) == ("ana", "bo")
    taken = await incidents.call("POST", f"{path}/incident_commander:acknowledge", **bo)
    assert taken["items"][0]["person"] == "bo"
    assert [(turn["person"], turn["until"] is None) for turn in taken["history"]] == [("ana", False), ("bo", True)]
    forced = await incidents.call("POST", path, role | {"force": True, "reason": "bo is asleep"})
    assert forced["items"][0]["person"] == "ana"
    free = await incidents.call("POST", f"{path}/incident_commander:release")
    assert free == await incidents.call("GET", path)
    assert free["items"][0]["person"] == ""
    assert (await incidents.call("POST", f"{path}/emperor:release", expect=422))["code"]


@memory_is_enough
async def test_who_works_on_it_is_who_took_it_on_has_a_role_or_was_asked(incidents: Running) -> None:
    await declared(incidents)
    await incidents.call("POST", "/v1/incidents/INC-1:acknowledge")
    await incidents.call("POST", "/v1/incidents/INC-1/roles", {"role": "operations", "person": "bo"})
    path = "/v1/incidents/INC-1/responders"
    added = await incidents.call("POST", path, {"person": "cy", "side": "dev", "reason": "knows the queue"})
    assert [(each["person"], each["side"], each["roles"]) for each in added["items"]] == [
        ("ana", "", []),
        ("bo", "", ["operations"]),
        ("cy", "dev", []),
    ]
    released = await incidents.call("POST", f"{path}/cy:release")
    assert released == await incidents.call("GET", path)
    assert len(released["items"]) == 2


async def test_who_is_concerned_hears_in_time_or_it_is_said_that_they_did_not(
    incidents: Running, clock: FrozenClock
) -> None:
    await declared(incidents)
    every = await incidents.call("PUT", "/v1/incidents/INC-1/updates/cadence", {"every": "PT30M"})
    assert (every["update_every"], every["update_due"]) == ("PT30M", "2026-11-21T10:30:00Z")
    clock.advance(timedelta(minutes=10))
    told = await incidents.call("POST", "/v1/incidents/INC-1/updates", {"text": "We look."}, expect=201)
    updates = await incidents.call("GET", "/v1/incidents/INC-1/updates")
    assert (updates["items"], updates["next_due"]) == ([told], "2026-11-21T10:40:00Z")
    clock.advance(timedelta(minutes=31))

    async def overdue() -> Any:
        return (await incidents.call("GET", "/v1/incidents/INC-1"))["update_overdue"]

    assert await eventually(overdue)
    await incidents.call("POST", "/v1/incidents/INC-1/updates", {"text": "Still.", "audience": "customers"}, expect=201)
    assert not await overdue()
    await incidents.call("POST", "/v1/incidents/INC-1:resolve")
    assert (await incidents.call("GET", "/v1/incidents/INC-1"))["update_due"] is None


@memory_is_enough
async def test_how_often_they_hear_follows_the_severity_until_somebody_says_otherwise(incidents: Running) -> None:
    path = "/v1/incidents/INC-1"

    async def graded(severity: str) -> tuple[str | None, str | None]:
        whole = await incidents.call("PATCH", path, {"severity": severity}, If_Match="*")
        return whole["update_every"], whole["update_due"]

    opened = await declared(incidents)
    assert (opened["severity"], opened["update_every"]) == ("sev2", "PT60M")
    assert opened["update_due"] == "2026-11-21T11:00:00Z"
    assert await graded("sev1") == ("PT30M", "2026-11-21T10:30:00Z")
    assert await graded("sev3") == (None, None)
    assert (await incidents.call("GET", f"{path}/updates"))["by_severity"]

    await incidents.call("PUT", f"{path}/updates/cadence", {"every": "PT2H"})

    assert await graded("sev1") == ("PT120M", "2026-11-21T12:00:00Z")
    assert not (await incidents.call("GET", f"{path}/updates"))["by_severity"]


@memory_is_enough
async def test_every_time_says_where_it_comes_from(incidents: Running, clock: FrozenClock) -> None:
    await declared(incidents)
    clock.advance(timedelta(minutes=5))
    await incidents.call("POST", "/v1/incidents/INC-1:identify", {"reason": "the queue"})
    await incidents.call("POST", "/v1/incidents/INC-1:resolve", {"reason": "rolled back"})
    earlier = {"impact_started": "2026-11-21T09:40:00Z", "reason": "the graph says so"}
    await incidents.call("PATCH", "/v1/incidents/INC-1/milestones", earlier, If_Match="*")

    items = (await incidents.call("GET", "/v1/incidents/INC-1/milestones"))["items"]

    assert [(item["milestone"], item["source"], item["reason"]) for item in items] == [
        ("impact_started", "correction", "the graph says so"),
        ("detected", "declaration", ""),
        ("declared", "declaration", ""),
        ("acknowledged", "implied", "the queue"),
        ("mitigated", "implied", "rolled back"),
        ("resolved", "command", "rolled back"),
        ("closed", None, ""),
    ]


@memory_is_enough
async def test_an_entry_points_at_what_lies_elsewhere_by_links_that_a_browser_opens(incidents: Running) -> None:
    await declared(incidents)
    graph = {"title": "Errors", "url": "https://graphs.example/1"}
    path = "/v1/incidents/INC-1/timeline"
    written = await incidents.call("POST", path, {"text": "See", "attachments": [graph]}, expect=201)
    assert written["attachments"] == [graph]
    script = {"text": "See", "attachments": [graph | {"url": "javascript:alert(1)"}]}
    refused = await incidents.call("POST", path, script, expect=422)
    assert refused["errors"][0]["pointer"] == "/attachments/0/url"
