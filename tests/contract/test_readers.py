from pathlib import Path

from services.cli.serve import embedded
from tests.fixtures.golden import golden, recorded


async def test_what_a_service_says_is_understood_by_all_that_read_it(tmp_path: Path) -> None:
    async with embedded(data_dir=tmp_path, database_url="memory:") as installation:
        workers = [part.worker for part in installation.parts.values()]
        readers = [reader for each in workers for reader in (*each.projections.values(), *each._reactions)]
        for reader in readers:
            for kind in reader.events:
                assert golden(kind.name), f"{reader.name}: nobody writes {kind.name}"
                for path in golden(kind.name):
                    reader.events.decode(recorded(path))
