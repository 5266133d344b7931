"""Working agreements that come with the program, and what both sides make of them."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.testing import given
from services.lifecycle.config import load_agreement_templates
from services.lifecycle.contract import ENGAGEMENT
from services.lifecycle.domain.agreements import AgreementTemplates
from services.lifecycle.domain.engagement import commands
from services.lifecycle.domain.engagement.charter import WorkingAgreement
from services.lifecycle.domain.engagement.errors import CharterError
from services.lifecycle.domain.engagement.events import (
    EngagementAccepted,
    EngagementRequested,
    WorkingAgreementsProposed,
)
from services.lifecycle.domain.policy import InvalidPolicyError
from tests.fixtures.lifecycle import NOW

SAID: dict[str, Any] = {"engagement": "e1", "by": "ana", "reason": "so agreed", "at": NOW}
PAST = (
    EngagementRequested(**SAID, sre_team="sre", dev_team="dev", services=("api",), model="full"),
    EngagementAccepted(**SAID),
)
AGREEMENT = WorkingAgreement("releases", "release", "How a version goes out", "- nobody releases into a weekend")
PROPOSE = commands.Propose(**SAID, part="working_agreements", entries=(AGREEMENT,), metrics=frozenset())
PROPOSED = WorkingAgreementsProposed(**SAID, version=1, entries=(AGREEMENT,))


def test_there_is_a_template_with_its_source_for_each_occasion() -> None:
    shipped = load_agreement_templates()

    assert {each.occasion for each in shipped.templates} == {"release", "incident", "review"}
    assert all(each.source and each.text for each in shipped.templates)


@pytest.mark.parametrize("kept", [0, 2])
def test_templates_of_one_name_or_none_for_an_occasion_are_refused(kept: int) -> None:
    shipped = load_agreement_templates()
    templates = (*shipped.templates[:kept], *shipped.templates[:1])

    with pytest.raises(InvalidPolicyError):
        replace(shipped, templates=templates).validate()


def test_every_edition_has_a_version_and_the_same_again_is_none() -> None:
    given(ENGAGEMENT, *PAST).when(PROPOSE).then(PROPOSED)
    given(ENGAGEMENT, *PAST, PROPOSED).when(PROPOSE).then()
    other = replace(AGREEMENT, text="- nobody releases at night")
    given(ENGAGEMENT, *PAST, PROPOSED).when(replace(PROPOSE, entries=(other,))).then(
        replace(PROPOSED, version=2, entries=(other,))
    )


def test_an_edition_names_each_agreement_once() -> None:
    given(ENGAGEMENT, *PAST).when(replace(PROPOSE, entries=(AGREEMENT, AGREEMENT))).refuses(CharterError)


def test_what_comes_with_the_program_can_be_proposed_as_it_is() -> None:
    shipped: AgreementTemplates = load_agreement_templates()
    entries = tuple(WorkingAgreement(each.id, each.occasion, each.title, each.text) for each in shipped.templates)

    given(ENGAGEMENT, *PAST).when(replace(PROPOSE, entries=entries)).then(replace(PROPOSED, entries=entries))
