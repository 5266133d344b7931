"""What lifecycle is told at the start: the settings of every service, and the policy of its gates."""

from pathlib import Path
from typing import Annotated

import msgspec
import yaml
from pydantic import Field

from libs.events.errors import SetupError
from libs.events.settings import Settings
from services.lifecycle.domain.checks import MEASURES
from services.lifecycle.domain.policy import InvalidPolicyError, Policy
from services.lifecycle.domain.team.policy import TeamPolicy

_POLICIES = Path(__file__).parent / "policies"
_DEFAULT_POLICY = _POLICIES / "2026-11.yaml"


class LifecycleSettings(Settings):
    """The settings of lifecycle.

    Args:
        gate_policy: What the gates ask for; a YAML file like `policies/2026-11.yaml`, which is the default.
        team_policy: What is asked of teams; a YAML file like `policies/teams-2026-11.yaml`, which is the default.
        facts_wait_s: How long a gate waits for evidence that was just recorded to be known.
    """

    gate_policy: Path = _DEFAULT_POLICY
    team_policy: Path = _POLICIES / "teams-2026-11.yaml"
    facts_wait_s: Annotated[float, Field(ge=0, le=30)] = 2.0


def load_policy(path: Path) -> Policy:
    """The policy in the YAML file *path*.

    Raises:
        SetupError: It cannot be read; names the place.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        policy = msgspec.convert(document, Policy)
        policy.validate(MEASURES)
    except (OSError, yaml.YAMLError, msgspec.ValidationError, InvalidPolicyError) as error:
        message = f"CONCORDAT_GATE_POLICY: {path} cannot be used: {error}"
        raise SetupError(message) from error
    return policy


def load_team_policy(path: Path) -> TeamPolicy:
    """The policy for teams in the YAML file *path*.

    Raises:
        SetupError: It cannot be read; names the place.
    """
    try:
        policy = msgspec.convert(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader), TeamPolicy)
        policy.validate()
    except (OSError, yaml.YAMLError, msgspec.ValidationError, InvalidPolicyError) as error:
        message = f"CONCORDAT_TEAM_POLICY: {path} cannot be used: {error}"
        raise SetupError(message) from error
    return policy
