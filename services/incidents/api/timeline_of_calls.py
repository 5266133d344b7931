"""What an incident's timeline tells of those who were called for it, and of what they were sent."""

from datetime import datetime
from typing import Any

from libs.events.resources import Resources
from services.incidents.api.incident_work_schemas import EntryAnswer
from services.incidents.contract import CONTRACT, ESCALATION
from services.incidents.domain.escalation.events import PageRated
from services.incidents.domain.escalation.telling import describe, sent
from services.incidents.projections.notifications import about_incident


async def told_of_calls(resources: Resources, incident: str) -> list[EntryAnswer]:
    """Who was called and why, and what became of each message."""
    recorded = await resources.store.load(ESCALATION.stream(incident))
    events: list[tuple[str, Any]] = [(str(each.event_id), CONTRACT.decode(each)) for each in recorded]
    calls = [
        _entry(event_id, "call", text, event.at, event.person if isinstance(event, PageRated) else "paging")
        for event_id, event in events
        if (text := describe(event))
    ]
    return [*calls, *(_message(row) for row in await resources.views.read(about_incident, incident))]


def _message(row: Any) -> EntryAnswer:  # noqa: ANN401  a row
    tried = [datetime.fromisoformat(each["at"]) for each in row["attempts"]]
    whom = row["person"] or f"the team {row['team']}"
    text = sent(row["kind"], whom, row["channel"], row["state"], row["detail"], len(tried))
    return _entry(row["id"], "message", text, row["ended_at"] or [row["requested_at"], *tried][-1], "paging")


def _entry(entry: str, kind: str, text: str, at: datetime, author: str) -> EntryAnswer:
    return EntryAnswer(
        id=entry,
        kind=kind,
        text=text,
        author=author,
        source="system",
        starred=False,
        attachments=[],
        occurred_at=at,
        written_at=at,
    )
