"""What lifecycle is told at the start: the settings of every service, and its policies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, TypeAdapter

from libs.events.errors import SetupError
from libs.events.settings import Settings
from libs.web.documents import read_documents
from libs.web.problems import Place
from libs.web.shapes import FaultyDocumentError, read_shaped
from services.lifecycle.domain.agreements import AgreementTemplates
from services.lifecycle.domain.architecture.policy import ArchitecturePolicy
from services.lifecycle.domain.capacity.policy import CapacityPolicy
from services.lifecycle.domain.catalogs import Antipattern, Catalog, Catalogs, Pattern
from services.lifecycle.domain.checkpoint.policy import CheckpointPolicy
from services.lifecycle.domain.checks import NUMBERS
from services.lifecycle.domain.delivery import DeliveryPolicy
from services.lifecycle.domain.engagement.measures import MEASURED
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.inbox.policy import InboxPolicy
from services.lifecycle.domain.policy import InvalidPolicyError, Policy
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.risk_register.policy import RiskPolicy
from services.lifecycle.domain.team.policy import TeamPolicy

T = TypeVar("T")

_POLICIES = Path(__file__).parent / "policies"
_CATALOGS = Path(__file__).parent / "catalogs"
_DEFAULT_POLICY = _POLICIES / "2026-11.yaml"


class LifecycleSettings(Settings):
    """The settings of lifecycle.

    Args:
        gate_policy: What the gates ask for; a YAML file like `policies/2026-11.yaml`, which is the default.
        team_policy: What is asked of teams; a YAML file like `policies/teams-2026-11.yaml`, which is the default.
        engagement_policy: What engagements go by; a YAML file like `policies/engagements-2026-11.yaml`, the default.
        review_policy: What limits readiness reviews; a YAML file like `policies/reviews-2026-11.yaml`, the default.
        delivery_policy: How deployments are counted; `policies/delivery-2026-11.yaml` is the default.
        risk_policy: What may be accepted of risks; a YAML file like `policies/risks-2026-11.yaml`, the default.
        architecture_policy: What design and architecture reviews and launches go by; a YAML file like
            `policies/architecture-2026-11.yaml`, the default.
        inbox_policy: From when on something waits for a person; `policies/inbox-2026-11.yaml` is the default.
        checkpoint_policy: For how long a checkpoint speaks; `policies/checkpoints-2026-11.yaml` is the default.
        capacity_policy: How capacity is planned; `policies/capacity-2026-11.yaml` is the default.
        source_hosts: Which hosts demand may be fetched from, as `prometheus.example.com,*.internal,localhost:9090`.
        secrets_dir: The folder whose files sources of demand name as secrets; `secrets` in `data_dir` unless given.
        facts_wait_s: How long a gate waits for evidence that was just recorded; longer with `Prefer: wait=N`.
    """

    gate_policy: Path = _DEFAULT_POLICY
    team_policy: Path = _POLICIES / "teams-2026-11.yaml"
    engagement_policy: Path = _POLICIES / "engagements-2026-11.yaml"
    review_policy: Path = _POLICIES / "reviews-2026-11.yaml"
    delivery_policy: Path = _POLICIES / "delivery-2026-11.yaml"
    risk_policy: Path = _POLICIES / "risks-2026-11.yaml"
    architecture_policy: Path = _POLICIES / "architecture-2026-11.yaml"
    inbox_policy: Path = _POLICIES / "inbox-2026-11.yaml"
    checkpoint_policy: Path = _POLICIES / "checkpoints-2026-11.yaml"
    capacity_policy: Path = _POLICIES / "capacity-2026-11.yaml"
    source_hosts: str = ""
    secrets_dir: Path | None = None
    facts_wait_s: Annotated[float, Field(ge=0, le=30)] = 2.0

    @property
    def secrets(self) -> Path:
        """The folder of secrets."""
        return self.secrets_dir or self.data_dir / "secrets"

    def may_ask(self, address: str) -> bool:
        """Whether the host of *address*, an URL, is among `source_hosts`; a pattern without a port allows any."""
        url = urlsplit(address)
        host, port = url.hostname or "", url.port or {"http": 80, "https": 443}.get(url.scheme)
        patterns = [pattern.strip().lower() for pattern in self.source_hosts.split(",")]
        return any(fnmatchcase(host, each) or fnmatchcase(f"{host}:{port}", each) for each in patterns if each)


@dataclass(frozen=True, slots=True)
class Policies:
    """What an installation goes by; of *gates* the one that it starts with, until others are published."""

    gates: Policy
    teams: TeamPolicy
    engagements: EngagementPolicy
    reviews: ReviewPolicy
    delivery: DeliveryPolicy
    risks: RiskPolicy
    architecture: ArchitecturePolicy
    inbox: InboxPolicy
    checkpoints: CheckpointPolicy
    capacity: CapacityPolicy


def load_policies(settings: LifecycleSettings) -> Policies:
    """The policies in the YAML files that *settings* name.

    Raises:
        SetupError: One cannot be read; names the setting and the place.
    """
    return Policies(
        gates=_load(settings.gate_policy, Policy, "CONCORDAT_GATE_POLICY"),
        teams=_load(settings.team_policy, TeamPolicy, "CONCORDAT_TEAM_POLICY"),
        engagements=_load(settings.engagement_policy, EngagementPolicy, "CONCORDAT_ENGAGEMENT_POLICY"),
        reviews=_load(settings.review_policy, ReviewPolicy, "CONCORDAT_REVIEW_POLICY"),
        delivery=_load(settings.delivery_policy, DeliveryPolicy, "CONCORDAT_DELIVERY_POLICY"),
        risks=_load(settings.risk_policy, RiskPolicy, "CONCORDAT_RISK_POLICY"),
        architecture=_load(settings.architecture_policy, ArchitecturePolicy, "CONCORDAT_ARCHITECTURE_POLICY"),
        inbox=_load(settings.inbox_policy, InboxPolicy, "CONCORDAT_INBOX_POLICY"),
        checkpoints=_load(settings.checkpoint_policy, CheckpointPolicy, "CONCORDAT_CHECKPOINT_POLICY"),
        capacity=_load(settings.capacity_policy, CapacityPolicy, "CONCORDAT_CAPACITY_POLICY"),
    )


@cache
def load_catalogs(folder: Path = _CATALOGS) -> Catalogs:
    """The catalogues of patterns and antipatterns that come with the program.

    Raises:
        SetupError: They cannot be used; names the place.
    """
    try:
        catalogs = Catalogs(
            read_shaped((folder / "patterns.yaml").read_bytes(), TypeAdapter(Catalog[Pattern])),
            read_shaped((folder / "antipatterns.yaml").read_bytes(), TypeAdapter(Catalog[Antipattern])),
        )
        catalogs.validate()
    except (OSError, FaultyDocumentError, InvalidPolicyError) as error:
        message = f"the catalogues in {folder} cannot be used: {error}"
        raise SetupError(message) from error
    return catalogs


def load_agreement_templates() -> AgreementTemplates:
    """The working agreements that come with the program.

    Raises:
        SetupError: They cannot be used; names the place.
    """
    return _load(_CATALOGS / "working-agreements.yaml", AgreementTemplates, "working agreements")


def parse_policy(text: bytes) -> Policy:
    """The policy of gates in *text*, YAML or JSON.

    Raises:
        FaultyDocumentError: It cannot be used; says of every fault where it is.
    """
    return cast("Policy", _parse(text, Policy))


_VALIDATE: Mapping[type, Callable[[Any], None]] = {
    Policy: lambda policy: policy.validate(NUMBERS),
    TeamPolicy: TeamPolicy.validate,
    DeliveryPolicy: DeliveryPolicy.validate,
    EngagementPolicy: lambda policy: policy.validate(MEASURED),
    ReviewPolicy: ReviewPolicy.validate,
    RiskPolicy: RiskPolicy.validate,
    CapacityPolicy: CapacityPolicy.validate,
    ArchitecturePolicy: ArchitecturePolicy.validate,
    InboxPolicy: InboxPolicy.validate,
    CheckpointPolicy: CheckpointPolicy.validate,
    AgreementTemplates: AgreementTemplates.validate,
}


@lru_cache(maxsize=16)  # the app and the worker of one process read the same files
def _parse(text: bytes, kind: type[Any]) -> Any:  # noqa: ANN401  a policy of that kind
    policy = read_shaped(text, TypeAdapter(kind))
    if unknown := _unknown(read_documents(text)[0], msgspec.to_builtins(policy)):
        raise FaultyDocumentError([Place("is not a field here; remove it", unknown)])
    try:
        _VALIDATE[kind](policy)
    except InvalidPolicyError as error:
        raise FaultyDocumentError([Place(fault.detail, fault.pointer) for fault in error.faults]) from error
    return policy


def _load(path: Path, kind: type[T], setting: str) -> T:
    try:
        return cast("T", _parse(path.read_bytes(), kind))
    except (OSError, FaultyDocumentError) as error:
        message = f"{setting}: {path} cannot be used: {error}"
        raise SetupError(message) from error


def _unknown(sent: object, read: object, place: str = "") -> str:
    """Where the first key of *sent* stands that was not *read*; empty if all were."""
    if not isinstance(sent, dict) or not isinstance(read, dict):
        return ""
    known = {str(key): value for key, value in cast("dict[object, object]", read).items()}
    for key, value in cast("dict[str, object]", sent).items():
        if key not in known:
            return f"{place}/{key}"
        if found := _unknown(value, known[key], f"{place}/{key}"):
            return found
    return ""
