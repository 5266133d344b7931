"""A gathering as a page: nothing from elsewhere, nothing that people wrote is carried out, fit for paper and dark."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from services.lifecycle.api.engagements.gathering_page import HEADERS, page
from services.lifecycle.domain.engagement.events import Links
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.gathering.decider import Gathering
from services.lifecycle.domain.gathering.events import (
    GatheringConcluded,
    GatheringDrafted,
    NotesTaken,
    PackLine,
    Section,
    StatementMade,
)

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
EVIL = "\"><script src='https://evil.example/x.js'></script><img onerror=alert(1)>"
SAID: Mapping[str, Any] = {"gathering": "g", "engagement": "e", "kind": "quarterly_update", "by": EVIL, "at": AT}
ENGAGEMENT = Engagement("e", f"sre{EVIL}", f"dev{EVIL}", (EVIL,), Links(), ())
GATHERING = Gathering(
    GatheringDrafted(
        **SAID,
        series="quarterly-update",
        title=EVIL,
        since=AT - timedelta(days=92),
        until=AT,
        pack=(
            Section(EVIL, (PackLine(EVIL, EVIL, f"/v1/{EVIL}", EVIL), PackLine("slo", "98 %", "/v1/slos", "violated"))),
            Section("Actions", ()),
        ),
    ),
    {"sre": StatementMade(**SAID, side="sre", text=f"**calm** {EVIL} [x](javascript:alert(1))", horizon_months=12)},
    NotesTaken(**SAID, notes=EVIL, start=(EVIL,)),
    GatheringConcluded(**SAID, series="quarterly-update", decision="change_model", reason=EVIL),
)


class Read(HTMLParser):
    """The elements, attributes and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def read() -> Read:
    return Read(page(GATHERING, ENGAGEMENT))


def test_what_people_wrote_is_text_wherever_it_stands(read: Read) -> None:
    assert not set(read.tags) & {"script", "img", "iframe", "link", "object"}
    assert read.attributes <= {"lang", "charset", "name", "content", "class", "scope", "href"}
    assert all(link.startswith("/v1/") for link in read.links)
    assert read.words.count("<script") > 5
    assert "strong" in read.tags


def test_it_needs_nothing_from_elsewhere_and_may_run_nothing() -> None:
    style = page(GATHERING, ENGAGEMENT).partition("<style>")[2].partition("</style>")[0]

    assert not [word for word in ("url(", "@import", "http") if word in style]
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]
    assert "allow-scripts" not in HEADERS["Content-Security-Policy"]
    assert "prefers-color-scheme:dark" in style
    assert "@media print" in style


def test_it_says_what_was_decided_and_what_is_empty(read: Read) -> None:
    for words in ("Decision: change model", "12 months ahead", "Nothing.", "held on 21 November 2026"):
        assert words in read.words


def test_a_draft_says_that_it_was_not_held() -> None:
    draft = replace(GATHERING, statements={}, notes=None, concluded=None)

    assert "not held yet" in page(draft, ENGAGEMENT)
