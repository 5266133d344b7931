"""Advice on a postmortem: what blames people, and what nobody could learn from or follow up. It never refuses anything.

The words are data (`policies/blameless-2026-11.yaml`); here is how they are looked for. Code, in blocks or between
backticks, and what others are quoted with, is not looked at.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.incidents.domain.blameless_rules import Advice, Affecting, Numbers, People, Rules, spelt

_QUOTED: Final = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`"
    r"|^[ ]{0,3}>[^\n]*|!(?=\[)"
    # a word or two are the author's own
    r"|[\"\u201c](?=(?:[^\"\u201c\u201d\s]+[ ]){2})[^\"\u201c\u201d\n]*[\"\u201d]",
    re.DOTALL | re.MULTILINE,
)
_BETWEEN: Final = re.compile(r"ha[sd]|have|also|then|both|all|again|itself|themselves|[a-z]+ly")
_WORD: Final = re.compile(r"[\w-]+$")
_NEAR: Final = 200  # characters: a sentence is shown so far around what is found in it, and looked at so far before it
_END: Final = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])|\n+")
_LEADING: Final = re.compile(r"[\s>*+\-|#]*(?:\d+[.)]\s+)?")
_NAMED: Final = re.compile(r"(?<![\w.@/])@[A-Za-z][\w.-]*\w")
_NUMBER: Final = re.compile(r"(?<![\w.:/-])\d[\d.,]*(?![\w:/-]*\d)")
_URGENT: Final = ("P0", "P1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of text, and the line of its document on which it begins."""

    section: str
    text: str
    first_line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An action item, as far as advice is concerned; what nobody said is empty."""

    title: str
    owner: str = ""
    due: str = ""
    link: str = ""
    type: str = ""
    priority: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A postmortem, as far as advice is concerned.

    Args:
        passages: What it says, section by section.
        actions: What follows from it.
        people: Who is known to have taken part, by label.
        services: Names that are no names of people.
        severity: Of the incident; empty: not known.
        impact_started: When it began; None: not known.
        timeline_begins: The time of its first line; None: there is none.
    """

    passages: Sequence[Passage]
    actions: Sequence[Task] = ()
    people: Sequence[str] = ()
    services: Collection[str] = ()
    severity: str = ""
    impact_started: datetime | None = None
    timeline_begins: datetime | None = None

    def text(self, section: str) -> str:
        """What *section* says."""
        return "\n".join(each.text for each in self.passages if each.section == section)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One piece of advice: which sentence, where, why, and what to write instead.

    Args:
        match: The words it is about; empty where something is missing.
        line: In the section, or in the file that was read.
    """

    rule: str
    section: str
    line: int
    column: int
    sentence: str
    match: str
    why: str
    suggestion: str
    source: str


def lint(paper: Paper, rules: Rules) -> list[Finding]:
    """The advice on *paper*, in the order in which it is read; what is missing comes last."""
    titles = [Passage(section="actions", text=each.title, first_line=each.line) for each in paper.actions]
    said = [
        finding
        for passage in (*paper.passages, *titles)
        for finding in sorted(_said(passage, paper, rules), key=lambda found: (found.line, found.column))
    ]
    return [*said, *_missing(paper, rules)]


def _said(passage: Passage, paper: Paper, rules: Rules) -> Iterator[Finding]:
    text = _QUOTED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), passage.text)
    machines = {word.casefold() for word in (*rules.machines, *paper.services)}
    for start, end in _sentences(text):
        sentence = text[start:end]
        for rule in rules.phrases:
            if rule.sections and passage.section not in rule.sections:
                continue
            if rule.unless_number and _NUMBER.search(sentence):
                continue
            for found in rule.pattern.finditer(sentence):
                at = start + found.start()
                if rule.unless_machine and _is_machine(passage.text[max(0, at - _NEAR) : at], machines):
                    continue
                yield _finding(rule.id, rule.advice, passage, start, end, found.span())
        if passage.section in rules.named_people.sections:
            for span in _names(sentence, paper.people, machines, rules.named_people):
                yield _finding("named-person", rules.named_people.advice, passage, start, end, span)


def _is_machine(before: str, machines: Collection[str]) -> bool:
    """Whether the last word of *before*, but for those as in `the node has also failed to`, is a machine, or code."""
    words = before.split()
    while words and _BETWEEN.fullmatch(words[-1]):
        words.pop()
    last = words[-1] if words else ""
    word = _WORD.search(last)
    return last.endswith("`") or (word is not None and _one_of(word[0], machines))


def _one_of(word: str, singulars: Collection[str]) -> bool:
    plain = word.casefold()
    return plain in singulars or plain.removesuffix("s") in singulars


def _names(sentence: str, people: Sequence[str], machines: Collection[str], rule: People) -> Iterator[tuple[int, int]]:
    """Where somebody is named in *sentence*, each place once."""
    words = {*machines, *(word.casefold() for word in rule.no_names)}
    spans = [found.span() for found in _NAMED.finditer(sentence)]
    guessed = rule.pattern.finditer(sentence)
    spans += [found.span(1) for found in guessed if not any(_one_of(word, words) for word in found[1].split())]
    for label in people:
        if not _one_of(label, words):
            named = re.compile(rf"(?<![\w@.-]){re.escape(label)}(?![\w-])", re.IGNORECASE)
            spans += [found.span() for found in named.finditer(sentence)]
    kept: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda each: (each[0], -each[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    yield from kept


def _missing(paper: Paper, rules: Rules) -> Iterator[Finding]:
    numbers = rules.impact_without_numbers
    if paper.text("impact").strip() and not _has_numbers(paper.text("impact"), numbers):
        yield _whole("impact-without-numbers", numbers.advice, "impact", _place(paper, "impact"))
    if not paper.text("root_causes").strip():
        yield _whole("no-root-cause", rules.no_root_cause, "root_causes", 1)
    started, begins = paper.impact_started, paper.timeline_begins
    if started is not None and begins is not None and begins >= started:
        yield _whole("late-timeline", rules.late_timeline, "timeline", 1)
    yield from _of_actions(paper, rules)


def _of_actions(paper: Paper, rules: Rules) -> Iterator[Finding]:
    lacks: tuple[tuple[str, Advice, Callable[[Task], str]], ...] = (
        ("action-without-owner", rules.action_without_owner, lambda task: task.owner),
        ("action-without-due-date", rules.action_without_due_date, lambda task: task.due),
        ("action-without-link", rules.action_without_link, lambda task: task.link),
    )
    for task in paper.actions:
        for name, advice, has in lacks:
            if not has(task).strip():
                yield _whole(name, advice, "actions", task.line, task.title)
    types = {task.type for task in paper.actions}
    if types == {"mitigate"}:
        yield _whole("only-mitigation", rules.only_mitigation, "actions", paper.actions[0].line)
    priorities = {task.priority for task in paper.actions}
    if len(paper.actions) > 1 and len(priorities) == 1 and priorities != {""}:
        yield _whole("one-priority", rules.one_priority, "actions", paper.actions[0].line)
    if _affects_users(paper, rules.nothing_urgent) and not priorities & set(_URGENT):
        line = paper.actions[0].line if paper.actions else 1
        yield _whole("nothing-urgent", rules.nothing_urgent.advice, "actions", line)


def _affects_users(paper: Paper, rule: Affecting) -> bool:
    if paper.text("no_action_reason").strip() and not paper.actions:
        return False
    who, nobody = (re.compile("|".join(map(spelt, each)), re.IGNORECASE) for each in (rule.words, rule.unless))
    impact = paper.text("impact")
    said = [impact[start:end] for start, end in _sentences(impact)]
    return paper.severity in rule.severities or any(who.search(each) and not nobody.search(each) for each in said)


def _has_numbers(text: str, rule: Numbers) -> bool:
    words = re.compile("|".join(map(spelt, rule.words)), re.IGNORECASE)
    said = [text[start:end] for start, end in _sentences(text)]
    own = [each for each in said if not any(drafted in each for drafted in rule.drafted)]
    return any(_NUMBER.search(each) or words.search(each) for each in own)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence of *text* begins and ends; a line of a list or a table ends one."""
    start = 0
    for end in (*(found.span() for found in _END.finditer(text)), (len(text), len(text))):
        leading = _LEADING.match(text, start)
        begin = min(leading.end() if leading else start, end[0])
        if text[begin : end[0]].strip():
            yield begin, end[0]
        start = end[1]


def _finding(rule: str, advice: Advice, passage: Passage, start: int, end: int, span: tuple[int, int]) -> Finding:
    at = start + span[0]
    before = passage.text[:at]
    return Finding(
        rule=rule,
        section=passage.section,
        line=passage.first_line + before.count("\n"),
        column=at - (before.rfind("\n") + 1) + 1,
        sentence=" ".join(passage.text[max(start, at - _NEAR) : min(end, at + _NEAR)].split()),
        match=passage.text[at : start + span[1]],
        why=advice.why,
        suggestion=advice.suggestion,
        source=advice.source,
    )


def _whole(rule: str, advice: Advice, section: str, line: int, sentence: str = "") -> Finding:
    return Finding(
        rule=rule,
        section=section,
        line=line,
        column=1,
        sentence=sentence,
        match="",
        why=advice.why,
        suggestion=advice.suggestion,
        source=advice.source,
    )


def _place(paper: Paper, section: str) -> int:
    return next((each.first_line for each in paper.passages if each.section == section), 1)
