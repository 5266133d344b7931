"""Secrets of sources and of notification targets."""

from pathlib import Path

from services.slo.prometheus.faults import refuse


class Secrets:
    """Secrets as files of one directory, as Kubernetes mounts them; a source names the file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, name: str, place: str) -> Path:
        """The file of the secret *name*.

        Raises:
            SourceError: There is none.
        """
        path = self._directory / name
        if path.name != name or not path.is_file():
            raise refuse("secret-missing", place, f"there is no secret {name!r}")
        return path

    def text(self, name: str, place: str) -> str:
        """The secret *name*, without the line's end that editors leave.

        Raises:
            SourceError: There is none, or it is no single line of text.
        """
        try:
            text = self.path(name, place).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise refuse("secret-missing", place, f"secret {name!r} cannot be read") from error
        if not text or not text.isprintable():
            raise refuse("secret-missing", place, f"secret {name!r} is not one line of text")
        return text
