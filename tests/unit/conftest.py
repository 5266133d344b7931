"""Unit tests talk to nobody: only the event loop's own socket pair is allowed."""

from collections.abc import Generator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_network() -> Generator[None]:
    """Refuse every socket but those between processes of this machine."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
