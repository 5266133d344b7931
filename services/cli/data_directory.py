"""The folder of an embedded installation: who holds it, and how a second process talks to the holder."""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from libs.events.errors import SetupError

_LOCK = "lock"
_FORMAT = "format"
FORMAT = 1  # raised when files change so that an older version cannot read them


class InUseError(SetupError):
    """Another process holds the data directory; `control` is its socket, when it has one."""

    def __init__(self, folder: Path, pid: int, control: str) -> None:
        super().__init__(f"{folder} is in use by process {pid}; stop it, or name another folder with --data-dir")
        self.pid, self.control = pid, control


class DataDirectory:
    """A data directory held by this process until `hold` ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = folder / _LOCK

    def exists(self) -> bool:
        """Whether the folder was held before, so that it is one of Concordat's."""
        return (self.folder / _FORMAT).exists()

    @contextmanager
    def hold(self) -> Generator[None]:
        """Hold the folder; made if absent, files that are not Concordat's are left alone.

        Raises:
            InUseError: Another process holds it.
            SetupError: It cannot be written, or was made by a newer version.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            message = f"{self.folder} cannot be used as data directory: {error.strerror}; name another with --data-dir"
            raise SetupError(message) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise self._in_use() from error
            self._check_format()
            self.announce()
            yield
        finally:
            os.close(descriptor)

    def announce(self, control: str = "") -> None:
        """Tell other processes who holds the folder, and the socket on which to ask it."""
        self._lock.write_text(json.dumps({"pid": os.getpid(), "control": control}), encoding="utf-8")

    def _in_use(self) -> InUseError:
        try:
            holder = json.loads(self._lock.read_text(encoding="utf-8") or "{}")
        except ValueError:  # read while its holder writes it
            holder = {}
        return InUseError(self.folder, holder.get("pid", 0), holder.get("control", ""))

    def _check_format(self) -> None:
        path = self.folder / _FORMAT
        found = path.read_text(encoding="utf-8").strip() if path.exists() else str(FORMAT)
        if not found.isdecimal():
            message = f"{path} is damaged; restore {self.folder} from a backup, or name another with --data-dir"
            raise SetupError(message)
        if int(found) > FORMAT:
            message = (
                f"{self.folder} was written by a newer version (format {found}, this one reads {FORMAT});"
                " install that version, or name another folder with --data-dir"
            )
            raise SetupError(message)
        path.write_text(f"{FORMAT}\n", encoding="utf-8")


def admin_key(data_dir: Path | None) -> str:
    """The key that the first start wrote into the data directory.

    Raises:
        SetupError: There is none.
    """
    folder = data_dir or Path(os.environ.get("CONCORDAT_DATA_DIR", ".concordat"))
    try:
        return (folder / "admin.key").read_text(encoding="ascii").strip()
    except OSError as error:
        message = f"no API key: set CONCORDAT_API_KEY, or name the data directory with --data-dir ({folder} has none)"
        raise SetupError(message) from error
