"""Who may speak for a team, from where a verb leads on, and what every event takes from its command."""

from typing import Any

from services.lifecycle.domain.engagement.commands import Command, Speaker
from services.lifecycle.domain.engagement.errors import EngagementStateError, NotASpeakerError
from services.lifecycle.domain.engagement.state import VERBS, Engagement, Standing


def require_speaker(speaker: Speaker) -> None:
    """Refuse whoever does not speak for the team.

    Raises:
        NotASpeakerError: Somebody else does; names them.
    """
    if not speaker.is_person or (speaker.speakers and speaker.name not in speaker.speakers):
        raise NotASpeakerError(speaker.name, speaker.team, tuple(speaker.speakers))


def require_standing(state: Engagement, verb: str, *standings: Standing) -> None:
    """Refuse what cannot be done from where it stands.

    Raises:
        EngagementStateError: Names what can.
    """
    if state.standing not in standings:
        raise EngagementStateError(verb, state.standing, VERBS[state.standing])


def said_of(command: Command) -> dict[str, Any]:
    """What every event says of the command it follows from."""
    return {"engagement": command.engagement, "by": command.by, "reason": command.reason, "at": command.at}
