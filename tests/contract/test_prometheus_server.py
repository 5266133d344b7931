from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from deploy.local.prometheus import PrometheusServer, main

pytestmark = pytest.mark.prometheus

SAMPLES = """\
# TYPE requests counter
requests_total{code="200"} 100 1700000000
requests_total{code="200"} 160 1700000060
# EOF
"""
BCRYPT_OF_TEST = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"  # of Prometheus's documentation


def test_a_server_answers_from_samples_of_the_past(start_prometheus: Callable[..., PrometheusServer]) -> None:
    server = start_prometheus(SAMPLES)
    query = {"query": "increase(requests_total[61s] @ 1700000060)"}

    (series,) = httpx.get(f"{server.url}/api/v1/query", params=query).json()["data"]["result"]

    assert series["metric"] == {"code": "200"}
    assert 60 <= float(series["value"][1]) <= 61


def test_a_killed_server_starts_again(start_prometheus: Callable[..., PrometheusServer]) -> None:
    server = start_prometheus(SAMPLES)

    server.kill()
    server.start()

    assert httpx.get(f"{server.url}/-/ready").status_code == 200


def test_a_server_may_ask_for_a_password(start_prometheus: Callable[..., PrometheusServer]) -> None:
    server = start_prometheus(web_config=f"basic_auth_users: {{admin: '{BCRYPT_OF_TEST}'}}")

    assert httpx.get(f"{server.url}/-/ready").status_code == 401
    assert httpx.get(f"{server.url}/-/ready", auth=("admin", "test")).status_code == 200


def test_where_there_is_none_to_start_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMETHEUS_BIN_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("CONCORDAT_DATA_DIR", str(tmp_path))
    assert main("127.0.0.1:8080") == 3
    assert "left out, there is no Prometheus on this machine" in capsys.readouterr().err
