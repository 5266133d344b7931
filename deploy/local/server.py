"""What the local servers have in common: a process of one's own on loopback, whose data lies in one folder."""

import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

_START_WITHIN_S = 60.0  # crash recovery of a large log included; clean starts take from a tenth of a second to four
_STOP_WITHIN_S = 30.0
_PAUSE_S = 0.03
_PORTS = range(20_000, 32_000)

Command = tuple[Sequence[str], dict[str, Any]]
"""What starts a server, and the options of its process."""


class LocalServer:
    """A server of which a subclass says how it is started and whether it answers; `with` starts and stops it.

    With *external* it stands for the server that runs there: starting and stopping do nothing, `kill` is refused.
    """

    name = ""
    stop_signal = signal.SIGTERM
    tries_again = False

    def __init__(self, directory: Path, port: int = 0, *, external: str = "") -> None:
        self.directory = directory
        self.external = external
        self.port = 0 if external else port or free_port()
        self.process: subprocess.Popen[Any] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.directory / f"{self.name.lower()}.log"

    def start(self) -> None:
        """Make what a new folder needs, start the server, return when it answers."""
        if self.external or self.process is not None:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        command, options = self.prepare()
        deadline = time.monotonic() + _START_WITHIN_S
        while not self._started(command, options, deadline):
            if not self.tries_again or time.monotonic() > deadline:
                self.kill()
                message = f"{self.name} does not start, see {self.log}"
                raise RuntimeError(message)
            time.sleep(_PAUSE_S)

    def prepare(self) -> Command:
        """How the server is started; what it needs in its folder is made."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it can be used."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the server cleanly."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """Take the server away as a power cut would."""
        if self.external:
            message = f"the server at {self.external} is not ours to kill"
            raise RuntimeError(message)
        self._end(signal.SIGKILL)

    def _started(self, command: Sequence[str], options: dict[str, Any], deadline: float) -> bool:
        """Whether the process, started, answers; False when it ended instead, or did not in time."""
        with self.log.open("ab") as log:
            process = self.process = subprocess.Popen(  # noqa: S603  our own command
                command, stdout=log, stderr=log, start_new_session=True, **options
            )
        while process.poll() is None and time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(_PAUSE_S)
        return False

    def _end(self, sent: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(sent)
        try:
            self.process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def free_port() -> int:
    """A TCP port on loopback that nobody listens on, and that the system gives nobody until it is used.

    It lies below those that systems hand out themselves (32768 on Linux, 49152 by RFC 6335), to clients too.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as taken, suppress(OSError):
            taken.bind(("127.0.0.1", port))
            return port
