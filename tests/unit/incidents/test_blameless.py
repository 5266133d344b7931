import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from libs.events.errors import SetupError
from services.cli.main import main
from services.incidents.config import BLAMELESS_RULES, load_rules
from services.incidents.domain.blameless import Finding, Paper, Passage, Task, lint
from services.incidents.exchange.postmortem_file import read_file, read_paper

RULES = load_rules(BLAMELESS_RULES)
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
DONE = Task(
    title="Limit the queue to 500", owner="bo", due="2026-12-24", link="https://x", type="prevent", priority="P0"
)


def said(text: str, section: str = "root_causes", *people: str) -> list[Finding]:
    """The advice on one sentence; what is missing beside it does not count."""
    paper = Paper(passages=[Passage(section=section, text=text)], people=people)
    return [each for each in lint(paper, RULES) if each.match]


@pytest.mark.parametrize(
    ("sentence", "rule", "match"),
    [
        ("The operator should have checked the flag.", "hindsight", "should have"),
        ("We could've seen it.", "hindsight", "could've"),
        ("It could\u2019ve been seen.", "hindsight", "could\u2019ve"),
        ("If only the alert had been louder.", "hindsight", "If only"),
        ("The engineer failed to escalate.", "failed-to", "failed to"),
        ("Nobody was supposed to touch it, they were supposed to ask.", "failed-to", "was supposed to"),
        ("A careless change.", "carelessness", "careless"),
        ("This was carelessness.", "carelessness", "carelessness"),
        ("Somebody forgot the index.", "carelessness", "forgot"),
        ("Somebody fat-fingered the flag.", "carelessness", "fat-fingered"),
        ("It was the engineer\u2019s mistake.", "human-error", "engineer\u2019s mistake"),
        ("We have also failed to ask.", "failed-to", "failed to"),
        ("The cause was human  error.", "human-error", "human  error"),
        ("An operator error.", "human-error", "operator error"),
        ("It was a complete disaster.", "animated-language", "disaster"),
        ("And then it went down!!!", "animated-language", "!!!"),
        ("This is unacceptable.", "animated-language", "unacceptable"),
    ],
)
def test_words_that_blame_are_found_with_their_sentence(sentence: str, rule: str, match: str) -> None:
    found = said(f"Before it.\n{sentence} After it.", "summary")

    assert (rule, match) in [(each.rule, each.match) for each in found]
    first = found[0]
    assert (first.sentence, first.line) == (" ".join(sentence.split()), 2)
    assert first.suggestion
    assert first.source


@pytest.mark.parametrize(
    "sentence",
    [
        "Each queue should have a limit.",
        "The alert should have at least one runbook.",
        "1,200 requests failed to complete.",
        "The proxy failed to connect.",
        "The release failed.",
        "The check compares a != b.",
        "The value was unforgettable.",
        "Errors of humans are out of scope.",
        "It is carefully limited.",
        "The quoted log said `should have been 3!`.",
        "```\nhuman error!\n```",
        "People who were on call saw the alert after 4 minutes.",
        'A customer wrote: "you should have told us before!"',
        "> you failed to tell us",
        "The migration failed to apply, and its queries failed to end.",
        "`orders-db` failed to start.",
        "Postgres failed to elect a leader.",
        "![the queue](queue.png)",
        "The header was ignored by the proxy.",
        "Images come by lazy loading.",
        "The disaster recovery site was cold.",
        "The user error rate rose.",
        "The new binary failed to start, and the circuit breaker failed to open.",
        "The replicas had also silently failed to catch up.",
        "Customers failed to log in.",
        "The utterance parser was slow.",
    ],
)
def test_near_misses_stay_silent(sentence: str) -> None:
    assert said(sentence, "summary") == []


def test_a_word_in_quotation_marks_is_the_authors_own() -> None:
    assert [each.match for each in said('The "careless" engineer.')] == ["careless"]


def test_what_luck_spared_us_is_told_as_it_would_have_been() -> None:
    sentence = "At noon it would have hit everyone."

    assert (said(sentence, "got_lucky"), [each.rule for each in said(sentence)]) == ([], ["hindsight"])


