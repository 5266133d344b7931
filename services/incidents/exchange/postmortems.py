"""A postmortem as one Markdown document, in the order of the SRE book (app. D)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from services.incidents.domain.action.decider import Known as Action
from services.incidents.domain.postmortem.events import Sections
from services.incidents.domain.postmortem.state import Content, Known, Published

HEADINGS: Final[Mapping[str, str]] = {  # in the order in which they are read
    "summary": "Summary",
    "impact": "Impact",
    "root_causes": "Root causes",
    "contributing_factors": "Contributing factors",
    "trigger": "Trigger",
    "detection": "Detection",
    "response": "How the system responded",
    "resolution": "Resolution",
    "vulnerabilities": "Vulnerabilities revealed",
    "went_well": "What went well",
    "went_wrong": "What went wrong",
    "got_lucky": "Where we got lucky",
}
LAST_HEADINGS: Final[Mapping[str, str]] = {
    "supporting_information": "Supporting information",
    "glossary": "Glossary",
    "no_action_reason": "Why no action follows",
}
ACTIONS, CAUSES, TIMELINE = "Action items", "Classified causes", "Timeline"
ACTION_COLUMNS: Final = ("Action", "Type", "Priority", "Owner", "Due", "State", "Tracking")
CAUSE_COLUMNS: Final = ("Kind", "Antipattern", "How it showed")


class Table(NamedTuple):
    """Rows under one heading."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def facts(postmortem: Known) -> Iterator[tuple[str, str]]:
    """What stands under the title, line by line."""
    content = postmortem.content
    drafted, sections = content.drafted, content.sections
    severity = f" ({drafted.origin.severity})" if drafted.origin.severity else ""
    yield "Incident", f"{drafted.number}{severity} on {drafted.service}"
    yield "Date", f"{drafted.origin.milestones.impact_started:%Y-%m-%d}"
    yield "Status", postmortem.name.replace("_", " ")
    yield "Authors", ", ".join(content.authors)
    yield "Reviewers", ", ".join(reviewers(content))
    yield "Took part", ", ".join(f"{each.person} ({each.role})" for each in sections.participants)
    yield "Error budget", ", ".join(f"{each.share:.1%} of {each.slo}" for each in drafted.origin.budgets)
    yield "Risks", ", ".join(sections.risks)
    if isinstance(postmortem, Published):
        without = "" if postmortem.published.reviewed else f" without review: {postmortem.published.reason}"
        yield "Published", f"{postmortem.published.at:%Y-%m-%d}{without}"


def reviewers(content: Content) -> Iterator[str]:
    """Who was asked, and who approved."""
    approved = {each.by: each.side for each in content.approvals}
    for person, side in {each.person: each.side for each in content.reviewers}.items() | approved.items():
        yield f"{person} ({side}, {'approved' if person in approved else 'asked'})"


def tables(sections: Sections, actions: Iterable[Action]) -> Iterator[Table]:
    """Causes, action items and timeline, as far as there are any."""
    causes = [(each.kind, each.antipattern, each.note) for each in sections.causes]
    owed = [
        (it.title, it.type, it.priority, it.owner, it.due.isoformat(), action.name, it.tracking_url)
        for action in actions
        for it in (action.item,)
    ]
    moments = [(f"{each.at:%Y-%m-%d %H:%M:%S}", each.text) for each in sections.timeline]
    every = Table(CAUSES, CAUSE_COLUMNS, causes), Table(ACTIONS, ACTION_COLUMNS, owed)
    yield from (each for each in (*every, Table(TIMELINE, ("UTC", "What happened"), moments)) if each.rows)


def markdown(postmortem: Known, actions: Iterable[Action]) -> str:
    """The whole document; what is empty is left out."""
    sections = postmortem.content.sections
    parts = [f"# {sections.title}", "\n".join(f"- {name}: {_line(said)}" for name, said in facts(postmortem) if said)]
    parts += _texts(sections, HEADINGS)
    parts += [_table(each) for each in tables(sections, actions)]
    parts += _texts(sections, LAST_HEADINGS)
    return "\n\n".join(parts) + "\n"


def _texts(sections: Sections, headings: Mapping[str, str]) -> list[str]:
    said = [(heading, getattr(sections, name).strip()) for name, heading in headings.items()]
    return [f"## {heading}\n\n{text}" for heading, text in said if text]


def _table(table: Table) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    return f"## {table.title}\n\n" + "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return _line(text).replace("\\", "\\\\").replace("|", "\\|") or " "


def _line(text: str) -> str:
    return " ".join(text.split())
