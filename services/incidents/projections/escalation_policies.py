"""All escalation policies, as lists show them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Text, select

from libs.events.columns import Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.escalation_policy.events import PolicyEnded, PolicySet
from services.incidents.domain.service_paging.events import PoliciesNamed
from services.incidents.projections.folds import changes


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),  # its name
        *(Column(name, Text, nullable=False) for name in ("display_name", "team", "goes_on_with")),
        Column("is_default", Boolean, nullable=False),
        Column("ended", Boolean, nullable=False),
        Column("targets", Json(), nullable=False),
        Column("services", Json(), nullable=False),  # those that name it
    )


def _set(row: Row | None, event: PolicySet, _recorded: Recorded, _key: Key) -> Row:
    content = event.content
    return {
        "id": event.policy,
        "services": row["services"] if row else [],
        "display_name": content.display_name,
        "team": content.team,
        "goes_on_with": content.then,
        "is_default": content.default,
        "ended": False,
        "targets": sorted({f"{each.kind}/{each.name}" for step in content.steps for each in step.targets}),
    }


def _named(row: Row | None, event: PoliciesNamed, _recorded: Recorded, key: Key) -> Row | None:
    if row is None:
        return None
    others = [service for service in row["services"] if service != event.service]
    return {**row, "services": sorted([*others, event.service] if key[0] in {event.dev, event.sre} else others)}


ESCALATION_POLICIES = Projection(
    name="escalation_policies",
    columns=_columns,
    events=CONTRACT,
    folds={
        PolicySet: Fold(lambda event, _: ((event.policy,),), _set),
        PolicyEnded: changes(lambda _, __: {"ended": True}),
        PoliciesNamed: Fold(
            lambda event, _: [(name,) for name in {event.dev, event.sre, *event.before} if name], _named
        ),
    },
    sources=(SERVICE,),
    indexes=(("team", "id"),),
)


def needed_by(connection: Connection, policy: str) -> list[str]:
    """Who pages by *policy*: the services that name it, and the policies that go on with it."""
    c = ESCALATION_POLICIES.view.c
    on = select(c.id).where(c.goes_on_with == policy, c.ended.is_(False)).order_by(c.id)
    services = connection.execute(select(c.services).where(c.id == policy)).scalar_one_or_none() or []
    return [
        *(f"service {service}" for service in services),
        *(f"policy {name}" for name in connection.execute(on).scalars()),
    ]


def page_by(connection: Connection, kind: str, name: str) -> list[str]:
    """The policies that call the target *name* of *kind*, by name."""
    c = ESCALATION_POLICIES.view.c
    query = select(c.id, c.targets).where(c.ended.is_(False)).order_by(c.id)
    return [policy for policy, targets in connection.execute(query) if f"{kind}/{name}" in targets]
