"""Filters of lists: a parameter that is repeated means any of its values."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement


def matching(wanted: Mapping[ColumnElement[Any], Sequence[object] | None]) -> list[ColumnElement[bool]]:
    """The conditions that rows pass: for each column one of its values, if any were named."""
    return [column.in_(values) for column, values in wanted.items() if values]
