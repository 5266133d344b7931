"""What a policy refuses; who may sign is refused in `signing.py`, a document that makes no sense in `document.py`.

SloError
└── PolicyError
    ├── NoSuchPolicyError          nobody has written one for the service
    ├── EditionOutdatedError       what was signed is not what is put to the sides now
    ├── UnknownKindError           the policy knows no such exemption
    ├── SecondPersonError          who asks for an exemption does not approve it
    ├── InvalidExpiryError         it must end, after now and not too late
    ├── DatePassedError            what is to be done by then cannot be
    ├── MissingTextError           without this it could not be audited
    ├── UnknownItemError           no exemption, disagreement or obligation of this id
    ├── SettledOtherwiseError      it was decided otherwise before
    ├── RecordedOtherwiseError     the id stands for something else
    ├── NotFrozenError             there is no glass to break
    └── NoGlassError               no broken glass lets this deployment through
"""

from datetime import date, datetime

from services.slo.domain.errors import SloError


class PolicyError(SloError):
    """Anything that a policy refuses."""


class NoSuchPolicyError(PolicyError):
    """Nobody has written one for the service."""

    def __init__(self, service: str) -> None:
        super().__init__(f"service {service!r} has no error-budget policy; write one: POST /v1/error-budget-policies")
        self.service = service


class EditionOutdatedError(PolicyError):
    """What was signed is not what is put to the sides now."""

    def __init__(self, signed: int, current: int) -> None:
        super().__init__(f"version {signed} is not put to the sides; read version {current} and sign that")
        self.signed, self.current = signed, current


class UnknownKindError(PolicyError):
    """The policy knows no such exemption."""

    def __init__(self, kind: str, known: tuple[str, ...]) -> None:
        super().__init__(f"the policy exempts nothing as {kind!r}; it knows {', '.join(known) or 'no exemptions'}")
        self.kind, self.known = kind, known


class SecondPersonError(PolicyError):
    """Who asks for an exemption does not approve it."""

    def __init__(self, requested_by: str, may: tuple[str, ...]) -> None:
        others = " or ".join(name for name in may if name != requested_by)
        super().__init__(f"{requested_by} asked for it, so another person must approve: {others or 'nobody is named'}")
        self.requested_by = requested_by


class InvalidExpiryError(PolicyError):
    """It must end, after now and not too late."""

    def __init__(self, field: str, latest: datetime) -> None:
        super().__init__(f"say in {field} when it ends: later than now, and by {latest:%Y-%m-%d %H:%M} UTC")
        self.field, self.latest = field, latest


class DatePassedError(PolicyError):
    """What is to be done by then cannot be."""

    def __init__(self, field: str, day: date) -> None:
        super().__init__(f"{field} is {day.isoformat()}, which is over; name a day to come")
        self.field = field


class MissingTextError(PolicyError):
    """Without this it could not be audited."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is empty; it is kept for whoever asks later, so say it")
        self.field = field


class UnknownItemError(PolicyError):
    """No exemption, disagreement or obligation of this id."""

    def __init__(self, noun: str, item: str) -> None:
        super().__init__(f"the policy has no {noun} {item!r}; GET /v1/error-budget-policies/<service> lists them")
        self.noun, self.item = noun, item


class SettledOtherwiseError(PolicyError):
    """It was decided otherwise before."""

    def __init__(self, item: str, outcome: str) -> None:
        super().__init__(f"disagreement {item!r} was decided already: {outcome}; raise a new one")
        self.item, self.outcome = item, outcome


class RecordedOtherwiseError(PolicyError):
    """The id stands for something else."""

    def __init__(self, noun: str, item: str) -> None:
        super().__init__(f"{noun} {item!r} is something else already; choose another id")
        self.noun, self.item = noun, item


class NotFrozenError(PolicyError):
    """There is no glass to break."""

    def __init__(self, service: str, standing: str) -> None:
        super().__init__(f"releases of {service!r} are not frozen ({standing}); deploy without breaking glass")
        self.service, self.standing = service, standing


class NoGlassError(PolicyError):
    """No broken glass lets this deployment through."""

    def __init__(self, deployment: str) -> None:
        super().__init__(
            f"no broken glass lets deployment {deployment!r} through: none is broken, or another deployment used it,"
            " or it expired; break one for it, or wait until releases go on"
        )
        self.deployment = deployment
