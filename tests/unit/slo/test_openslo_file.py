"""OpenSLO files checked without a server, as `concordat openslo validate` does it."""

import json
from pathlib import Path

import pytest

from services.cli.errors import NO, SETUP, USAGE
from services.cli.main import main
from services.slo.exchange.openslo_file import check_file, check_lines

SAMPLE = Path(__file__).parents[4] / "shared" / "conformance" / "openslo_v1_sample.jsonl"
SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: web}\nspec: {}\n"
SLI = """apiVersion: openslo/v1
kind: SLI
metadata: {name: good-requests}
spec:
  thresholdMetric:
    metricSource: {type: Prometheus, spec: {query: QUERY}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "slo.yaml"


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["concordat", "openslo", "validate", *arguments])
    try:
        main()
    except SystemExit as ended:
        return ended.code
    return 0


def test_every_document_of_a_file_is_checked(file: Path) -> None:
    file.write_text(f"{SERVICE}---\n{SERVICE.replace('web', 'Web')}", encoding="utf-8")
    good, bad = check_file(file)
    assert (good.valid, good.document, good.kind, good.name, good.errors) == (True, 0, "Service", "web", [])
    assert (bad.valid, bad.document, bad.name) == (False, 1, "Web")
    assert [(error["path"], error["code"]) for error in bad.errors] == [
        ("metadata.name", "string_dns_label:string_match_regexp")
    ]


def test_a_file_that_cannot_be_read_is_one_error_with_its_place(file: Path) -> None:
    file.write_text("a: 1\na: 2\n", encoding="utf-8")
    (checked,) = check_file(file)
    assert (checked.valid, checked.document) == (False, None)
    assert [(e["code"], e["line"], e["column"]) for e in checked.errors] == [("unreadable", 2, 1)]


def test_a_query_that_is_no_promql_is_refused_with_its_place(file: Path) -> None:
    file.write_text(SLI.replace("QUERY", "sum(up))"), encoding="utf-8")
    (checked,) = check_file(file)
    assert checked.errors == [
        {
            "path": "spec.thresholdMetric.metricSource.spec.query",
            "code": "promql",
            "detail": "line 1, column 8: unexpected right parenthesis ')'",
        }
    ]


def test_text_names_file_document_path_and_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    file.write_text(SERVICE.replace("{}", "{a: 1}"), encoding="utf-8")
    said = f"{file}: document 1 (Service web): {{}}: spec.a: OpenSLO v1 knows description here [unknown_field]\n"

    assert _run(monkeypatch, str(file)) == NO
    assert capsys.readouterr().out == said.format("error") + "1 checked, 1 invalid\n"
    assert _run(monkeypatch, str(file), "--mode", "lenient") == 0
    assert capsys.readouterr().out == said.format("warning") + "1 checked, all valid\n"


def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: Path) -> None:
    file.write_text(SERVICE, encoding="utf-8")

    assert _run(monkeypatch, str(file), str(file), "--format", "json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["valid"], [d["name"] for d in answer["documents"]]) == (True, ["web", "web"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [((), USAGE), (("--mode", "loose", "f"), USAGE), (("--format", "xml", "FILE"), USAGE), (("no.yaml",), SETUP)],
)
def test_what_cannot_be_done_is_said_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, file: Path, arguments: tuple[str, ...], code: int
) -> None:
    file.write_text(SERVICE, encoding="utf-8")
    assert _run(monkeypatch, *(str(file) if argument == "FILE" else argument for argument in arguments)) == code


def test_lines_are_answered_in_order_and_exit_zero(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    service = {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "web"}}
    objects = [service, service | {"metadata": {}}, service | {"colour": 1}]
    file.write_text("".join(json.dumps({"object": o}) + "\n" for o in objects) + "{\n", encoding="utf-8")

    assert _run(monkeypatch, "--jsonl", str(file)) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[:2] == [
        {"valid": True, "stage": "valid", "errors": []},
        {"valid": False, "stage": "validate", "errors": [{"path": "metadata", "code": "required"}]},
    ]
    assert [(a["valid"], a["stage"], a["errors"]) for a in answers[2:]] == [(False, "decode", [])] * 2
    assert answers[2]["message"].startswith("colour: OpenSLO v1 knows")


@pytest.mark.skipif(not SAMPLE.exists(), reason="the cases do not lie beside the repository")
def test_the_cases_of_the_go_sdk_are_answered_as_there() -> None:
    with SAMPLE.open("rb") as lines:
        cases = [json.loads(line) for line in lines]
        lines.seek(0)
        answers = list(check_lines(lines))

    def facts(case: dict[str, object]) -> tuple[object, object, set[tuple[str, str | None]]]:
        errors: list[dict[str, str | None]] = case["errors"]  # type: ignore[assignment]
        return case["valid"], case["stage"], {(str(error["path"]), error["code"]) for error in errors}

    assert [facts(case) for case in cases] == [facts(answer) for answer in answers]
