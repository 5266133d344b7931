"""The wire names of what this service says; all of it may leave the service."""

from typing import Final

from libs.events.registry import EventRegistry
from services.slo.domain.budget.events import (
    AlertFired,
    AlertResolved,
    BudgetAssessed,
    BudgetExhausted,
    BudgetRecovered,
)
from services.slo.domain.slo.events import SloDefined

CONTRACT: Final = EventRegistry(
    published={
        "io.concordat.slo.slo.defined.v1": SloDefined,
        "io.concordat.slo.budget.assessed.v1": BudgetAssessed,
        "io.concordat.slo.budget.exhausted.v1": BudgetExhausted,
        "io.concordat.slo.budget.recovered.v1": BudgetRecovered,
        "io.concordat.slo.alert.fired.v1": AlertFired,
        "io.concordat.slo.alert.resolved.v1": AlertResolved,
    },
)
