"""Settings of every process, from `CONCORDAT_*` in the environment; they alone choose the adapters."""

from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.events.errors import SetupError

_SCHEMES = ("memory", "sqlite", "postgresql")
_ENV_PREFIX = "CONCORDAT_"

T = TypeVar("T", bound="Settings")


def _known_database(url: str) -> str:
    scheme = url.partition(":")[0]
    if scheme not in _SCHEMES:
        message = f"{scheme!r} is no database Concordat knows; use sqlite: or postgresql://user@host:port/database"
        raise ValueError(message)
    if scheme == "postgresql" and not urlsplit(url).path.strip("/"):
        message = "the database's name is missing; use postgresql://user@host:port/database"
        raise ValueError(message)
    return url


class Settings(BaseSettings):
    """What every role needs to know.

    Args:
        database_url: Where events and read models are kept: `sqlite:` (files in `data_dir`),
            `postgresql://user:password@host:port/database`, or `memory:` (forgets at the end).
        database_pool: Connections to Postgres per process and purpose (appends, reads).
        prepared_statements: Off behind pgbouncer in transaction mode.
        data_dir: The folder of the SQLite files and of `admin.key`.
        kafka_bootstrap_servers: Kafka, as `host:port,host:port`; empty for the log in `data_dir`.
        internal_key: Signs what the gateway sends to services; the same for all processes, at least 32 bytes.
        request_bytes: The largest request body.
        otlp_endpoint: Where traces go (OTLP over HTTP); empty for nowhere.
    """

    model_config = SettingsConfigDict(env_prefix=_ENV_PREFIX, extra="ignore", frozen=True)

    database_url: Annotated[str, AfterValidator(_known_database)] = "sqlite:"
    database_pool: int = Field(default=8, ge=1, le=200)
    prepared_statements: bool = True
    data_dir: Path = Path(".concordat")
    kafka_bootstrap_servers: str = ""
    internal_key: str = Field(default="", repr=False)
    request_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    otlp_endpoint: str = ""


def load_settings(cls: type[T], **overrides: object) -> T:
    """The settings from the environment, with *overrides* from a command line above them.

    Raises:
        SetupError: Something is wrong; names each setting, what it holds, and what it should.
    """
    try:
        given: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
        return cls(**given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{_ENV_PREFIX}{str(place['loc'][0]).upper()}: {place['msg']}"
            for place in error.errors(include_input=False)
        )
        message = f"settings cannot be used: {wrong}"
        raise SetupError(message) from error
