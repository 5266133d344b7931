"""What one service says, every other that reads it understands, in whatever form it may be said."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from libs.events import codec
from libs.events.errors import UndecodableEventError
from services.cli.serve import embedded
from tests.fixtures.golden import golden, recorded

SERVICES = ("lifecycle", "slo", "incidents", "gateway")
WRITTEN = {
    kind.name: kind.cls for service in SERVICES for kind in import_module(f"services.{service}.contract").CONTRACT
}


async def test_what_a_service_says_is_understood_by_all_that_read_it(tmp_path: Path) -> None:
    misunderstood: list[str] = []
    async with embedded(data_dir=tmp_path, database_url="memory:") as installation:
        workers = [part.worker for part in installation.parts.values()]
        readers = [reader for each in workers for reader in (*each.projections.values(), *each._reactions)]
        for reader in readers:
            for kind in reader.events:
                assert golden(kind.name), f"{reader.name}: nobody writes {kind.name}"
                for path in golden(kind.name):
                    said = recorded(path)
                    reader.events.decode(said)
                    for other in variants(inspect.type_info(WRITTEN[kind.name]), msgspec.json.decode(said.data)):
                        try:
                            reader.events.decode(msgspec.structs.replace(said, data=codec.encode(other)))
                        except UndecodableEventError as error:
                            misunderstood.append(f"{reader.name}: {kind.name}: {error}")
    assert not misunderstood, "\n".join(sorted(set(misunderstood)))


def variants(kind: inspect.Type, value: Any) -> Iterator[Any]:
    """*value* with nothing, or another of the words that are allowed, at one place each where its writer may say so."""
    match kind:
        case inspect.UnionType(types=types):
            if kind.includes_none and value is not None:
                yield None
            some = [each for each in types if not isinstance(each, inspect.NoneType)]
            if len(some) == 1 and value is not None:
                yield from variants(some[0], value)
        case inspect.LiteralType(values=words):
            yield from (word for word in words if word != value)
        case inspect.DataclassType(fields=fields) if isinstance(value, dict):
            for field in fields:
                for other in variants(field.type, value.get(field.encode_name)):
                    yield {**value, field.encode_name: other}
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item) if value:
            yield from ([other, *value[1:]] for other in variants(item, value[0]))
        case inspect.DictType(value_type=item) if value:
            key = next(iter(value))
            yield from ({**value, key: other} for other in variants(item, value[key]))
        case _:
            return
