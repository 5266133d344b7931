"""Which settings of a source are taken, and what is said about its health."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from libs.events.decider import Decider
from libs.events.testing import given
from services.slo.domain.errors import InvalidSourceError, NoSuchSourceError, SourceRetiredError
from services.slo.domain.source import commands, decider, events
from services.slo.domain.source.commands import (
    Auth,
    DefineSource,
    NoteFailure,
    NoteSuccess,
    RetireSource,
    Settings,
    Tls,
)
from services.slo.domain.source.events import SourceDefined, SourceFailed, SourceRetired, SourceWorked

SOURCE: Final[Decider[commands.Command, decider.Source, events.Event]] = Decider(
    "source", None, decider.decide, decider.evolve
)
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
PLAIN = Settings("prometheus", "https://prometheus.example.com")
DEFINED = SourceDefined("prometheus", 1, PLAIN, AT)
REFUSED = NoteFailure("prometheus", "source-unauthorized", "auth", "401", "send a token", None, LATER)
FAILED = SourceFailed("prometheus", "source-unauthorized", "auth", "401", "send a token", None, LATER)
WORKED = SourceWorked("prometheus", LATER, None, LATER)


def test_a_source_is_defined() -> None:
    given(SOURCE).when(DefineSource("prometheus", PLAIN, AT)).then(DEFINED)


def test_the_same_settings_again_say_nothing() -> None:
    given(SOURCE, DEFINED).when(DefineSource("prometheus", PLAIN, LATER)).then()


def test_other_settings_are_a_new_revision_whose_health_is_not_known() -> None:
    other = replace(PLAIN, concurrency=8)
    command = DefineSource("prometheus", other, LATER)
    state = given(SOURCE, DEFINED, FAILED).when(command).then(SourceDefined("prometheus", 2, other, LATER))
    assert state == decider.Defined(other, 2, None)


def test_a_source_is_retired_once_and_its_name_is_not_used_again() -> None:
    retired = SourceRetired("prometheus", "moved", LATER)
    given(SOURCE, DEFINED).when(RetireSource("prometheus", "moved", LATER)).then(retired)
    given(SOURCE, DEFINED, retired).when(RetireSource("prometheus", "moved", LATER)).then()
    given(SOURCE, DEFINED, retired).when(REFUSED).then()
    given(SOURCE, DEFINED, retired).when(DefineSource("prometheus", PLAIN, LATER)).refuses(SourceRetiredError)


@pytest.mark.parametrize("command", [REFUSED, NoteSuccess("prometheus", AT, AT), RetireSource("prometheus", "", AT)])
def test_nothing_is_known_about_a_source_that_is_not_defined(command: commands.Command) -> None:
    given(SOURCE).when(command).refuses(NoSuchSourceError)


@pytest.mark.parametrize(
    "settings",
    [
        PLAIN,
        Settings("prometheus", "http://[::1]:9090/prometheus/"),
        replace(PLAIN, auth=Auth("bearer", secret="prometheus.token"), tls=Tls("ca.pem", "client.pem", "client.key")),
        replace(PLAIN, auth=Auth("basic", "concordat", "password"), insecure=True),
        Settings("prometheus", "http://prometheus:9090", Auth("bearer", secret="token"), insecure=True),
        Settings("push"),
        Settings("kafka", late_s=3600),
    ],
)
def test_settings_that_work_are_taken(settings: Settings) -> None:
    given(SOURCE).when(DefineSource("prometheus", settings, AT)).then(SourceDefined("prometheus", 1, settings, AT))


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        (Settings("prometheus"), "/address"),
        (Settings("prometheus", "prometheus:9090"), "/address"),
        (Settings("prometheus", "ftp://prometheus"), "/address"),
        (Settings("prometheus", "https://prometheus:99999"), "/address"),
        (Settings("prometheus", "https://prom\netheus"), "/address"),
        (Settings("prometheus", "https://ann:hunter2@prometheus"), "/address"),
        (Settings("prometheus", "https://prometheus/?tenant=1"), "/address"),
        (replace(PLAIN, auth=Auth("basic", secret="p")), "/auth/username"),
        (replace(PLAIN, auth=Auth("bearer", "ann", "p")), "/auth/username"),
        (replace(PLAIN, auth=Auth("basic", "a:b", "p")), "/auth/username"),
        (replace(PLAIN, auth=Auth("bearer")), "/auth/secret"),
        (replace(PLAIN, auth=Auth(secret="p")), "/auth/secret"),
        (replace(PLAIN, auth=Auth("bearer", secret="../internal.key")), "/auth/secret"),
        (replace(PLAIN, auth=Auth("bearer", secret=".hidden")), "/auth/secret"),
        (Settings("prometheus", "HTTP://prometheus", Auth("bearer", secret="p")), "/insecure"),
        (Settings("prometheus", "http://prometheus", tls=Tls("ca.pem")), "/tls"),
        (replace(PLAIN, tls=Tls(certificate="client.pem")), "/tls/key"),
        (replace(PLAIN, tls=Tls("/etc/passwd")), "/tls/ca"),
        (replace(PLAIN, tls=Tls("ca.pem"), insecure=True), "/insecure"),
        (replace(PLAIN, concurrency=0), "/concurrency"),
        (replace(PLAIN, timeout_s=301), "/timeout_s"),
        (replace(PLAIN, settle_s=-1), "/settle_s"),
        (replace(PLAIN, late_s=59), "/late_s"),
        (Settings("push", "https://prometheus"), ""),
    ],
)
def test_settings_that_cannot_work_or_are_not_safe_are_refused_with_their_place(
    settings: Settings, pointer: str
) -> None:
    refusal = given(SOURCE).when(DefineSource("prometheus", settings, AT)).refuses(InvalidSourceError)
    assert [pointer] == [place for place, _ in refusal.wrong]
    assert "hunter2" not in str(refusal)


@pytest.mark.parametrize("name", ["", "Prometheus", "a b", "-a", "a" * 64])
def test_a_name_is_a_label(name: str) -> None:
    refusal = given(SOURCE).when(DefineSource(name, PLAIN, AT)).refuses(InvalidSourceError)
    assert [place for place, _ in refusal.wrong] == ["/source"]


def test_the_first_success_is_said_and_the_next_is_not() -> None:
    given(SOURCE, DEFINED).when(NoteSuccess("prometheus", LATER, LATER)).then(WORKED)
    given(SOURCE, DEFINED, WORKED).when(NoteSuccess("prometheus", LATER, LATER)).then()


def test_a_failure_is_said_and_the_same_again_is_not_whatever_the_words() -> None:
    given(SOURCE, DEFINED, WORKED).when(REFUSED).then(FAILED)
    given(SOURCE, DEFINED, FAILED).when(replace(REFUSED, detail="401 again")).then()


def test_another_failure_is_said_and_keeps_since_when() -> None:
    much_later = LATER + timedelta(hours=1)
    other = replace(REFUSED, code="source-timeout", place="address", at=much_later)
    said = SourceFailed("prometheus", "source-timeout", "address", "401", "send a token", None, much_later)
    state = given(SOURCE, DEFINED, FAILED).when(other).then(said)
    assert state == decider.Defined(PLAIN, 1, decider.Failing(LATER, "source-timeout", "address"))


def test_a_success_after_failures_says_since_when_it_had_failed() -> None:
    then = LATER + timedelta(minutes=5)
    recovered = SourceWorked("prometheus", then, LATER, then)
    given(SOURCE, DEFINED, FAILED).when(NoteSuccess("prometheus", then, then)).then(recovered)


def test_a_source_that_answers_and_is_far_behind_has_failed() -> None:
    behind = NoteSuccess("prometheus", LATER - timedelta(seconds=601), LATER)
    events_said = SOURCE.decide(behind, SOURCE.fold(None, (DEFINED, WORKED)))
    assert [(event.code, event.last_success) for event in events_said if isinstance(event, SourceFailed)] == [
        ("source-late", LATER)
    ]
    given(SOURCE, DEFINED, WORKED, *events_said).when(behind).then()
