"""What incidents reads of other services is what they write."""

from libs.events.embedded_log import EmbeddedLog
from libs.events.memory import MemoryStore
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from services.incidents.contract import CONTRACT
from services.incidents.projections.known_services import KNOWN_SERVICES
from services.incidents.reactions import slo_alerts
from tests.fixtures.golden import golden, recorded


def readable(events: EventRegistry) -> set[str]:
    """The types that *events* decodes from what their service says it writes."""
    for kind in events:
        for path in golden(kind.name):
            events.decode(recorded(path))
    return {kind.name for kind in events}


async def test_burn_rate_alerts() -> None:
    clock = FrozenClock()
    async with open_views("memory:") as views:
        reaction = slo_alerts(
            Resources("incidents", CONTRACT, MemoryStore(clock), views, EmbeddedLog(None, clock), clock)
        )

    assert readable(reaction.events) == {"io.concordat.slo.alert.fired.v1", "io.concordat.slo.alert.resolved.v1"}


def test_services() -> None:
    assert readable(KNOWN_SERVICES.events) == {
        f"io.concordat.lifecycle.service.{what}.v1"
        for what in ("registered", "changed", "phase-changed", "engaged", "released")
    }