@pytest.mark.parametrize(
    ("sentence", "match"),
    [
        ("Bob pushed the wrong file.", "Bob"),
        ("At 10:02 Maria Lopez restarted the node.", "Maria Lopez"),
        ("ana enabled the flag.", "ana"),
        ("It was asked of @bo.smith in the chat.", "@bo.smith"),
        ("Then Ana's change went out.", "Ana"),
        ("Then Maria deployed the release.", "Maria"),
        ("The file was pushed by Sam Smith.", "Sam Smith"),
    ],
)
def test_people_are_not_named_where_causes_are_told(sentence: str, match: str) -> None:
    [found] = said(sentence, "root_causes", "ana")

    assert (found.rule, found.match) == ("named-person", match)
    assert said(sentence, "supporting_information", "ana") == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Kubernetes restarted the pod.",
        "The engineer on call restarted the node.",
        "Terraform deleted the record.",
        "Write to oncall@example.com.",
        "The banana queue was full.",
        "It will be limited.",
        "We merged both queues.",
        "Traffic dropped by 40 %.",
        "Black Friday caused it.",
        "Replication broke after the upgrade.",
        "Then Errors dropped.",
        "When Chrome dropped the header, calls failed.",
        "The change was approved by Security.",
    ],
)
def test_machines_roles_and_words_are_no_names(sentence: str) -> None:
    assert said(sentence, "root_causes", "ana", "will") == []


def test_a_service_is_no_person_whatever_its_name() -> None:
    passage = Passage(section="root_causes", text="Then Atlas restarted its workers, and atlas failed to start.")

    def found(*services: str) -> list[str]:
        advice = lint(Paper(passages=[passage], people=["atlas"], services=services), RULES)
        return [each.rule for each in advice if each.match]

    assert (found("atlas"), found()) == ([], ["named-person", "named-person", "failed-to"])


@pytest.mark.parametrize(
    ("title", "fires"),
    [
        ("Be more careful with migrations", True),
        ("Improve monitoring", True),
        ("Make sure that this never happens", True),
        ("Improve p99 of checkout to 200 ms", False),
        ("Refuse migrations that lock a table", False),
    ],
)
def test_an_action_says_when_it_is_done(title: str, fires: bool) -> None:  # noqa: FBT001
    found = lint(Paper(passages=[], actions=[Task(title=title)]), RULES)

    assert ("vague-action" in {each.rule for each in found}) == fires


def missing(paper: Paper) -> set[str]:
    return {each.rule for each in lint(paper, RULES) if not each.match}


WELL = (
    Passage(section="impact", text="4 % of orders failed."),
    Passage(section="root_causes", text="A queue without a limit."),
)


def test_a_good_postmortem_is_left_alone() -> None:
    later = Task(title="Show the queue's length", owner="cy", due="2027-01-01", link="https://y", priority="P2")
    begins = AT - timedelta(hours=1)

    assert lint(Paper(passages=WELL, actions=[DONE, later], impact_started=AT, timeline_begins=begins), RULES) == []


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("Many users saw errors.", True),
        ("Detected 2 min after the impact started. 1 alert(s) belonged to it.", True),
        ("See INC-42 and release v4.2 of 2026-11-21.", True),
        ("Half of the users saw errors.", False),
        ("1,200 users saw errors.", False),
        ("Checkout was down for 42 minutes.", False),
        ("It spent 34% of the error budget of availability.", False),
    ],
)
def test_an_impact_has_numbers_that_people_found_out(text: str, fires: bool) -> None:  # noqa: FBT001
    rules = missing(Paper(passages=[Passage(section="impact", text=text), WELL[1]], actions=[DONE]))

    assert ("impact-without-numbers" in rules) == fires


def test_an_action_has_an_owner_a_day_and_a_link() -> None:
    bare = Task(title="Limit the queue", priority="P0", type="prevent")

    assert missing(Paper(passages=WELL, actions=[bare])) == {
        "action-without-owner",
        "action-without-due-date",
        "action-without-link",
    }


def test_actions_prevent_something_are_ranked_and_one_is_urgent() -> None:
    soft = Task(title="Add a replica", owner="a", due="x", link="y", type="mitigate", priority="P2")

    assert missing(Paper(passages=WELL, actions=[soft, soft])) == {"only-mitigation", "one-priority", "nothing-urgent"}
    assert missing(Paper(passages=WELL, actions=[soft, DONE])) == set()


