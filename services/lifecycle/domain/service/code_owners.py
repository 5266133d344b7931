"""Which team answers for a path of a repository, by what services say of their code: the most specific part wins."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.lifecycle.domain.service.catalogue import CodePath


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A part of a repository: its path (empty: all of it), who answers for it, and the service that says so."""

    path: str
    owner: str
    service: str


def parts_of(repository: str, code: Iterable[tuple[str, CodePath]]) -> tuple[Part, ...]:
    """The parts of *repository* that services name, in the order of their paths."""
    wanted = _plain(repository)
    return tuple(
        sorted(Part(_steps(one.path), one.owner, name) for name, one in code if _plain(one.repository) == wanted)
    )


def answering(parts: Iterable[Part], path: str) -> tuple[Part, ...]:
    """The most specific of *parts* that *path* lies in; several when services say the same of one path."""
    inside = [part for part in parts if _holds(part.path, _steps(path))]
    longest = max((len(part.path) for part in inside), default=0)
    return tuple(part for part in inside if len(part.path) == longest)


def _holds(whole: str, path: str) -> bool:
    return not whole or path == whole or path.startswith(f"{whole}/")


def _steps(path: str) -> str:
    """A path without what does not tell paths apart: `/a//b/` is `a/b`."""
    return "/".join(step for step in path.split("/") if step not in {"", "."})


def _plain(repository: str) -> str:
    """An address without what does not tell repositories apart."""
    url = urlsplit(repository.strip())
    return f"{(url.hostname or '').lower()}/{_steps(url.path).removesuffix('.git')}"
