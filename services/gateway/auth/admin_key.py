"""The first key: written into the data directory before the gateway is ready, so that there is a way in."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from libs.events.envelope import Context, Metadata
from libs.events.errors import SetupError
from libs.events.ids import new_id
from libs.events.resources import Resources
from services.gateway.auth.secrets import KeyText, new_key, parse_key
from services.gateway.contract import API_KEY
from services.gateway.domain.api_key.commands import CreateApiKey
from services.gateway.domain.api_key.decider import EVERYTHING
from services.gateway.domain.errors import ApiKeyTakenError

FILE_NAME: Final = "admin.key"
_MAKER = "concordat"


async def ensure_admin_key(resources: Resources, data_dir: Path) -> Path:
    """The file with a key that may do everything; made on first start, and made valid if the log does not know it.

    Raises:
        SetupError: The file is there, but holds no key that can be used.
    """
    path = data_dir / FILE_NAME
    key = _read(path) or _write(path, new_key(str(new_id())))
    now = resources.clock.now()
    context = Context.of_request(now, Metadata(actor=_MAKER, auth_method="start"))
    try:
        await resources.handler.handle(API_KEY, key.id, _command(key, now), context)
    except ApiKeyTakenError:
        message = f"{path} holds the id of a key with another secret; remove the file, a new one is made"
        raise SetupError(message) from None
    return path


def _command(key: KeyText, now: datetime) -> CreateApiKey:
    return CreateApiKey(
        key=key.id,
        secret_hash=key.secret_hash,
        owner="admin",
        owner_kind="person",
        description="made on first start",
        scopes=(EVERYTHING,),
        expires_at=None,
        by=_MAKER,
        by_kind="person",
        granted=frozenset({EVERYTHING}),
        at=now,
    )


def _read(path: Path) -> KeyText | None:
    try:
        key = parse_key(path.read_text().strip())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise SetupError(message) from error
    if key is None:
        message = f"{path} holds no API key; remove the file, a new one is made"
        raise SetupError(message)
    return key


def _write(path: Path, key: KeyText) -> KeyText:
    """Write *key* whole or not at all; if another process was faster, its key counts."""
    draft = path.with_name(f".{FILE_NAME}.{key.id}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(str(key))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return _read(path) or key
    except OSError as error:
        message = f"{path} cannot be written: {error}"
        raise SetupError(message) from error
    finally:
        draft.unlink(missing_ok=True)
    return key
