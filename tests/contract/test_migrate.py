import asyncio
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from deploy.local.postgres import PostgresServer
from libs.events.errors import SetupError
from libs.events.ids import new_id
from libs.events.migrate import check, upgrade
from libs.events.postgres import PostgresStore
from libs.events.store_contract import request, write
from libs.events.views import open_views
from tests.fixtures.postgres import database_of

SERVICES = ("lifecycle", "slo", "incidents", "gateway")


@pytest.mark.postgres
@pytest.mark.parametrize("service", SERVICES)
async def test_an_empty_database_becomes_one_the_store_accepts(empty_postgres_url: str, service: str) -> None:
    with pytest.raises(SetupError, match=f"concordat migrate {service}"):
        await PostgresStore(empty_postgres_url, service).start()

    await upgrade(empty_postgres_url, service)

    store = PostgresStore(empty_postgres_url, service)
    await store.start()
    assert (await store.append(request(write("thing/a", 0)))).position == 1
    await store.close()


@pytest.mark.parametrize("service", SERVICES)
def test_each_file_is_named_by_its_revision_and_follows_the_one_before(service: str) -> None:
    files = sorted(Path("services", service, "migrations", "versions").glob("2*.py"))
    scripts = ScriptDirectory(str(files[0].parents[1]))
    revisions = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    assert revisions == [file.name[: len("2026_11_21_0001")] for file in files]
    assert scripts.get_heads() == revisions[-1:]


@pytest.mark.postgres
async def test_of_two_migrations_at_once_the_second_finds_nothing_to_do(empty_postgres_url: str) -> None:
    await asyncio.gather(*(upgrade(empty_postgres_url, "slo") for _ in range(3)))
    await check(empty_postgres_url, "slo")


@pytest.mark.postgres
async def test_a_database_of_a_newer_program_is_refused(
    empty_postgres_url: str, postgres_server: PostgresServer
) -> None:
    await upgrade(empty_postgres_url, "slo")
    postgres_server.execute("UPDATE alembic_version SET version_num = '2999_x'", database_of(empty_postgres_url))

    with pytest.raises(SetupError, match="newer than this program"):
        await PostgresStore(empty_postgres_url, "slo").start()


async def test_a_database_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(SetupError, match=r"127\.0\.0\.1:1/slo") as caught:
        await PostgresStore("postgresql://u:secret@127.0.0.1:1/slo", "slo").start()
    assert "secret" not in str(caught.value)


async def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(SetupError, match="no service 'shop'"):
        await upgrade("memory:", "shop")


@pytest.mark.postgres
async def test_the_application_s_role_may_append_and_never_change(
    empty_postgres_url: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"app_{new_id().hex}"
    database = database_of(empty_postgres_url)
    postgres_server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'app'")
    monkeypatch.setenv("CONCORDAT_APP_ROLE", role)
    await upgrade(empty_postgres_url, "slo")
    url = f"postgresql://{role}:app@{empty_postgres_url.partition('://')[2].rpartition('@')[2]}"

    store = PostgresStore(url, "slo")
    await store.start()
    await store.append(request(write("thing/a", 0)))
    await store.close()
    for forbidden in ("UPDATE events SET version = 2", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(RuntimeError, match="permission denied"):
            postgres_server.execute(f"SET ROLE {role}; {forbidden}", database)
        with pytest.raises(RuntimeError, match="never changed or removed"):
            postgres_server.execute(forbidden, database)
    async with open_views(url) as views:
        await views.start([])
    postgres_server.execute(f"DROP OWNED BY {role}", database)
    postgres_server.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("service", SERVICES)
async def test_the_read_models_file_of_an_embedded_service_is_migrated_too(tmp_path: Path, service: str) -> None:
    url = f"sqlite:///{tmp_path / 'views.db'}"
    await upgrade(url, service)
    await upgrade(url, service)

    await check(url, service)
    async with open_views(url) as views:
        count = text("SELECT count(*) FROM checkpoints")
        assert await views.read(lambda connection: connection.execute(count).scalar()) == 0
