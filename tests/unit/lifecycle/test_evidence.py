from dataclasses import replace
from datetime import timedelta

from libs.events.testing import given
from services.lifecycle.contract import EVIDENCE
from services.lifecycle.domain.errors import InTheFutureError, RecordedOtherwiseError
from services.lifecycle.domain.evidence.commands import Record
from services.lifecycle.domain.evidence.events import EvidenceRecorded
from tests.fixtures.lifecycle import NOW

RECORD = Record("e1", "checkout-api", "load_test", NOW - timedelta(days=1), "https://ci.example/7", "ana", NOW)
RECORDED = EvidenceRecorded(
    "e1", "checkout-api", "load_test", NOW - timedelta(days=1), "https://ci.example/7", "ana", NOW
)


def test_what_was_done_is_recorded_with_both_times() -> None:
    given(EVIDENCE).when(RECORD).then(RECORDED)


def test_recording_the_same_again_stays_silent() -> None:
    given(EVIDENCE, RECORDED).when(replace(RECORD, at=NOW + timedelta(hours=1))).then()


def test_an_id_never_stands_for_something_else() -> None:
    given(EVIDENCE, RECORDED).when(replace(RECORD, kind="design_review")).refuses(RecordedOtherwiseError)


def test_what_was_not_done_yet_is_refused() -> None:
    given(EVIDENCE).when(replace(RECORD, done_at=NOW + timedelta(minutes=6))).refuses(InTheFutureError)


def test_a_build_machine_may_be_five_minutes_ahead() -> None:
    at = NOW + timedelta(minutes=5)

    given(EVIDENCE).when(replace(RECORD, done_at=at)).then(replace(RECORDED, at=at))
