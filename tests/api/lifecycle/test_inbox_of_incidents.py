"""What the incidents service keeps waiting, in the inbox of those who may go on with it."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from tests.api.lifecycle.test_inbox import CY, DI, EVE, INBOX, waits_for
from tests.fixtures.engagements import teams_and_service
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, signed_in
from tests.fixtures.services import ANA, Elsewhere, Running, eventually


async def known(lifecycle: Running) -> None:
    """Two teams and a service, which the inbox knows of."""
    await teams_and_service(lifecycle)

    async def listed() -> bool:
        return bool((await lifecycle.call("GET", "/v1/services"))["items"])

    await eventually(listed)


def about(incidents: Elsewhere, **more: object) -> dict[str, Any]:
    """What the steps of a review say."""
    told = {"postmortem": "p1", "incident": "i1", "number": "INC-1", "service": "checkout-api", "title": "It fails"}
    return {**told, "authors": ["ana"], "by": "ana", "at": incidents.clock.now(), **more}


async def test_the_review_of_a_postmortem_waits_for_each_side_until_it_approves_or_sends_it_back(
    lifecycle: Running, incidents: Elsewhere
) -> None:
    await known(lifecycle)
    named = [{"person": "eve", "side": "sre"}]

    await incidents.says("postmortem.submitted", "postmortem/p1", **about(incidents, reviewers=named))

    (by_name,) = await waits_for(lifecycle, EVE, "postmortem_review", 1)  # whatever her team
    (of_team,) = await waits_for(lifecycle, CY, "postmortem_review", 1)
    assert (by_name["who"], by_name["why_yours"], by_name["how"]) == (
        ["eve"],
        "you are asked by name",
        "POST /v1/postmortems/p1:approve",
    )
    assert (of_team["who"], of_team["team"], of_team["service"]) == (["cy"], "checkout", "checkout-api")
    assert await waits_for(lifecycle, ANA, "postmortem_review", 0) == []  # she wrote it
    assert await waits_for(lifecycle, DI, "postmortem_review", 0) == []  # of SREs somebody else is asked

    approved = about(incidents, by="eve", side="sre", complete=False, missing=["product"])
    await incidents.says("postmortem.side-approved", "postmortem/p1", **approved)
    await waits_for(lifecycle, EVE, "postmortem_review", 0)
    await waits_for(lifecycle, CY, "postmortem_review", 1)

    back = about(incidents, by="cy", reason="say how many orders")
    await incidents.says("postmortem.changes-requested", "postmortem/p1", **back)
    (changes,) = await waits_for(lifecycle, ANA, "postmortem_changes", 1)
    assert (changes["why"], changes["how"]) == ("cy: say how many orders", "POST /v1/postmortems/p1:submit")
    await waits_for(lifecycle, CY, "postmortem_review", 0)

    await incidents.says("postmortem.published", "postmortem/p1", **about(incidents))
    await waits_for(lifecycle, ANA, "postmortem_changes", 0)


@IN_MEMORY
async def test_nobody_is_asked_any_more_when_both_sides_approved(lifecycle: Running, incidents: Elsewhere) -> None:
    await known(lifecycle)
    await incidents.says("postmortem.submitted", "postmortem/p1", **about(incidents, reviewers=[]))
    await waits_for(lifecycle, CY, "postmortem_review", 1)

    both = about(incidents, by="cy", side="product", complete=True)
    await incidents.says("postmortem.side-approved", "postmortem/p1", **both)

    await waits_for(lifecycle, CY, "postmortem_review", 0)


async def test_a_hand_over_waits_for_who_comes_until_it_is_acknowledged_or_a_week_old(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    told = {"schedule": "checkout", "person": "ana", "incidents": ["INC-1"], "by": "ana", "at": clock.now()}
    for shift, incoming in (("s1", ["bo"]), ("s2", ["cy"]), ("s3", [])):
        note = {"shift": shift, "incoming": incoming, "note": "watch the queue"}
        await incidents.says("shift.handed-over", f"shift/{shift}", **told, **note)

    (item,) = await waits_for(lifecycle, BO, "handover", 1)
    await waits_for(lifecycle, CY, "handover", 1)
    assert (item["how"], item["why"]) == ("POST /v1/schedules/checkout/handoffs/s1:acknowledge", "watch the queue")

    read = {"shift": "s1", "schedule": "checkout", "by": "bo", "at": clock.now()}
    await incidents.says("shift.acknowledged", "shift/s1", **read)
    await waits_for(lifecycle, BO, "handover", 0)
    clock.advance(timedelta(days=8))
    await waits_for(lifecycle, CY, "handover", 0)


@IN_MEMORY
async def test_a_role_waits_for_whom_it_is_offered_to_until_they_have_it_or_not_or_it_is_over(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await known(lifecycle)
    told = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev2", "by": "ana"}
    told |= {"reason": "", "at": clock.now()}
    for role, person in (("incident_commander", "bo"), ("scribe", "cy"), ("operations_lead", "eve")):
        await incidents.says("incident.role-offered", "incident/i1", **told, role=role, person=person)

    (item,) = await waits_for(lifecycle, BO, "incident_role", 1)
    await waits_for(lifecycle, EVE, "incident_role", 1)
    assert item["how"] == "POST /v1/incidents/INC-1/roles/incident_commander:acknowledge"
    assert (item["why"], item["team"]) == ("ana hands the role over to you", "checkout")

    taken = {"role": "incident_commander", "person": "bo", "handed_over": True}
    await incidents.says("incident.role-assumed", "incident/i1", **told, **taken)
    await waits_for(lifecycle, BO, "incident_role", 0)
    await incidents.says("incident.role-offer-ended", "incident/i1", **told, role="scribe", person="cy")
    await waits_for(lifecycle, CY, "incident_role", 0)
    await incidents.says("incident.closed", "incident/i1", **told)

    async def over() -> bool:
        return (await signed_in(lifecycle, EVE).call("GET", INBOX))["total"] == 0

    await eventually(over)
