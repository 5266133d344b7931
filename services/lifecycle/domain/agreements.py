"""Working agreements that two teams can begin with: plain data, with the source each comes from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from services.lifecycle.domain.engagement.charter import OCCASIONS, Occasion
from services.lifecycle.domain.policy import Fault, InvalidPolicyError

_STRICT = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementTemplate:
    """How both sides may go about something, and who says so."""

    __pydantic_config__: ClassVar = _STRICT

    id: str
    occasion: Occasion
    title: str
    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementTemplates:
    """What comes with the program."""

    __pydantic_config__: ClassVar = _STRICT

    version: str
    templates: tuple[AgreementTemplate, ...]

    def validate(self) -> None:
        """Refuse templates of one name, and an occasion without any.

        Raises:
            InvalidPolicyError: Names every place.
        """
        if faults := list(self._faults()):
            raise InvalidPolicyError(faults)

    def _faults(self) -> Iterator[Fault]:
        names = [each.id for each in self.templates]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Fault(f"/templates/{index}/id", f"{name} is there twice")
        for occasion in OCCASIONS:
            if occasion not in {each.occasion for each in self.templates}:
                yield Fault("/templates", f"none for a {occasion}")
