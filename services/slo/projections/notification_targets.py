"""The notification targets that have an address."""

from typing import Final

from sqlalchemy import Column, Text

from libs.events.columns import Instant
from libs.events.projection import Fold, Projection
from services.slo.contract import CONTRACT
from services.slo.domain.notification_target.events import TargetRemoved, TargetSet

NOTIFICATION_TARGETS: Final = Projection(
    name="notification_targets",
    columns=lambda: (
        Column("target", Text, primary_key=True),
        Column("url", Text),
        Column("secret", Text),
        Column("set_at", Instant()),
    ),
    events=CONTRACT,
    folds={
        TargetSet: Fold(
            keys=lambda event, _: [(event.target,)],
            apply=lambda _, event, __, ___: {
                "target": event.target,
                "url": event.address.url,
                "secret": event.address.secret,
                "set_at": event.at,
            },
        ),
        TargetRemoved: Fold(keys=lambda event, _: [(event.target,)], apply=lambda _, __, ___, ____: None),
    },
    sources=("slo",),
)
