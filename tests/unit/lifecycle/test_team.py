from datetime import timedelta

from libs.events.testing import given
from services.lifecycle.contract import TEAM
from services.lifecycle.domain.errors import NameTakenError, UnknownError
from services.lifecycle.domain.team.commands import Change, Register
from services.lifecycle.domain.team.events import TeamChanged, TeamRegistered
from tests.fixtures.lifecycle import NOW

REGISTERED = TeamRegistered("checkout", "dev", "Checkout", NOW)
LATER = NOW + timedelta(hours=1)


def test_a_team_is_registered_under_its_name() -> None:
    given(TEAM).when(Register("checkout", "dev", "Checkout", NOW)).then(REGISTERED)


def test_a_name_is_never_given_twice_not_even_for_the_same_content() -> None:
    refusal = given(TEAM, REGISTERED).when(Register("checkout", "dev", "Checkout", NOW)).refuses(NameTakenError)

    assert "choose another" in str(refusal)


def test_a_team_may_be_called_something_else() -> None:
    state = given(TEAM, REGISTERED).when(Change("checkout", "Till", LATER)).then(TeamChanged("checkout", "Till", LATER))

    assert state is not None
    assert state.display_name == "Till"


def test_calling_it_what_it_is_called_changes_nothing() -> None:
    given(TEAM, REGISTERED).when(Change("checkout", "Checkout", LATER)).then()


def test_a_team_that_does_not_exist_cannot_change() -> None:
    given(TEAM).when(Change("checkout", "Till", LATER)).refuses(UnknownError)
