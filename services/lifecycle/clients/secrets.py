"""Secrets as files of one folder, as Kubernetes mounts them; what asks names the file, and no text ever shows it."""

from pathlib import Path

from services.lifecycle.clients.prometheus import Asker
from services.lifecycle.domain.capacity.events import Credentials


class SecretMissingError(Exception):
    """There is no usable secret of that name."""


def secret(folder: Path, name: str) -> str:
    """The secret *name*, without the line's end that editors leave.

    Raises:
        SecretMissingError: There is none, or it is no single line of text.
    """
    path = folder / name
    try:
        if path.name != name or not path.is_file():
            msg = f"there is no secret {name!r}; put it where the service reads secrets, or correct its name"
            raise SecretMissingError(msg)
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:  # a name that is too long is one, too
        msg = f"secret {name!r} cannot be read"
        raise SecretMissingError(msg) from error
    if not text or not text.isprintable():
        msg = f"secret {name!r} is not one line of text"
        raise SecretMissingError(msg)
    return text


def asker_of(credentials: Credentials, folder: Path) -> Asker | None:
    """Who asks, with the secret that *credentials* name; None: nobody has to know.

    Raises:
        SecretMissingError: There is no such secret.
    """
    if credentials.kind == "none":
        return None
    username = credentials.username if credentials.kind == "basic" else ""
    return Asker(username, secret(folder, credentials.secret))
