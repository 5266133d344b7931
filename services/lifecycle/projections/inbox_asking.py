"""Who asks for an inbox, and for which services: what the statements of all of it are bound to."""

from typing import Final

from sqlalchemy import Text, and_, bindparam, or_, select

from services.lifecycle.domain.phases import Phase
from services.lifecycle.projections.services import SERVICES
from services.lifecycle.projections.teams import TEAMS

_S: Final = SERVICES.view.c
ASKING: Final = bindparam("teams", expanding=True)
PERSON: Final = bindparam("person", type_=Text)  # null: a team asks, and no person is meant
NAMED: Final = bindparam("named", type_=Text)  # how the person stands in a list of people; null as above
SOON: Final = bindparam("soon")
OF_TEAMS: Final = and_(or_(_S.owner_team.in_(ASKING), _S.sre_team.in_(ASKING)), _S.phase != Phase.UNSUPPORTED.value)
THEIRS: Final = select(_S.name).where(OF_TEAMS)
"""The services of the teams that ask. All statements are made once: making one takes longer than asking it."""
_T: Final = TEAMS.view.c
NOBODY: Final = "||"  # the people of a team that names none
_NAMES_PEOPLE: Final = select(_T.name).where(~_T.ended, _T.people != NOBODY)
THEIRS_TO_DO: Final = THEIRS.where(or_(_S.owner_team.in_(ASKING), _S.owner_team.not_in(_NAMES_PEOPLE)))
"""Those of which the team that owns them is asked: their own, and what nobody else is named for."""


def named(person: str) -> str:
    """The pattern of a list of people that has *person* in it."""
    return f"%|{person.replace('/', '//').replace('%', '/%').replace('_', '/_')}|%"
