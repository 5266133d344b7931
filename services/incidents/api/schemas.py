"""What is sent to and answered by incidents.

Bodies are pydantic models; answers are dataclasses, so that one thing looks the same alone (folded from its stream,
written by msgspec) and in a list (read from a projection).
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, TypeVar

from pydantic import Field

from libs.web.schemas import Body, Text, example

T = TypeVar("T")


Label = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]
Reference = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]


class Why(Body):
    """Why it is done."""

    model_config = example(reason="rolled back")

    reason: Text = ""


def left_out(schema: dict[str, Any]) -> None:
    """What is left out has no default that anybody could send."""
    schema.pop("default", None)


def of_row(answer: type[T], row: Mapping[Any, Any], **computed: object) -> T:
    """A projection's row as *answer*, whose fields are columns or *computed*."""
    names = (field.name for field in fields(answer))  # pyright: ignore[reportArgumentType]  every answer is a dataclass
    return answer(**{name: computed[name] if name in computed else row[name] for name in names})
