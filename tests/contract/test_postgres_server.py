from pathlib import Path

import pytest

from deploy.local.postgres import PostgresServer


@pytest.mark.postgres
def test_a_killed_server_starts_again_with_what_it_had_acknowledged(fresh_postgres_server: PostgresServer) -> None:
    server = fresh_postgres_server
    server.create_database("kept")
    server.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)", "kept")

    server.kill()
    server.start()

    assert server.execute("SELECT n FROM kept", "kept") == "7"


@pytest.mark.postgres
def test_every_test_has_a_database_of_its_own(postgres_server: PostgresServer, postgres_url: str) -> None:
    assert postgres_server.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "0"
    assert postgres_url.startswith("postgresql://")


def test_a_server_at_database_url_is_used_and_never_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@db:5432/app?sslmode=disable")
    server = PostgresServer(tmp_path)

    assert server.url("slo") == "postgresql://u:p@db:5432/slo?sslmode=disable"
    server.start()
    server.stop()
    with pytest.raises(RuntimeError, match="not ours to kill"):
        server.kill()
