"""Units that are ordered and not there yet: expected on a day, then there, or withdrawn."""

from dataclasses import replace
from datetime import timedelta

from services.lifecycle.domain.capacity.commands import OrderUnits, TakeDelivery, WithdrawOrder
from services.lifecycle.domain.capacity.errors import CapacityFaultError, OrderUnknownError
from services.lifecycle.domain.capacity.events import OrderWithdrawn, UnitsArrived, UnitsOrdered
from services.lifecycle.domain.capacity.state import Capacity

_IN_SIGHT = timedelta(days=1_096)  # three years, as far as demand is estimated


def of_orders(
    command: OrderUnits | TakeDelivery | WithdrawOrder, state: Capacity
) -> tuple[UnitsOrdered | UnitsArrived | OrderWithdrawn, ...]:
    """What becomes of an order; nothing if it was said already.

    Raises:
        CapacityError: It cannot be.
    """
    by, at = command.by.name, command.at
    if isinstance(command, OrderUnits):
        return _ordered(command, state)
    known = state.basis.orders.get(command.order)
    if known is None:
        raise OrderUnknownError(command.order, state.basis.orders)
    if isinstance(command, WithdrawOrder):
        return (OrderWithdrawn(command.service, command.order, command.reason, by, at),)
    _require_domain(known.domain, state)
    units = known.units if command.units is None else command.units
    return (UnitsArrived(command.service, command.order, known.domain, units, by, at),)


def _ordered(command: OrderUnits, state: Capacity) -> tuple[UnitsOrdered, ...]:
    event = UnitsOrdered(
        command.service,
        command.order,
        command.domain,
        command.units,
        command.arrives,
        command.confidence,
        command.note,
        command.by.name,
        command.at,
    )
    was, today = state.basis.orders.get(command.order), command.at.date()
    if was and replace(was, by=event.by, at=event.at) == event:
        return ()
    if command.arrives < today:
        detail = f"{command.arrives} has passed; say what is there, or when it will be"
        raise CapacityFaultError(detail, "/arrives")
    if command.arrives - today > _IN_SIGHT:
        detail = f"{command.arrives} is too far away to plan with; choose a day within {_IN_SIGHT.days} of today"
        raise CapacityFaultError(detail, "/arrives")
    _require_domain(command.domain, state)
    return (event,)


def _require_domain(domain: str, state: Capacity) -> None:
    supply = state.basis.supply
    names = [each.name for each in supply.supply.domains] if supply else []
    if domain not in names:
        known = f"there are {', '.join(names)}" if names else "say first what is there"
        detail = f"there is no failure domain {domain!r}; {known} (PUT .../supply)"
        raise CapacityFaultError(detail, "/domain")
