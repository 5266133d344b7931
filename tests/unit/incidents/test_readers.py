"""What incidents reads of other services is what they write."""

from datetime import UTC, datetime
from pathlib import Path

from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Recorded
from libs.events.ids import new_id
from libs.events.memory import MemoryStore
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from services.incidents.contract import CONTRACT
from services.incidents.projections.known_services import KNOWN_SERVICES
from services.incidents.reactions import slo_alerts

GOLDEN = Path(__file__).parents[2] / "golden"
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def readable(events: EventRegistry) -> set[str]:
    """The types that *events* decodes from what their service says it writes."""
    for kind in events:
        data = (GOLDEN / f"{kind.name}.json").read_bytes()
        events.decode(Recorded(1, "a/b", 1, kind.name, new_id(), AT, AT, data, b'{"actor":"golden"}'))
    return {kind.name for kind in events}


async def test_burn_rate_alerts() -> None:
    clock = FrozenClock()
    async with open_views("memory:") as views:
        reaction = slo_alerts(
            Resources("incidents", CONTRACT, MemoryStore(clock), views, EmbeddedLog(None, clock), clock)
        )

    assert readable(reaction.events) == {"io.concordat.slo.alert.fired.v1", "io.concordat.slo.alert.resolved.v1"}


def test_services() -> None:
    assert len(readable(KNOWN_SERVICES.events)) == 2
