"""Which kinds of team there are."""

from typing import Literal

TeamKind = Literal["dev", "sre"]
