"""A digest in words and figures."""

from collections import Counter
from collections.abc import Iterator, Sequence

from services.lifecycle.domain.digest.commands import Compile
from services.lifecycle.domain.digest.events import DigestCompiled, Line
from services.lifecycle.domain.gathering.pack import plain
from services.lifecycle.domain.inbox.waiting import KINDS, Kind, Waiting

_NAMES: dict[Kind, str] = {
    "handback": "hand-back",
    "rollout_review": "roll-out review",
    "transition_approval": "transitions to approve",
    "waiver_approval": "waivers to approve",
}


def digest_id(team: str, week: str) -> str:
    """The id of the digest of a team and a week."""
    return f"{team}.{week}"


def compiled(command: Compile) -> DigestCompiled:
    """What *command* asks to be told."""
    found = Counter[Kind](item.kind for item in command.items)
    most = int(command.policy.digest.items_at_most.value)
    lines = tuple(map(_line, command.items[:most]))
    overdue = sum(item.overdue for item in command.items)
    late = f", {overdue} overdue" if overdue else ""
    subject = f"{command.display_name}, {command.week}: {len(command.items) or 'nothing'} waiting{late}"
    left_out = len(command.items) - len(lines)
    counts: dict[Kind, int] = {kind: found[kind] for kind in KINDS if found[kind]}
    return DigestCompiled(
        digest=digest_id(command.team, command.week),
        team=command.team,
        week=command.week,
        time_zone=command.time_zone,
        total=len(command.items),
        overdue=overdue,
        counts=counts,
        lines=lines,
        left_out=left_out,
        subject=subject,
        text="\n".join(_text(subject, counts, lines, left_out)),
        policy_version=command.policy.version,
        at=command.at,
    )


def _line(item: Waiting) -> Line:
    return Line(
        kind=item.kind,
        title=item.title,
        link=item.subject,
        service=item.service,
        due=item.due,
        overdue=item.overdue,
        what=item.what,
        how=item.how,
        who=item.who.people,
    )


def _text(subject: str, counts: dict[Kind, int], lines: Sequence[Line], left_out: int) -> Iterator[str]:
    yield f"# {plain(subject)}"
    yield ""
    if not lines:
        yield "Nothing waits."
        yield ""
        return
    yield ", ".join(f"{_NAMES.get(kind, kind.replace('_', ' '))}: {count}" for kind, count in counts.items())
    yield ""
    for title, some in (
        ("Overdue", [line for line in lines if line.overdue]),
        ("Waiting", [line for line in lines if not line.overdue]),
    ):
        if some:
            yield f"## {title}"
            yield ""
            yield from map(_bullet, some)
            yield ""
    if left_out:
        yield f"{left_out} more wait."
        yield ""


def _bullet(line: Line) -> str:
    day = f", due {line.due}" if line.due else ""
    who = ", ".join(map(plain, line.who)) or "anybody"
    return f"- [{plain(line.title)}]({line.link}): {plain(line.what)} ({who}{day})"
