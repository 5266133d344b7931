"""Who may speak for a team."""

from services.lifecycle.domain.engagement.commands import Speaker
from services.lifecycle.domain.engagement.errors import NotASpeakerError


def require_speaker(speaker: Speaker) -> None:
    """Refuse whoever does not speak for the team.

    Raises:
        NotASpeakerError: Somebody else does; names them.
    """
    if not speaker.is_person or (speaker.speakers and speaker.name not in speaker.speakers):
        raise NotASpeakerError(speaker.name, speaker.team, tuple(speaker.speakers))
