"""What a review template refuses.

LifecycleError
├── InvalidChecklistError   it contradicts itself, or asks for what nobody can show
└── TemplateOutdatedError   it was written from a version that is not the newest
"""

from dataclasses import dataclass

from services.lifecycle.domain.errors import LifecycleError


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a checklist, and the JSON pointer to where it stands."""

    pointer: str
    detail: str


class InvalidChecklistError(LifecycleError):
    """It contradicts itself, or asks for what nobody can show."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = faults


class TemplateOutdatedError(LifecycleError):
    """It was written from a version that is not the newest."""

    def __init__(self, template: str, newest: int) -> None:
        super().__init__(
            f"the newest version of {template!r} is {newest}; read it, put your changes in, and send it with"
            f" version: {newest}"
        )
        self.template, self.newest = template, newest
