"""What the routes of rotations and schedules do alike: both are defined by a name, and changed from a moment on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.decider import Decider
from libs.events.projection import Projection
from libs.events.resources import Resources
from libs.web import etag
from libs.web.calls import Call
from libs.web.pagination import Page, Paging
from services.incidents.api.filters import matching
from services.incidents.domain.errors import AbsentError
from services.incidents.on_call.changes import changing

K = TypeVar("K")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Defined(Generic[K, A]):
    """A kind of thing that is defined.

    Args:
        decider: Its rules; None is what was never defined.
        listed: Its read model: name, ended, the folded state, and words that are looked for.
        state: What it is folded to.
        answer: How it is answered.
    """

    decider: Decider[Any, K | None, Any]
    listed: Projection
    state: type[K]
    answer: Callable[[K], A]

    def known(self, state: K | None) -> K:
        """What was defined.

        Raises:
            AbsentError: Nothing of this name was.
        """
        if state is None:
            raise AbsentError(self.decider.category)
        return state

    async def pin(self, call: Call, name: str) -> tuple[Call, K]:
        """As it is now, and *call*, which changes that or nothing; its route is `retried_on_conflict`."""
        loaded = await call.resources.handler.load(self.decider, name)
        return call.pinned(loaded), self.known(loaded.state)

    async def page(
        self, resources: Resources, page: Paging, words: Column[Any], word: str | None, ended: Sequence[bool] | None
    ) -> Page[A]:
        """Those by name of which *words* hold *word*, where one is named."""
        c = self.listed.view.c
        query = select(self.listed.view).where(*matching({c.ended: ended}))
        if word is not None:
            query = query.where(words.contains(f" {word} ", autoescape=True))

        def item(row: Any) -> A:  # noqa: ANN401  a row
            return self.answer(codec.convert(row["state"], self.state))

        return await resources.views.read(page.fetch, query, key=c.name, item=item)

    async def get(self, request: Request, resources: Resources, name: str) -> Response:
        """One, with what it was and what is planned."""
        loaded = await resources.handler.load(self.decider, name)
        return etag.answer(request, self.answer(self.known(loaded.state)), version=loaded.version)

    async def carry(self, call: Call, name: str, command: object, *, at: str = "") -> Response:
        """Carry out a command; *at*: where what it makes is found."""
        return await call.handle(
            self.decider,
            name,
            command,
            body=lambda outcome: self.answer(self.known(outcome.state)),
            status=201 if at else 200,
            location=at or None,
            effects=changing,
        )
