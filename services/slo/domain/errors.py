"""What the SLO rules refuse.

SloError
├── InvalidTargetError     a target outside [0, 1)
├── NoSuchSloError         nothing is defined under this name
├── SloExistsError         the name has another definition already
├── NoSuchObjectError      no OpenSLO object of the kind has the name
├── InvalidBucketError     a line of a bucket file that holds no bucket
├── InvalidOptionError     an option of a report that means nothing
├── InvalidSourceError     settings of a source that cannot work, or are not safe
├── NoSuchSourceError      no source is defined under this name
├── SourceRetiredError     the name belonged to a source that was retired
├── InvalidNotificationTargetError  an address that cannot work, or is not safe
├── NoSuchNotificationTargetError   no address is set under this name
├── InvalidWindowError     a time window that cannot be laid out
├── InvalidAdjustmentError a maintenance window or exclusion that cannot be laid out
├── NoSuchAdjustmentError  there is no adjustment of this id
├── OneSideError           one person cannot agree for both sides
├── InvalidWeightError     a weight that weighs nothing
└── CompositeCycleError    a composite SLO that would contain itself
"""


class SloError(Exception):
    """Anything the rules of this service refuse."""


class InvalidTargetError(SloError):
    """A target outside [0, 1): one of 1 would leave no budget to spend, and every burn rate would be infinite."""

    def __init__(self, target: object) -> None:
        super().__init__(f"the target is {target}; it must be at least 0 and below 1, since 1 leaves no error budget")
        self.target = target


class NoSuchSloError(SloError):
    """Nothing is defined under this name."""

    def __init__(self, slo: str) -> None:
        super().__init__(f"there is no SLO {slo!r}; define it (POST /v1/slos), or correct its name")
        self.slo = slo


class SloExistsError(SloError):
    """The name has another definition already; PUT revises it."""

    def __init__(self, slo: str, revision: int) -> None:
        super().__init__(f"SLO {slo!r} is defined already (revision {revision}); PUT /v1/slos/{slo} revises it")
        self.slo, self.revision = slo, revision


class NoSuchObjectError(SloError):
    """No OpenSLO object of the kind has the name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is no {kind} {name!r}; GET /v1/openslo/{kind} lists them")
        self.kind, self.name = kind, name


class InvalidBucketError(SloError):
    """A line of a bucket file that holds no bucket."""

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(f"line {line}: {detail}")
        self.line, self.detail = line, detail


class InvalidOptionError(SloError):
    """An option of a report that means nothing."""

    def __init__(self, option: str, value: object, detail: str) -> None:
        super().__init__(f"{option} is {value!r}; {detail}")


class InvalidSourceError(SloError):
    """Settings of a source that cannot work, or are not safe; `wrong` holds pairs of JSON pointer and detail."""

    def __init__(self, source: str, wrong: tuple[tuple[str, str], ...]) -> None:
        super().__init__(f"source {source!r}: " + "; ".join(f"{pointer}: {detail}" for pointer, detail in wrong))
        self.source, self.wrong = source, wrong


class NoSuchSourceError(SloError):
    """No source is defined under this name."""

    def __init__(self, source: str) -> None:
        super().__init__(f"there is no source {source!r}")
        self.source = source


class SourceRetiredError(SloError):
    """The name belonged to a source that was retired; measurements still carry it."""

    def __init__(self, source: str) -> None:
        super().__init__(f"source {source!r} was retired and its name is not used again; choose another")
        self.source = source


class InvalidNotificationTargetError(SloError):
    """An address that cannot work, or is not safe; `wrong` holds pairs of JSON pointer and detail."""

    def __init__(self, target: str, wrong: tuple[tuple[str, str], ...]) -> None:
        super().__init__(f"notification target {target!r}: " + "; ".join(f"{at}: {detail}" for at, detail in wrong))
        self.target, self.wrong = target, wrong


class NoSuchNotificationTargetError(SloError):
    """No address is set under this name."""

    def __init__(self, target: str) -> None:
        super().__init__(f"there is no notification target {target!r}; PUT /v1/notification-targets/{target} sets one")
        self.target = target


class InvalidWindowError(SloError):
    """A time window that cannot be laid out."""

    def __init__(self, part: str, value: object, detail: str) -> None:
        super().__init__(f"the window's {part} is {value!r}; {detail}")
        self.part, self.value, self.detail = part, value, detail


class InvalidAdjustmentError(SloError):
    """A maintenance window or exclusion that cannot be laid out."""

    def __init__(self, part: str, value: object, detail: str) -> None:
        super().__init__(f"the adjustment's {part} is {value!r}; {detail}")
        self.part, self.value, self.detail = part, value, detail


class NoSuchAdjustmentError(SloError):
    """There is no adjustment of this id."""

    def __init__(self, adjustment: str) -> None:
        super().__init__(f"there is no adjustment {adjustment!r}; GET /v1/adjustments lists them")
        self.adjustment = adjustment


class OneSideError(SloError):
    """One person cannot agree for both sides."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} cannot agree for both sides; name somebody of development and somebody of SRE")
        self.name = name


class UnnamedSignerError(SloError):
    """The error-budget policy names others who may agree for that side."""

    def __init__(self, name: str, side: str, may: tuple[str, ...]) -> None:
        super().__init__(
            f"{name} may not agree for {side}: the service's error-budget policy names {' or '.join(may)}; have one of"
            " them agree, or name others in a new version of the policy"
        )
        self.name, self.side, self.may = name, side, may


class InvalidWeightError(SloError):
    """A weight that weighs nothing."""

    def __init__(self, component: str, weight: object) -> None:
        super().__init__(f"the weight of component {component!r} is {weight}; it must be above 0")
        self.component, self.weight = component, weight


class CompositeCycleError(SloError):
    """A composite SLO that would contain itself."""

    def __init__(self, cycle: tuple[str, ...]) -> None:
        super().__init__(f"a composite cannot contain itself: {' contains '.join(cycle)}; remove one of them")
        self.cycle = cycle
