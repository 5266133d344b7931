"""OpenSLO files checked for the command line, without a server: `concordat openslo validate`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libs.web.documents import UnreadableError, read_documents
from services.slo.domain.openslo import Complain, Fault, Mode, check
from services.slo.exchange.promql import complainer


@dataclass(frozen=True, slots=True)
class Checked:
    """A document of a file, or a file that cannot be read, and what is wrong with it.

    Args:
        file: As it was named.
        document: Which one in the file, from 0; None for the file itself.
        kind: Of the object; empty if unknown.
        name: Of the object; empty if unknown.
        errors: What is wrong, each with `path`, `code`, `detail`.
        warnings: What is ignored, alike.
    """

    file: str
    document: int | None
    kind: str
    name: str
    errors: list[dict[str, Any]]
    warnings: list[dict[str, Any]]

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors

    def lines(self) -> Iterator[str]:
        """As people read it: a line for each thing that is wrong."""
        where = f"{self.file}: " + ("" if self.document is None else f"document {self.document + 1} ")
        what = f"({' '.join(filter(None, (self.kind, self.name)))}): " if self.kind else ""
        for level, faults in (("error", self.errors), ("warning", self.warnings)):
            for fault in faults:
                code = f" [{fault['code']}]" if fault["code"] else ""
                yield f"{where}{what}{level}: {fault['path'] or 'the document'}: {fault['detail']}{code}"


def check_file(path: Path, mode: Mode = "strict") -> list[Checked]:
    """Every document of the YAML or JSON file at *path* against the rules of the OpenSLO go-sdk, and its PromQL.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        values = read_documents(path.read_bytes())
    except UnreadableError as error:
        place = {"line": error.line, "column": error.column}
        fault = {"path": "", "code": "unreadable", "detail": str(error)} | place
        return [Checked(str(path), None, "", "", [fault], [])]
    complain = complainer()
    return [_checked(str(path), number, value, mode, complain) for number, value in enumerate(values)]


def check_lines(lines: Iterable[bytes], mode: Mode = "strict") -> Iterator[dict[str, Any]]:
    """For each line `{"object": {...}}`, in order, `{"valid", "stage", "errors": [{"path", "code"}]}`.

    These are the rules of the go-sdk alone. As there, what cannot be decoded has no `errors`, but a `message`; and
    the one rule that has no code there has none here.
    """
    for line in lines:
        if not line.strip():
            continue
        try:
            held = read_documents(line)[0]
        except UnreadableError as error:
            yield _undecoded(str(error))
            continue
        verdict = check(held.get("object") if isinstance(held, dict) else None, mode)
        if verdict.stage == "decode":
            yield _undecoded("; ".join(f"{fault.path or 'the document'}: {fault.detail}" for fault in verdict.errors))
        else:
            errors = [{"path": str(fault.path), "code": fault.code or None} for fault in verdict.errors]
            yield {"valid": verdict.valid, "stage": verdict.stage, "errors": errors}


def as_json(checked: Iterable[Checked]) -> str:
    """All of it as one JSON object."""
    documents = [
        {
            "file": each.file,
            "document": each.document,
            "kind": each.kind,
            "name": each.name,
            "valid": each.valid,
            "errors": each.errors,
            "warnings": each.warnings,
        }
        for each in checked
    ]
    return json.dumps({"valid": all(each["valid"] for each in documents), "documents": documents})


def _checked(file: str, number: int, value: object, mode: Mode, complain: Complain) -> Checked:
    verdict = check(value, mode, complain)
    kind, name = (verdict.document.kind, verdict.document.name) if verdict.document else ("", "")
    errors, warnings = ([_answer(fault) for fault in faults] for faults in (verdict.errors, verdict.warnings))
    return Checked(file, number, kind, name, errors, warnings)


def _answer(fault: Fault) -> dict[str, Any]:
    return {"path": str(fault.path), "code": fault.code, "detail": fault.detail}


def _undecoded(message: str) -> dict[str, Any]:
    return {"valid": False, "stage": "decode", "errors": [], "message": message}
