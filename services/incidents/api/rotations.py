"""`/v1/rotations`: who takes turns."""

from libs.web.auth import needs
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.rotation_schemas import Preview, PreviewRotation, preview_of

_READ, _WRITE = needs("rotations.read"), needs("rotations.write")

router = Router(prefix="/v1/rotations", tags=["rotations"])


@router.post(":preview", openapi_extra=_READ, responses=responses(422))
async def preview_rotation(body: PreviewRotation) -> Preview:
    """Compute the shifts of a rotation that is not stored: those that touch the time between `from` and `until`."""
    return preview_of(body)
