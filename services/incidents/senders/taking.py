"""Takes what a sender said: a signal is stored when this returns, and not before."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from libs.events.envelope import Context, Metadata
from libs.events.ids import new_id
from libs.events.resources import Resources
from services.incidents.domain.integration.decider import Active
from services.incidents.intake import Intake
from services.incidents.projections.known_services import known_of
from services.incidents.senders.pagerduty import Action
from services.incidents.senders.sorting import Said, sort

_AT_ONCE = 64  # of one notification; the store takes them in groups


class Taking:
    """What is done with alerts that senders tell of.

    Args:
        resources: The service's adapters.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._intake = Intake(resources)

    def context(self, integration: str, request_id: str, traceparent: str) -> Context:
        """The circumstances of what *integration* sends."""
        metadata = Metadata(
            actor=integration,
            auth_method="integration-key",
            client=f"integration/{integration}",
            request_id=request_id,
            correlation_id=request_id,
            traceparent=traceparent,
        )
        return Context.of_request(self._resources.clock.now(), metadata)

    async def take(
        self, integration: Active, action: Action, dedup_key: str, said: Said | None, context: Context
    ) -> None:
        """Do what one event asks for."""
        name = integration.integration
        match action:
            case "acknowledge":
                await self._intake.acknowledge(name, dedup_key, context)
            case "resolve":
                await self._intake.clear(name, dedup_key, context.at, context)
            case "trigger":
                if said is not None:
                    await self._trigger(integration, [said], [context])

    async def take_all(
        self, integration: Active, firing: Sequence[Said], resolved: Iterable[tuple[str, datetime]], context: Context
    ) -> None:
        """Do what a notification of many alerts asks for; all of it is stored, or it raises and is sent again."""
        name = integration.integration
        await self._trigger(integration, firing, [context.part(said.dedup_key) for said in firing])
        await _in_turns(self._intake.clear(name, key, at, context.part(f"-{key}")) for key, at in resolved)

    async def _trigger(self, integration: Active, all_said: Sequence[Said], contexts: Sequence[Context]) -> None:
        label = integration.profile.service_label
        known: frozenset[str] = frozenset()
        if label:
            named = {said.labels[label] for said in all_said if label in said.labels}
            known = await self._resources.views.read(known_of, named)
        await _in_turns(
            self._intake.trigger(sort(integration, said, known), str(new_id()), context)
            for said, context in zip(all_said, contexts, strict=True)
        )


async def _in_turns(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do *work*, so much of it at once."""
    pending = iter(work)
    while batch := list(islice(pending, _AT_ONCE)):
        if len(batch) == 1:
            await batch[0]  # no task for a single one
        else:
            await asyncio.gather(*batch)
