"""Review templates: versions, and the checklist that comes with the program."""

from collections import Counter
from dataclasses import replace

import pytest

from libs.events.testing import given
from services.lifecycle.api.reviews.review_template_schemas import read_template, shipped_templates, write_template
from services.lifecycle.contract import REVIEW_TEMPLATE
from services.lifecycle.domain.errors import NameTakenError, UnknownError
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.review_template.checklist import SECURITY, Axis, Checklist
from services.lifecycle.domain.review_template.commands import Publish
from services.lifecycle.domain.review_template.errors import TemplateOutdatedError
from services.lifecycle.domain.review_template.events import TemplatePublished
from tests.fixtures.lifecycle import POLICY
from tests.fixtures.reviews import AT, item

SHIPPED = shipped_templates()["production-readiness"]
SHORT = Checklist("Short", (Axis("monitoring", "Monitoring"),), (item("dashboard"),))
LONGER = replace(SHORT, items=(item("dashboard"), item("probed")))
PUBLISH = Publish(
    template="short", checklist=SHORT, based_on=None, is_new=True, shipped=None, by="ana", reason="", at=AT
)
CHANGE = replace(PUBLISH, checklist=LONGER, is_new=False)


def published(version: int = 1, checklist: Checklist = SHORT) -> TemplatePublished:
    return TemplatePublished("short", version, checklist.title, checklist.axes, checklist.items, "ana", "", AT)


def test_a_template_is_published_once() -> None:
    given(REVIEW_TEMPLATE).when(PUBLISH).then(published())
    given(REVIEW_TEMPLATE, published()).when(PUBLISH).then()
    given(REVIEW_TEMPLATE, published()).when(replace(PUBLISH, checklist=LONGER)).refuses(NameTakenError)


def test_a_change_is_the_next_version_and_no_change_is_none() -> None:
    given(REVIEW_TEMPLATE).when(CHANGE).refuses(UnknownError)
    given(REVIEW_TEMPLATE, published()).when(CHANGE).then(published(2, LONGER))
    given(REVIEW_TEMPLATE, published()).when(replace(CHANGE, checklist=SHORT)).then()


@pytest.mark.parametrize("based_on", [1, 3])
def test_a_change_of_another_version_than_the_newest_is_refused(based_on: int) -> None:
    past = published(), published(2, LONGER)

    refusal = given(REVIEW_TEMPLATE, *past).when(
        replace(CHANGE, checklist=replace(LONGER, title="Other"), based_on=based_on)
    )

    assert refusal.refuses(TemplateOutdatedError).newest == 2


def test_what_is_shipped_is_the_first_version() -> None:
    change = replace(CHANGE, template=SHIPPED.template, shipped=SHIPPED)

    (event,) = REVIEW_TEMPLATE.decide(change, ())

    assert event.version == 2
    assert REVIEW_TEMPLATE.decide(replace(change, checklist=SHIPPED.checklist), ()) == ()


def test_the_shipped_checklist_has_54_items_in_seven_axes_and_38_of_them_block() -> None:
    assert Counter(each.severity for each in SHIPPED.items) == {"blocking": 38, "conditional": 11, "advisory": 5}
    assert {each.axis for each in SHIPPED.items} == {axis.id for axis in SHIPPED.axes}
    assert len(SHIPPED.axes) == 7


def test_gates_can_check_what_the_shipped_checklist_leaves_to_the_platform_and_none_of_it_asks_for_a_review() -> None:
    checks = {each.check for each in SHIPPED.items} - {""}

    assert checks <= set(POLICY.checks)
    assert not any("review" in check and check != "design_review" for check in checks)  # that would wait for itself


def test_the_shipped_checklist_asks_for_security_before_there_are_users() -> None:
    blocking = [each for each in SHIPPED.items if each.axis == SECURITY and each.severity == "blocking"]

    assert sum(Phase.LIMITED_AVAILABILITY in each.phases for each in blocking) == 5
    assert all(Phase.GENERAL_AVAILABILITY in each.phases for each in blocking)


def test_what_is_written_is_read_back_as_it_was() -> None:
    assert read_template(write_template(SHIPPED).encode(), POLICY.checks).checklist == SHIPPED.checklist
