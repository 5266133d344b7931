"""The owners of a service, who hear of it when nobody can be called, and teams as such."""

from statistics import mode
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from services.incidents.paging.calling import channels_of
from services.incidents.projections.channels import team_channels
from services.incidents.projections.known_services import Known
from services.incidents.projections.people import people_of, team_members


def team_or_people(connection: Connection, team: str) -> list[str]:
    """The team itself where it has channels, else each of its people: `team/<name>`, or `person/<label>`."""
    own = [f"team/{team}"] if team_channels(connection, team) else []
    return own or [f"person/{one}" for one in team_members(connection, team)]


def clock_of(connection: Connection, team: str) -> ZoneInfo:
    """The clocks that most of *team* live by; UTC where nobody of it is known."""
    people = people_of(connection, team_members(connection, team)).values()
    return ZoneInfo(mode([person.zone for person, _ in people] or ["UTC"]))


def owners_of(connection: Connection, known: Known) -> list[str]:
    """Those of the owner's team, then of SRE's, that can be reached at all: `person/<label>`, and `team/<name>`."""
    told: list[str] = []
    for team in filter(None, (known.owner_team, known.sre_team)):
        told += [f"team/{team}"] if team_channels(connection, team) else []
        told += [f"person/{one}" for one in team_members(connection, team) if channels_of(connection, one, "high")]
    return list(dict.fromkeys(told))
