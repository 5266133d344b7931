"""Queries about one service, some or all: made once, because making one takes longer than asking it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, MappingResult, Select, bindparam


@dataclass(frozen=True, slots=True)
class ByService:
    """A query in three forms.

    Args:
        one: About the service `service`.
        some: About those of `services`.
        every: About all.
    """

    one: Select[*tuple[Any, ...]]
    some: Select[*tuple[Any, ...]]
    every: Select[*tuple[Any, ...]]

    @classmethod
    def of(cls, query: Select[*tuple[Any, ...]], column: ColumnElement[Any]) -> "ByService":
        """*query*, as it may be asked of the services in *column*."""
        some = query.where(column.in_(bindparam("services", expanding=True)))
        return cls(query.where(column == bindparam("service")), some, query)

    def rows(self, connection: Connection, services: Sequence[str], **values: object) -> MappingResult:
        """What it finds about *services*, about all when none is named; *values* are its other parameters."""
        if len(services) == 1:
            return connection.execute(self.one, {"service": services[0], **values}).mappings()
        if services:
            return connection.execute(self.some, {"services": services, **values}).mappings()
        return connection.execute(self.every, values).mappings()
