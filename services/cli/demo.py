"""A realistic organisation, loaded through the gateway like anybody's data; loading it again changes nothing.

Two product teams, one SRE team, five services from design to deprecation, an SLO for each that has users, four weeks
of measurements with one bad hour, and an incident with its postmortem.
"""

import math
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from libs.events.clock import Clock
from services.cli.errors import CliError
from services.cli.remote import Gateway

Line = dict[str, Any]
_DAYS = 28
_BUCKETS_PER_REQUEST = 5_000
_MINUTES_A_DAY = 24 * 60


class Demo(NamedTuple):
    """A service of the organisation.

    Args:
        name: Its label.
        team: Who owns it.
        tier: 1 is the most critical.
        phase: Where it stands.
        target: Of its SLO; 0 for none.
        peak: Requests in its busiest minute.
        bad_ratio: Share of requests that fail on an ordinary day.
    """

    name: str
    team: str
    tier: int
    phase: str
    target: float
    peak: int
    bad_ratio: float


TEAMS = (
    ("checkout", "dev", "Checkout"),
    ("catalogue", "dev", "Catalogue"),
    ("site-reliability", "sre", "Site Reliability"),
)
SERVICES = (
    Demo("checkout-api", "checkout", 1, "limited_availability", 0.995, 900, 0.0008),
    Demo("payment-gateway", "checkout", 1, "general_availability", 0.999, 400, 0.0002),
    Demo("product-search", "catalogue", 2, "general_availability", 0.99, 2500, 0.004),
    Demo("recommendations", "catalogue", 3, "active_development", 0, 0, 0),
    Demo("legacy-catalogue", "catalogue", 4, "deprecation", 0.95, 60, 0.01),
)
BAD_HOUR = ("checkout-api", 9)  # the service, and how many days ago


async def load(url: str, api_key: str, clock: Clock) -> AsyncIterator[Line]:
    """Fill the gateway at *url*; the lines say how far it is."""
    now = clock.now().astimezone(UTC).replace(second=0, microsecond=0)
    done, total = 0, len(TEAMS) + len(SERVICES) + sum(_requests(service) for service in SERVICES) + 1
    async with Gateway(url, api_key) as gateway:
        for name, kind, display_name in TEAMS:
            await _create(gateway, "/v1/teams", {"name": name, "kind": kind, "display_name": display_name})
            done += 1
            yield _step(done, total)
        for service in SERVICES:
            body = {"name": service.name, "owner_team": service.team, "tier": service.tier, "phase": service.phase}
            await _create(gateway, "/v1/services", body)
            done += 1
            yield _step(done, total)
        for service in filter(lambda service: service.target, SERVICES):
            await _create(gateway, "/v1/slos", _slo(service))
            for buckets in _pages(list(_traffic(service, now))):
                await gateway.call("POST", f"/v1/slos/{service.name}-availability/measurements", {"buckets": buckets})
                done += 1
                yield _step(done, total)
        await _learn(gateway)
        yield _step(total, total)
    yield {"summary": {"teams": len(TEAMS), "services": len(SERVICES), "days_of_measurements": _DAYS}}


async def _create(gateway: Gateway, path: str, body: Line) -> None:
    """Create what is not there yet."""
    try:
        await gateway.call("POST", path, body)
    except CliError as refused:
        if not str(refused).startswith("409"):
            raise


async def _learn(gateway: Gateway) -> None:
    """An incident of the past with its postmortem, unless an earlier load made it."""
    service = BAD_HOUR[0]
    known = await gateway.call("GET", f"/v1/incidents?service={service}")
    if any(incident["title"] == _INCIDENT["title"] for incident in known["items"]):
        return
    incident = await gateway.call("POST", "/v1/incidents", _INCIDENT | {"service": service})
    path = f"/v1/incidents/{incident['id']}"
    for verb, reason in (("acknowledge", "on it"), ("mitigate", "rolled back"), ("resolve", "errors are gone")):
        await gateway.call("POST", f"{path}:{verb}", {"reason": reason})
    postmortem = await gateway.call("POST", "/v1/postmortems", {"incident": incident["id"]})
    await gateway.call("POST", "/v1/actions", _ACTION | {"postmortem": postmortem["id"]})
    await gateway.call("POST", f"/v1/postmortems/{postmortem['id']}:publish", {"reason": "reviewed by both sides"})


def _traffic(service: Demo, now: datetime) -> Iterator[Line]:
    """Four weeks of minutes with a daily rhythm, quieter at weekends; deterministic."""
    start = now - timedelta(days=_DAYS)
    carried = 0.0
    bad_from = now - timedelta(days=BAD_HOUR[1])
    for minute in range(_DAYS * _MINUTES_A_DAY):
        at = start + timedelta(minutes=minute)
        daylight = 0.6 - 0.4 * math.cos(2 * math.pi * (at.hour * 60 + at.minute) / _MINUTES_A_DAY)
        total = round(service.peak * daylight * (0.7 if at.weekday() >= 5 else 1.0))  # noqa: PLR2004  Saturday
        in_bad_hour = service.name == BAD_HOUR[0] and bad_from <= at < bad_from + timedelta(hours=1)
        carried += total * (0.3 if in_bad_hour else service.bad_ratio)  # spread over minutes, without chance
        bad = min(int(carried), total)
        carried -= bad
        yield {"start": at.isoformat(), "good": total - bad, "total": total}


def _pages(buckets: list[Line]) -> Iterator[list[Line]]:
    for first in range(0, len(buckets), _BUCKETS_PER_REQUEST):
        yield buckets[first : first + _BUCKETS_PER_REQUEST]


def _requests(service: Demo) -> int:
    return -(-_DAYS * _MINUTES_A_DAY // _BUCKETS_PER_REQUEST) if service.target else 0


def _step(done: int, total: int) -> Line:
    return {"progress": {"label": "demo", "done": done, "total": total}}


def _slo(service: Demo) -> Line:
    source = {"metricSource": {"type": "concordat", "spec": {"query": "push"}}}
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": f"{service.name}-availability", "displayName": f"{service.name} answers"},
        "spec": {
            "description": "Requests answered with a status below 500",
            "service": service.name,
            "indicator": {
                "metadata": {"name": f"{service.name}-answers"},
                "spec": {"ratioMetric": {"counter": True, "good": source, "total": source}},
            },
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": "Answered", "target": service.target}],
        },
    }


_INCIDENT: Line = {"title": "Checkout answers 502 after a configuration change", "severity": "sev2"}
_ACTION: Line = {
    "title": "Roll configuration out like code: canary first",
    "owner": "ana",
    "type": "prevent",
    "priority": "P1",
    "due": "2030-01-31",
}
