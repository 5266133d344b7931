"""Tells notification targets of alerts: a reaction notes what is to be sent, a loop sends it until it is delivered.

At least once: a process that dies between an answer and its note sends again, under the same `Concordat-Delivery`.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, RowMapping

from libs.events.backoff import PASSING, Backoff, stopped_within
from libs.events.codec import encode
from libs.events.envelope import Context, Recorded
from libs.events.ids import derived_id
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from services.slo.config import SloSettings
from services.slo.contract import BUDGET, NOTIFICATION_TARGET
from services.slo.domain.budget.events import AlertCorrected, AlertFired, AlertResolved
from services.slo.notifying.deliveries import Kind, Outcome, claim, enqueue, finish, pending, prune
from services.slo.notifying.webhook import payload
from services.slo.prometheus import Secrets, SourceError

if TYPE_CHECKING:
    import httpx

NAME: Final = "slo.notifications"  # never changes: ids of deliveries follow from it
GIVE_UP: Final = timedelta(days=1)  # news that is older helps nobody
FIRST, LONGEST = timedelta(seconds=10), timedelta(hours=1)  # between attempts
_TIMEOUT_S: Final = 10.0
_CLAIMED: Final = timedelta(seconds=60)  # longer than an attempt takes
_AT_ONCE: Final = 16
_LOOK_EVERY_S: Final = 1.0
_PRUNE_EVERY_S: Final = 60.0
_PASSES: Final = {408, 425, 429}  # of the 4xx; the others are as final as Alertmanager takes them
_DOUBLINGS: Final = 12
_LOG = logging.getLogger(__name__)

FIRED = Counter("concordat_slo_alerts_fired", "Burn-rate alerts that fired", ["severity"])
RESOLVED = Counter("concordat_slo_alerts_resolved", "Burn-rate alerts that cleared", ["severity"])
CORRECTED = Counter("concordat_slo_alerts_corrected", "Alerts that later measurements say otherwise about")
DELIVERIES = Counter("concordat_slo_alerts_deliveries", "Attempts to notify a target", ["outcome"])
PENDING = Gauge("concordat_slo_alerts_deliveries_pending", "Notifications that wait to be sent")


class Notifier:
    """The worker's messenger."""

    def __init__(self, resources: Resources, settings: SloSettings) -> None:
        self._resources = resources
        self._settings = settings

    @property
    def reaction(self) -> Reaction:
        """Notes what alerts are to be told to whom."""
        return Reaction(
            name=NAME,
            source="slo",
            events=EventRegistry(
                {
                    "io.concordat.slo.alert.fired.v1": AlertFired,
                    "io.concordat.slo.alert.resolved.v1": AlertResolved,
                    "io.concordat.slo.alert.corrected.v1": AlertCorrected,
                }
            ),
            act={AlertFired: self._fired, AlertResolved: self._resolved, AlertCorrected: self._corrected},
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Send what is due until *stop*."""
        backoff, clock = Backoff(), asyncio.get_running_loop().time
        pruned_at = float("-inf")
        while not stop.is_set():
            try:
                if clock() - pruned_at >= _PRUNE_EVERY_S:
                    await self._resources.views.write_long(prune, self._resources.clock.now())
                    pruned_at = clock()
                waiting = await self._resources.views.read(pending)
                PENDING.set(waiting)
                if not waiting or not await self._send_due():
                    await stopped_within(stop, min(_LOOK_EVERY_S, self._settings.tick_s))
                backoff.succeeded()
            except PASSING as error:
                _LOG.warning("notifications wait: %s", error)
                await backoff.pause(stop)

    async def _fired(self, event: AlertFired, recorded: Recorded, context: Context) -> None:
        FIRED.labels(event.severity).inc()
        await self._note(event, None, event.targets, recorded, context.at)

    async def _resolved(self, event: AlertResolved, recorded: Recorded, context: Context) -> None:
        RESOLVED.labels(event.severity).inc()
        if event.targets:
            budget = (await self._resources.handler.load(BUDGET, event.slo)).state
            began = next((alert for alert, _ in budget.fired if alert.alert == event.alert), None)
            if began is not None:
                await self._note(began, event.at, event.targets, recorded, context.at)

    async def _corrected(self, _event: AlertCorrected, _recorded: Recorded, _context: Context) -> None:
        CORRECTED.inc()

    async def _note(
        self, alert: AlertFired, resolved_at: datetime | None, targets: Sequence[str], recorded: Recorded, now: datetime
    ) -> None:
        if not targets or now - recorded.occurred_at > GIVE_UP:
            return
        kind: Kind = "firing" if resolved_at is None else "resolved"
        rows = [
            {
                "id": str(derived_id(recorded.occurred_at, recorded.event_id, NAME, index)),
                "slo": alert.slo,
                "alert": alert.alert,
                "target": target,
                "kind": kind,
                "payload": encode(payload(target, alert, resolved_at)).decode(),
            }
            for index, target in enumerate(targets)
        ]
        await self._resources.views.write(enqueue, rows, now)

    async def _send_due(self) -> int:
        """Send what is due now; how many attempts were made."""
        import httpx  # noqa: PLC0415  it takes long, and most workers never notify

        now = self._resources.clock.now()
        rows = await self._resources.views.write(claim, now, now + _CLAIMED, _AT_ONCE)
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as http:
            outcomes = await asyncio.gather(*(self._attempt(http, row) for row in rows))
        if rows:
            await self._resources.views.write(self._note_all, rows, outcomes)
        return len(rows)

    def _note_all(self, connection: Connection, rows: Sequence[RowMapping], outcomes: Sequence[Outcome]) -> None:
        now = self._resources.clock.now()
        for row, outcome in zip(rows, outcomes, strict=True):
            pause = min(FIRST * 2 ** min(row["attempts"], _DOUBLINGS), LONGEST)
            if outcome.state == "pending" and now + pause - row["created_at"] > GIVE_UP:
                outcome = Outcome("failed", outcome.status, f"given up after a day; {outcome.detail}")  # noqa: PLW2901
            finish(connection, row, outcome, now, now + pause)
            DELIVERIES.labels("retried" if outcome.state == "pending" else outcome.state).inc()

    async def _attempt(self, http: "httpx.AsyncClient", row: RowMapping) -> Outcome:
        import httpx  # noqa: PLC0415  as above

        target: str = row["target"]
        address = (await self._resources.handler.load(NOTIFICATION_TARGET, target)).state
        if address is None:
            return Outcome("pending", None, f"no address is set; PUT /v1/notification-targets/{target}")
        if not self._settings.may_tell(address.url):
            return Outcome("pending", None, "its host is not among CONCORDAT_WEBHOOK_HOSTS; add it, or change the url")
        headers = {"content-type": "application/json", "concordat-delivery": row["id"], "user-agent": "concordat"}
        try:
            if address.secret:
                token = Secrets(self._settings.secrets).text(address.secret, "secret")
                headers["authorization"] = f"Bearer {token}"
            async with (
                asyncio.timeout(_TIMEOUT_S),
                http.stream("POST", address.url, content=row["payload"], headers=headers) as response,
            ):
                return _outcome(response.status_code)  # of the body nothing is read
        except SourceError as error:
            return Outcome("pending", None, error.fault.detail)
        except (TimeoutError, httpx.TimeoutException):
            return Outcome("pending", None, f"no answer within {_TIMEOUT_S:g} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Outcome("pending", None, f"cannot be reached: {type(error).__name__}")


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:  # noqa: PLR2004  2xx
        return Outcome("delivered", status)
    if 400 <= status < 500 and status not in _PASSES:  # noqa: PLR2004  4xx
        return Outcome("failed", status, f"refused with {status}; correct the url or its secret")
    return Outcome("pending", status, f"answered {status}")
