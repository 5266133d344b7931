"""Whom a notice means: people and teams, by what they have to do with a service or an incident."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from services.incidents.paging.owners import team_or_people
from services.incidents.projections.channels import team_channels
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.known_services import service_of
from services.incidents.projections.postmortems import POSTMORTEMS
from services.incidents.projections.surroundings import dependents_of


def meant(connection: Connection, name: str) -> Iterator[str]:
    """Whom *name* means (`paging/notices.py` has them all), as `person/<label>` and `team/<name>`."""
    kind, _, about = name.partition("/")
    match kind:
        case "owners" | "sre":
            if known := service_of(connection, about):
                yield from team_or_people(connection, known.owner_team if kind == "owners" else known.sre_team)
        case "authors":
            c = POSTMORTEMS.view.c
            for authors in connection.execute(select(c.authors).where(c.incident == about)).scalars():
                yield from (f"person/{author}" for author in authors)
        case "lead" | "speaker":
            yield from _leading(connection, about, speaks=kind == "speaker")
        case "concerned":
            yield from _concerned(connection, about)
        case _:
            yield name


def _leading(connection: Connection, incident: str, *, speaks: bool) -> Iterator[str]:
    """Who speaks for an incident, commands it, or took it on: the first that there is."""
    if row := _incident(connection, incident):
        said = row["roles"].get("communications") if speaks else None
        if one := said or row["roles"].get("incident_commander") or row["acknowledged_by"]:
            yield f"person/{one}"


def _concerned(connection: Connection, incident: str) -> Iterator[str]:
    """The teams, as far as they have channels, of the services that it affects, and of those that depend on them."""
    if row := _incident(connection, incident):
        affected = [row["service"], *(each["service"] for each in row["affected_services"])]
        services = dict.fromkeys([*affected, *dependents_of(connection, affected)])
        known = [each for service in services if (each := service_of(connection, service))]
        for team in dict.fromkeys(team for each in known for team in (each.owner_team, each.sre_team) if team):
            if team_channels(connection, team):
                yield f"team/{team}"


def _incident(connection: Connection, incident: str) -> Any:  # noqa: ANN401  a row, or none
    view = INCIDENTS.view
    names = view.c.service, view.c.roles, view.c.acknowledged_by, view.c.affected_services
    return connection.execute(select(*names).where(view.c.id == incident)).mappings().one_or_none()