def test_what_users_did_not_feel_needs_nothing_urgent() -> None:
    quiet = (Passage(section="impact", text="One of 3 replicas was gone."), WELL[1])
    low = Task(title="Add a replica", owner="a", due="x", link="y", type="prevent", priority="P3")

    assert missing(Paper(passages=quiet, actions=[low])) == set()
    assert missing(Paper(passages=quiet, actions=[low], severity="sev1")) == {"nothing-urgent"}
    spared = (Passage(section="impact", text="No users noticed it for 3 minutes."), WELL[1])
    assert missing(Paper(passages=spared, actions=[low])) == set()
    reasoned = (*WELL, Passage(section="no_action_reason", text="the component is gone"))
    assert missing(Paper(passages=reasoned, severity="sev1")) == set()


def test_a_timeline_begins_before_the_impact_and_a_cause_is_named() -> None:
    paper = Paper(passages=WELL[:1], actions=[DONE], impact_started=AT, timeline_begins=AT)

    assert missing(paper) == {"late-timeline", "no-root-cause"}


@any_of(st.text(), st.text(alphabet="`~\n.! Aa#|-*"))
def test_any_text_is_read_and_every_finding_points_into_it(text: str, marks: str) -> None:
    whole = f"# x\n\n## Root causes\n\n{text}\n{marks}\nIt should have been seen.\n"
    lines = whole.splitlines()

    for found in lint(read_paper(whole), RULES):
        if found.match:
            assert found.match.split()[0] in whole
            assert 1 <= found.line <= len(lines) + whole.count("\n")


FILE = """# Checkout fails

- Incident: INC-1 (sev3) on checkout-api
- Authors: ana

## Impact

4 % of requests.

## Root cause

ana enabled the flag.

### Details

This was human error.

## Action items

| Action | Type | Priority | Owner | Due | Tracking |
| --- | --- | --- | --- | --- | --- |
| Limit \\| the queue | prevent | P1 | bo | 2026-12-24 | https://x.example.com/1 |

- [ ] Improve it (owner: cy, due 2026-12-31, P2, detect, https://x.example.com/2)

## Timeline

| UTC | What happened |
| --- | --- |
| 2026-11-21 09:40:00 | release 4.2 |
| 2026-11-21 10:00:00 | the impact started |
"""


def test_a_file_is_read_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "paper.md"
    path.write_text(FILE, encoding="utf-8")

    paper = read_file(path)
    found = [(each.rule, each.line, each.column, each.match) for each in lint(paper, RULES)]

    assert (paper.severity, list(paper.people)) == ("sev3", ["ana"])
    assert paper.actions[0].title == "Limit | the queue"
    assert paper.impact_started == AT
    assert found == [
        ("named-person", 12, 1, "ana"),
        ("human-error", 16, 10, "human error"),
        ("vague-action", 24, 1, "Improve"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '"' + "a " * 20_000,
        "a" * 20_000 + "! failed to x",
        "failed to " * 2_000,
        f"# a{' ' * 20_000}b",
    ],
)
def test_a_text_that_is_made_to_take_long_does_not(text: str) -> None:
    started = process_time()

    lint(read_paper(f"## Root causes\n{text}"), RULES)

    assert process_time() - started < 2  # a tenth of a second; minutes where a pattern looks back


@pytest.mark.parametrize(("data", "said"), [(b"\xff\xfe\x00", "UTF-8"), (b"x" * (1024 * 1024 + 1), "at most")])
def test_what_is_no_postmortem_is_refused_with_a_remedy(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "paper.md"
    path.write_bytes(data)

    with pytest.raises(SetupError, match=said):
        read_file(path)


def test_rules_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(BLAMELESS_RULES.read_text(encoding="utf-8").replace("words:", "wörds:", 1), encoding="utf-8")

    with pytest.raises(SetupError, match="CONCORDAT_BLAMELESS_RULES"):
        load_rules(path)


def test_the_command_advises_and_never_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "paper.md"
    path.write_text(FILE, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["concordat", "postmortem", "lint", str(path)])
    main()
    text = capsys.readouterr()
    assert text.out.splitlines()[:2] == [f"{path}:12:1: named-person", "  ana enabled the flag."]
    assert text.err == "3 pieces of advice\n"

    monkeypatch.setattr("sys.argv", ["concordat", "postmortem", "lint", str(path), "--format", "json"])
    main()
    found = json.loads(capsys.readouterr().out)
    assert [each["rule"] for each in found] == ["named-person", "human-error", "vague-action"]

    monkeypatch.setattr("sys.argv", ["concordat", "postmortem", "lint", str(tmp_path / "none.md")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 3
