"""Lists in pages (AIP-158): a token is the place behind the last row, bound to the question it belongs to."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, DateTime, RowMapping, Select, Text, and_, column, or_
from starlette.requests import Request

from libs.web.middleware import add_header
from libs.web.problems import Place, Problem

MAX_PAGE_SIZE = 1000
_DEFAULT_PAGE_SIZE = 50
_PAGING = {"page_size", "page_token"}
_MOMENT: ColumnElement[Any] = column("moment", DateTime())
_NAME: ColumnElement[Any] = column("name", Text())
T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_page_token` is empty on the last."""

    items: list[T]
    next_page_token: str = ""


class Paging:
    """What a request says about pages, and the page that follows from it."""

    def __init__(self, request: Request, size: int, token: str, order_by: str) -> None:
        self._request = request
        self.size = min(size or _DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        self._token, self._order_by = token, order_by

    def fetch(
        self,
        connection: Connection,
        query: Select[Any],
        *,
        key: ColumnElement[Any],
        item: Callable[[RowMapping], T],
        orders: Mapping[str, ColumnElement[Any]] | None = None,
        descending: bool = False,
    ) -> Page[T]:
        """The page of *query* that the request asks for.

        Args:
            connection: Where to ask.
            query: All rows that pass the filters.
            key: A unique column: the last order, and the only one unless the request names another.
            item: Makes an item of a row.
            orders: What `order_by` may name; columns that are never null.
            descending: The direction when the request names none.

        Raises:
            Problem: 400 for a token of another question, or an `order_by` that is not offered.
        """
        column, downward = self._order(orders or {}, descending=descending)
        columns = [key] if column is None or column is key else [column, key]
        if self._token:
            query = query.where(_behind(columns, self._place(columns), downward=downward))
        query = query.order_by(*(c.desc() if downward else c.asc() for c in columns))
        query = query.add_columns(*(c.label(f"_place_{i}") for i, c in enumerate(columns))).limit(self.size + 1)
        rows = connection.execute(query).mappings().all()
        more = len(rows) > self.size
        rows = rows[: self.size]
        token = self._issue([rows[-1][f"_place_{i}"] for i in range(len(columns))]) if more else ""
        return Page(items=[item(row) for row in rows], next_page_token=token)

    def walk(self, behind: Callable[[datetime | None, int], Sequence[T]], *, place: Callable[[T], datetime]) -> Page[T]:
        """The page of a list that is computed, whose places are moments.

        Args:
            behind: At most so many items behind a place; None: from the first on.
            place: Of an item.

        Raises:
            Problem: 400 for a token of another question, or an `order_by`: there is one order.
        """
        self._order({}, descending=False)
        after: datetime | None = self._place([_MOMENT])[0] if self._token else None
        items = behind(after, self.size + 1)
        more = len(items) > self.size
        items = items[: self.size]
        return Page(items=list(items), next_page_token=self._issue([place(items[-1])]) if more else "")

    def cut(self, items: Sequence[T], *, place: Callable[[T], str], shown: Callable[[T], bool]) -> Page[T]:
        """The page of a list that is at hand whole, whose order never changes.

        Args:
            items: All of them: what the filters leave out by now may be where the page before ended.
            place: Of an item; no other has it.
            shown: Whether the filters take an item.

        Raises:
            Problem: 400 for a token of another question, or an `order_by`: there is one order.
        """
        self._order({}, descending=False)
        if self._token:
            last = self._place([_NAME])[0]
            behind = next((index for index, item in enumerate(items, 1) if place(item) == last), None)
            if behind is None:
                raise _invalid_token()
            items = items[behind:]
        found = list(islice(filter(shown, items), self.size + 1))
        more = len(found) > self.size
        found = found[: self.size]
        return Page(items=found, next_page_token=self._issue([place(found[-1])]) if more else "")

    def along(self, items: Sequence[T], *, place: Callable[[T], str]) -> Page[T]:
        """The page of a list that is at hand whole, in the order of its places, and whose items come and go.

        Args:
            items: All that the filters take, in that order.
            place: Of an item; no other has it.

        Raises:
            Problem: 400 for a token of another question, or an `order_by`: there is one order.
        """
        self._order({}, descending=False)
        last: str = self._place([_NAME])[0] if self._token else ""
        found = list(islice((item for item in items if place(item) > last), self.size + 1))
        more = len(found) > self.size
        found = found[: self.size]
        return Page(items=found, next_page_token=self._issue([place(found[-1])]) if more else "")

    def _order(
        self, orders: Mapping[str, ColumnElement[Any]], *, descending: bool
    ) -> tuple[ColumnElement[Any] | None, bool]:
        if not self._order_by:
            return None, descending
        name, _, direction = self._order_by.partition(" ")
        if name not in orders or direction.strip() not in {"", "asc", "desc"}:
            offered = ", ".join(orders) or "nothing: leave it out"
            detail = f"order_by takes a field, and asc or desc behind a space; fields here: {offered}"
            raise Problem(400, "invalid-order", "The order is not offered", detail, [Place(detail, "order_by")])
        return orders[name], direction.strip() == "desc"

    @property
    def _question(self) -> str:
        """Identifies path, filters and order: all but the paging itself."""
        asked = sorted(pair for pair in self._request.query_params.multi_items() if pair[0] not in _PAGING)
        text = msgspec.json.encode([self._request.url.path, asked])
        return blake2b(text, digest_size=8).hexdigest()

    def _issue(self, place: list[Any]) -> str:
        token = base64.urlsafe_b64encode(msgspec.json.encode([self._question, *place])).rstrip(b"=").decode()
        following = self._request.url.include_query_params(page_token=token)
        add_header(self._request, "Link", f'<{following.path}?{following.query}>; rel="next"')
        return token

    def _place(self, columns: list[ColumnElement[Any]]) -> list[Any]:
        padded = self._token + "=" * (-len(self._token) % 4)
        try:
            question, *place = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=list)
            if question != self._question or len(place) != len(columns):
                raise _invalid_token()
            return [
                msgspec.convert(value, column.type.python_type) for value, column in zip(place, columns, strict=True)
            ]
        except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
            raise _invalid_token() from error


def _behind(columns: list[ColumnElement[Any]], place: list[Any], *, downward: bool) -> ColumnElement[bool]:
    """The rows behind *place* in the order of *columns*."""
    behind = [c < v if downward else c > v for c, v in zip(columns, place, strict=True)]
    if len(columns) == 1:
        return behind[0]
    return or_(behind[0], and_(columns[0] == place[0], behind[1]))


def _invalid_token() -> Problem:
    detail = "a page_token goes with the path, filters and order it was answered for; start again without it"
    place = Place(detail, "page_token")
    return Problem(400, "invalid-page-token", "The page token does not fit", detail, [place])


async def _paging(
    request: Request,
    page_size: Annotated[int, Query(ge=0, description="Above 1,000 means 1,000; 0 means the default, 50.")] = 0,
    page_token: Annotated[str, Query(description="`next_page_token` of the page before.")] = "",
    order_by: Annotated[str, Query(description="A field, and `asc` or `desc` behind a space.")] = "",
) -> Paging:
    return Paging(request, page_size, page_token, order_by)


PageDep = Annotated[Paging, Depends(_paging)]
