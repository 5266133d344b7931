"""`concordat slo rules` and `concordat openslo upgrade`: what they print, and how they end."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.cli.errors import NO, SETUP, USAGE
from services.cli.main import main
from services.slo.exchange import Options, generate, to_yaml
from services.slo.exchange.rules import plain

SPEC = """
version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99.9
    sli: {events: {error_query: "errors{{.window}}", total_query: "requests{{.window}}"}}
    alerting: {name: Shop}
"""
ALPHA = """
apiVersion: openslo/v1alpha
kind: Service
metadata: {name: shop}
spec: {description: Sells.}
"""
WEEK = """
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 7d
  page:
    quick: {errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 42, shortWindow: 6h, longWindow: 3d}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "slo.yaml"


def concordat(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["concordat", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return ended.code
    return 0


def test_rules_are_printed_and_warnings_said_beside_them(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(SPEC + "owner: me\n", encoding="utf-8")

    ended = concordat(monkeypatch, "slo", "rules", file, "--period", "28d", "-l", "region=eu")

    printed = capsys.readouterr()
    assert ended == 0
    assert yaml.safe_load(printed.out)["groups"][0]["rules"][-1]["labels"] == {
        "region": "eu",
        "sloth_id": "shop-availability",
        "sloth_service": "shop",
        "sloth_slo": "availability",
        "sloth_window": "4w",
    }
    assert printed.err == (f"{file}: document 1: warning: owner: is not a field of this document [unknown_field]\n")


def test_a_faulty_file_ends_with_1_says_every_fault_and_prints_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = SPEC.replace("99.9", "100").replace("service: shop", "service: search").replace("errors{{", "errors[{{")
    file.write_text(f"{SPEC}---\n{broken}", encoding="utf-8")

    ended = concordat(monkeypatch, "slo", "rules", file)

    printed = capsys.readouterr()
    assert (ended, printed.out) == (NO, "")
    first, second = printed.err.splitlines()
    assert first.startswith(f"{file}: document 2: error: slos[0].objective: must be above 0 and below 100")
    assert "document 2: error: slos[0].sli.events.error_query: line 1, column " in second


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        ("a: [", (), NO),
        ("", (), NO),
        (ALPHA, (), NO),
        (SPEC + "owner: me", ("--mode", "strict"), NO),
        (SPEC, ("--mode", "loose"), USAGE),
        (SPEC, ("--period", "soon"), USAGE),
        (SPEC, ("--period", "90s"), USAGE),
        (SPEC, ("-l", "region"), USAGE),
        (SPEC, ("--disable-alerts", "--disable-recordings"), NO),
        (SPEC, ("--disable-alerts", "--event-weighted"), 0),
        (None, (), SETUP),
    ],
)
def test_the_exit_code_says_what_came_of_it(
    text: str | None, arguments: tuple[str, ...], code: int, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert concordat(monkeypatch, "slo", "rules", file, *arguments) == code


@pytest.mark.parametrize(("windows", "code"), [(WEEK, 0), (WEEK.replace("7d", "a week"), NO)])
def test_windows_may_come_from_a_file(
    windows: str, code: int, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(SPEC, encoding="utf-8")
    other = file.with_name("week.yaml")
    other.write_text(windows, encoding="utf-8")

    assert concordat(monkeypatch, "slo", "rules", file, "--period", "7d", "--windows", other) == code
    assert ("0.98 * 0.001" in capsys.readouterr().out) == (code == 0)


def test_an_upgrade_prints_v1_and_says_what_changed(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(ALPHA, encoding="utf-8")

    assert concordat(monkeypatch, "openslo", "upgrade", file) == 0

    printed = capsys.readouterr()
    assert yaml.safe_load(printed.out) == {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": "shop"},
        "spec": {"description": "Sells."},
    }
    assert printed.err == f"{file}: document 1: change: apiVersion: is now openslo/v1 [changed]\n"


def test_what_is_no_v1alpha_is_not_upgraded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(SPEC, encoding="utf-8")
    assert concordat(monkeypatch, "openslo", "upgrade", file) == NO


@given(st.fractions(0, 100, max_denominator=10**6))
def test_a_number_is_written_without_exponent_and_exactly_where_decimals_can(number: Fraction) -> None:
    text = plain(number)
    if 10**20 % number.denominator == 0:
        assert (Fraction(text), "e" in text) == (number, False)
    else:
        assert float(text) == float(number)


@given(
    objective=st.decimals("0.01", "99.9999", places=4).map(float),
    period_min=st.integers(60, 400 * 24 * 60),
    labels=st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text("a'\"\\: #\n", min_size=1)),
    event_weighted=st.booleans(),
)
def test_whatever_an_slo_asks_for_its_rules_are_promql_in_yaml_that_reads_back(
    objective: float,
    period_min: int,
    labels: dict[str, str],
    event_weighted: bool,  # noqa: FBT001
) -> None:
    document: Any = yaml.safe_load(SPEC)
    document["labels"] = labels
    document["slos"][0]["objective"] = objective
    (made,), _ = generate([document], Options(period_min=period_min, event_weighted=event_weighted))

    read = yaml.safe_load(to_yaml([(made.body, made.comment)]))

    assert read == made.body
    for rule in (rule for group in read["groups"] for rule in group["rules"]):
        promql_parser.parse(rule["expr"])
