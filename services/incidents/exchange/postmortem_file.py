"""A postmortem in a Markdown file, as far as advice is concerned; our own export, or any other with such headings."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from libs.events.errors import SetupError
from services.incidents.domain.action.decider import Dropped
from services.incidents.domain.action.decider import Known as Action
from services.incidents.domain.blameless import Paper, Passage, Task
from services.incidents.domain.postmortem.state import Known
from services.incidents.exchange.postmortems import ACTIONS, CAUSES, HEADINGS, LAST_HEADINGS, TIMELINE

OTHER: Final = "other"
_MOST_BYTES: Final = 1024 * 1024
_HEADING: Final = re.compile(r"\s{0,3}(#{1,6})\s+(.*)")
_ITEM: Final = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s*)?(.+)")
_SECTIONS: Final[Mapping[str, str]] = {
    **{heading.casefold(): name for name, heading in {**HEADINGS, **LAST_HEADINGS}.items()},
    **{name.replace("_", " "): name for name in {**HEADINGS, **LAST_HEADINGS}},
    ACTIONS.casefold(): "actions",
    CAUSES.casefold(): "causes",
    TIMELINE.casefold(): "timeline",
    "root cause": "root_causes",
    "actions": "actions",
    "follow-up": "actions",
    "follow-ups": "actions",
    "lessons learned": "went_wrong",
    "what went poorly": "went_wrong",
    "where we got lucky": "got_lucky",
}
_OWNER: Final = re.compile(r"(?:owner|assignee)\s*[:=]\s*@?([\w.-]+)|(?<!\w)@([A-Za-z][\w.-]*)", re.IGNORECASE)
_DUE: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_LINK: Final = re.compile(r"https?://[^\s)>|]+")
_PRIORITY: Final = re.compile(r"\bP[0-3]\b")
_TYPE: Final = re.compile(r"\b(mitigate|prevent|detect|process)\b", re.IGNORECASE)
_SEVERITY: Final = re.compile(r"\bsev[1-4]\b", re.IGNORECASE)
_MOMENT: Final = re.compile(r"\|\s*(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)[^|]*\|(.*)")
_PEOPLE: Final = re.compile(r"-\s*(?:Authors|Reviewers|Took part):\s*(.*)")


def read_file(path: Path) -> Paper:
    """What the file at *path* says.

    Raises:
        SetupError: It is no text, or too long for a postmortem.
    """
    data = path.read_bytes()
    if len(data) > _MOST_BYTES:
        message = f"{path} has {len(data)} bytes, at most {_MOST_BYTES} are read; name a postmortem in Markdown"
        raise SetupError(message)
    try:
        return read_paper(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        message = f"{path} is no text in UTF-8 (byte {error.start}); save it as UTF-8"
        raise SetupError(message) from error


def read_paper(text: str) -> Paper:
    """What *text* says, section by section; what stands under an unknown heading is read as well."""
    passages = list(_passages(text.splitlines()))
    actions = tuple(task for each in passages if each.section == "actions" for task in _tasks(each))
    head = "\n".join(each.text for each in passages if each.section == OTHER)
    severity = _SEVERITY.search(head)
    moments = [moment for each in passages if each.section == "timeline" for moment in _moments(each.text)]
    started = [at for at, said in moments if "impact started" in said]
    return Paper(
        passages=tuple(each for each in passages if each.section != "actions"),
        actions=actions,
        people=tuple(_people(head)),
        severity=severity[0].lower() if severity else "",
        impact_started=started[0] if started else None,
        timeline_begins=moments[0][0] if moments else None,
    )


def _passages(lines: Sequence[str]) -> Iterator[Passage]:
    """The lines between two headings; a heading of a lower level stays in its section, unless it names one."""
    section, first, held = OTHER, 1, list[str]()
    for number, line in enumerate(lines, start=1):
        heading = _HEADING.match(line)
        named = _SECTIONS.get(heading[2].rstrip(" \t#").casefold().rstrip(":")) if heading else None
        if heading and (named or len(heading[1]) <= 2):  # noqa: PLR2004  a title, or a section
            yield Passage(section=section, text="\n".join(held), first_line=first)
            section, first, held = named or OTHER, number + 1, []
        else:
            held.append(line)
    yield Passage(section=section, text="\n".join(held), first_line=first)


def _tasks(passage: Passage) -> Iterator[Task]:
    header: list[str] = []
    for number, line in enumerate(passage.text.splitlines(), start=passage.first_line):
        if line.lstrip().startswith("|"):
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
            if not header:
                header = [cell.casefold() for cell in cells]
            elif set("".join(cells)) - set("-: "):
                yield _row(dict(zip(header, cells, strict=False)), number)
        elif item := _ITEM.match(line):
            yield _line(item[1], number)


def _row(cells: Mapping[str, str], line: int) -> Task:
    def cell(*names: str) -> str:
        return next((cells[name] for name in names if cells.get(name)), "")

    return Task(
        title=cell("action", "action item", "title", "what"),
        owner=cell("owner", "who", "assignee"),
        due=cell("due", "due date", "when"),
        link=cell("tracking", "link", "ticket", "bug", "issue"),
        type=cell("type").casefold(),
        priority=cell("priority", "prio").upper(),
        line=line,
    )


def _line(text: str, line: int) -> Task:
    owner, due, link = _OWNER.search(text), _DUE.search(text), _LINK.search(text)
    kind, priority = _TYPE.search(text), _PRIORITY.search(text)
    return Task(
        title=text,
        owner=(owner[1] or owner[2]) if owner else "",
        due=due[0] if due else "",
        link=link[0] if link else "",
        type=kind[0].casefold() if kind else "",
        priority=priority[0] if priority else "",
        line=line,
    )


def _moments(text: str) -> Iterator[tuple[datetime, str]]:
    for line in text.splitlines():
        if found := _MOMENT.match(line.strip()):
            try:
                yield datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC), found[3]
            except ValueError:  # a day that does not exist
                continue


def _people(head: str) -> Iterator[str]:
    for said in _PEOPLE.findall(head):
        for each in re.sub(r"\([^)]*\)", "", said).split(","):
            if name := each.strip():
                yield name


def paper_of(postmortem: Known, actions: Iterable[Action], services: Collection[str]) -> Paper:
    """A stored postmortem, as far as advice is concerned; what was dropped follows from it no more."""
    content = postmortem.content
    sections, origin = content.sections, content.drafted.origin
    texts = [Passage(section=name, text=getattr(sections, name)) for name in {**HEADINGS, **LAST_HEADINGS}]
    notes = [Passage(section="causes", text=cause.note) for cause in sections.causes]
    items = [action.item for action in actions if not isinstance(action, Dropped)]
    known = (*content.authors, *(each.person for each in sections.participants), *(item.owner for item in items))
    return Paper(
        passages=(*texts, *notes),
        actions=tuple(
            Task(
                title=item.title,
                owner=item.owner,
                due=item.due.isoformat(),
                link=item.tracking_url,
                type=item.type,
                priority=item.priority,
            )
            for item in items
        ),
        people=tuple(dict.fromkeys(known)),
        services=services,
        severity=origin.severity,
        impact_started=origin.milestones.impact_started,
        timeline_begins=sections.timeline[0].at if sections.timeline else None,
    )
