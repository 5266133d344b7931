"""What people typed never becomes what a browser carries out."""

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from services.incidents.contract import ACTION, POSTMORTEM
from services.incidents.domain.action.events import ActionOpened
from services.incidents.domain.milestones import Figures, Milestones
from services.incidents.domain.postmortem.events import (
    BudgetSpent,
    Cause,
    Moment,
    Origin,
    Participant,
    PostmortemAmended,
    PostmortemDrafted,
    PostmortemSubmitted,
    Reviewer,
    Sections,
)
from services.incidents.exchange.postmortem_page import page
from services.incidents.exchange.postmortems import markdown
from services.incidents.exchange.safe_html import safe_html

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
FACT: dict[str, Any] = {"postmortem": "p1", "incident": "i1", "number": "INC-1", "service": "checkout-api"}
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a]( javascript:alert(1) )",
    "[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[a](vbscript:msgbox(1))",
    "<javascript:alert(1)>",
    "[a][x]\n\n[x]: javascript:alert(1)",
    "![a](javascript:alert(1))",
    "![a](https://tracker.example.com/pixel.png)",
    '[a](https://example.com "onmouseover=alert(1)")',
    "[a](//evil.example.com/x)",
    "[a](/v1/api-keys)",
    "[a](\\\\evil.example.com)",
    "[a](java&#10;script:alert(1))",
    "<svg/onload=alert(1)>",
    "<iframe src=//evil></iframe>",
    "<a href=x style=position:fixed>x</a>",
    "</main><script>alert(1)</script>",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "<style>body{display:none}</style>",
    "<!-- --><script>alert(1)</script>",
    '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
]


class Seen(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def harmless(text: str) -> None:
    seen = Seen(text)
    assert not seen.tags & {"script", "img", "iframe", "svg", "math", "style", "object", "form", "h1", "h2"}
    for name, value in seen.attributes:
        assert name in {"href", "rel", "title"}
        assert name != "href" or scheme_of(value or "") in {"http", "https", "mailto"}, value


def scheme_of(address: str) -> str:
    """As a browser reads it (WHATWG URL): what does not begin with a letter is a path, whatever stands in it."""
    seen = re.sub(r"[\t\n\r]", "", address.lstrip("".join(map(chr, range(33)))))
    found = re.match(r"([a-z][a-z0-9+.-]*):", seen, re.IGNORECASE)
    return found[1].lower() if found else ""


def test_schemes_are_read_as_browsers_read_them() -> None:
    assert scheme_of(" \x01java\nscript:alert(1)") == "javascript"
    assert scheme_of("%5Ba%5D(javascript:alert(1))") == ""


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives(attack: str) -> None:
    harmless(safe_html(attack))


@any_of(st.lists(st.sampled_from([*ATTACKS, "<", ">", "[", "](", ")", "`", "\n\n", "javascript:", '"', "&#x", "a"])))
def test_no_mixture_of_attacks_survives(parts: list[str]) -> None:
    harmless(safe_html("".join(parts)))


@any_of(st.text())
def test_any_text_is_rendered(text: str) -> None:
    harmless(safe_html(text))


def test_what_is_meant_is_shown() -> None:
    shown = safe_html("# Now\n\n1. **bold** [graph](https://grafana.example.com/d/1)\n\n| a |\n|---|\n| b |")

    assert {"h3", "ol", "li", "strong", "a", "table", "td"} <= Seen(shown).tags
    assert 'href="https://grafana.example.com/d/1" rel="noopener noreferrer nofollow"' in shown


def test_what_was_struck_out_is_shown_so_and_a_picture_is_a_link() -> None:
    assert safe_html("We ~~did not~~ knew.") == "<p>We <s>did not</s> knew.</p>\n"
    assert '<a href="https://grafana.example.com/d/1.png"' in safe_html("![a](https://grafana.example.com/d/1.png)")


SECTIONS = Sections(
    title="Checkout <b>fails</b>",
    summary="Orders **failed**.",
    impact="4 % of orders failed.",
    root_causes="A queue | without a limit.",
    glossary="PSP: pays",
    causes=(Cause(kind="root", antipattern="unbounded-queue", note="a | b"),),
    risks=("r1",),
    timeline=(
        Moment(at=AT - timedelta(hours=1), text="release 4.2 <script>"),
        Moment(at=AT, text="http://[not-an-address"),
    ),
    participants=(Participant(person="ana", role="took it on"),),
)
PAPER = POSTMORTEM.fold(
    None,
    (
        PostmortemDrafted(
            **FACT,
            title="x",
            by="ana",
            at=AT,
            origin=Origin(
                incident_version=4,
                milestones=Milestones(AT, AT, AT),
                figures=Figures(0),
                alerts=1,
                severity="sev2",
                budgets=(BudgetSpent(slo="availability", share=0.34),),
            ),
        ),
        PostmortemAmended(sections=SECTIONS, authors=("ana",), by="ana", at=AT),
        PostmortemSubmitted(reviewers=(Reviewer(person="bo", side="sre"),), by="ana", at=AT),
    ),
)
TASK = ACTION.fold(
    None,
    (
        ActionOpened(
            **{name: FACT[name] for name in ("postmortem", "incident", "service")},
            action="t1",
            title="Limit the queue",
            owner="bo",
            type="prevent",
            priority="P1",
            due=date(2026, 12, 24),
            tracking_url="https://tracker.example.com/7",
            by="ana",
            at=AT,
        ),
    ),
)


def test_the_markdown_holds_all_that_is_said_in_the_order_of_the_sre_book() -> None:
    assert PAPER is not None
    assert TASK is not None

    text = markdown(PAPER, [TASK])

    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "Summary",
        "Impact",
        "Root causes",
        "Classified causes",
        "Action items",
        "Timeline",
        "Glossary",
    ]
    lines = text.splitlines()
    assert "- Incident: INC-1 (sev2) on checkout-api" in lines
    assert "- Reviewers: bo (sre, asked)" in lines
    assert "- Error budget: 34.0% of availability" in lines
    assert r"| root | unbounded-queue | a \| b |" in lines
    assert "| Limit the queue | prevent | P1 | bo | 2026-12-24 | open | https://tracker.example.com/7 |" in lines


def test_the_page_holds_the_same_and_nothing_of_it_is_carried_out() -> None:
    assert PAPER is not None
    assert TASK is not None

    shown = page(PAPER, [TASK])

    assert "<h1>Checkout &lt;b&gt;fails&lt;/b&gt;</h1>" in shown
    assert '<a href="https://tracker.example.com/7" rel="noopener noreferrer nofollow">' in shown
    assert "<strong>failed</strong>" in shown
    assert "release 4.2 &lt;script&gt;" in shown
    assert "script" not in Seen(shown).tags
