"""Addresses to which nothing would ever be sent are refused when they are named, and not at night."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from libs.web.outbound import check_url
from libs.web.problems import Place, Problem

_CALLED: Final = ("slack", "webhook")


def check_addresses(request: Request, addresses: Mapping[str, Any] | None, where: str) -> None:
    """Nothing, if messages may be sent to all of *addresses*, which are known by the kind of channel.

    Raises:
        Problem: 422, one cannot be asked; what a name leads to is looked at when something is sent there.
    """
    private: bool = request.app.state.outbound_private
    named = {kind: address for kind in _CALLED if (address := (addresses or {}).get(kind))}
    places = [
        Place(why, where.format(kind=kind)) for kind, url in named.items() if (why := check_url(url, private=private))
    ]
    if places:
        detail = "; ".join(f"{place.pointer}: {place.detail}" for place in places)
        raise Problem(422, "address-not-allowed", "Nothing is sent to the address", detail, places)
