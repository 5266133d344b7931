"""Files in and texts out, for the command line; what is wrong is said a line each, as `openslo validate` says it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from libs.web.documents import UnreadableError, read_documents
from services.slo.domain.errors import InvalidOptionError
from services.slo.domain.openslo import Fault
from services.slo.domain.openslo.faults import TOP
from services.slo.exchange.generate import Options, Refusal, RefusedError, generate, written_by
from services.slo.exchange.output import to_yaml
from services.slo.exchange.v1alpha import Upgrade, upgrade
from services.slo.exchange.windows import Catalogue, minutes, read_catalogue


class RefusedFileError(Exception):
    """A file nothing can be made of; its text says every reason, a line each."""

    def __init__(self, file: Path, refusals: Iterable[Refusal]) -> None:
        super().__init__("\n".join(_line(file, each, "error") for each in refusals))


def options_of(  # noqa: PLR0913  each is an option of the command
    *,
    period: str,
    event_weighted: bool,
    labels: Sequence[str],
    recordings: bool,
    alerts: bool,
    windows: Sequence[Path],
    strict: bool,
) -> Options:
    """The options as the command line writes them.

    Raises:
        InvalidOptionError: One of them means nothing.
        RefusedFileError: A file of windows holds something else.
    """
    try:
        period_min = minutes(period)
    except ValueError as error:
        raise InvalidOptionError("--period", period, f"{error}; use a duration such as 30d") from error
    for label in labels:
        if not all(label.partition("=")):
            raise InvalidOptionError("--extra-labels", label, "use NAME=VALUE")
    return Options(
        period_min=period_min,
        catalogues=tuple(each for file in windows for each in _catalogues(file)),
        labels={name: value for name, _, value in (label.partition("=") for label in labels)},
        recordings=recordings,
        alerts=alerts,
        event_weighted=event_weighted,
        strict=strict,
    )


def rules_of(file: Path, options: Options) -> tuple[str, list[str]]:
    """The rules of the SLOs in *file* as YAML, and a line for each warning.

    Raises:
        OSError: The file cannot be read.
        RefusedFileError: A document is invalid, or cannot be made into rules.
    """
    try:
        made, said = generate(_documents(file), options)
    except RefusedError as error:
        raise RefusedFileError(file, error.refusals) from error
    text = to_yaml((each.body, each.comment) for each in made)
    return text, [_line(file, each, "warning") for each in said]


def upgraded(file: Path) -> tuple[str, list[str]]:
    """The v1alpha documents in *file* as v1, in YAML, and a line for each change.

    Raises:
        OSError: The file cannot be read.
        RefusedFileError: A document is no v1alpha.
    """
    refusals: list[Refusal] = []
    documents: list[tuple[object, str]] = []
    changes: list[str] = []
    for index, document in enumerate(_documents(file)):
        match upgrade(document):
            case Upgrade(made, changed):
                documents += [(each, f"{written_by()} from openslo/v1alpha.") for each in made]
                changes += [_line(file, Refusal(index, change), "change") for change in changed]
            case faults:
                refusals += [Refusal(index, fault) for fault in faults]
    if refusals:
        raise RefusedFileError(file, refusals)
    return to_yaml(documents), changes


def _catalogues(file: Path) -> list[Catalogue]:
    refusals: list[Refusal] = []
    catalogues: list[Catalogue] = []
    for index, document in enumerate(_documents(file)):
        match read_catalogue(document):
            case Catalogue() as read:
                catalogues.append(read)
            case faults:
                refusals += [Refusal(index, fault) for fault in faults]
    if refusals:
        raise RefusedFileError(file, refusals)
    return catalogues


def _documents(file: Path) -> list[object]:
    try:
        return read_documents(file.read_bytes())
    except UnreadableError as error:
        raise RefusedFileError(file, [Refusal(None, Fault(TOP, "unreadable", str(error)))]) from error


def _line(file: Path, refusal: Refusal, level: str) -> str:
    where = "" if refusal.document is None else f"document {refusal.document + 1}: "
    fault = refusal.fault
    return f"{file}: {where}{level}: {fault.path or 'the document'}: {fault.detail} [{fault.code}]"
