"""A gathering as a page to read on a screen or on paper: one file, no scripts, nothing from elsewhere."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from markdown_it import MarkdownIt

from services.lifecycle.domain.engagement.charter import Side
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.gathering.decider import Gathering
from services.lifecycle.domain.gathering.events import PackLine, Section

HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False})  # HTML in what people wrote is shown, not carried out
_TOLD: Final[tuple[tuple[Side, str], ...]] = (("sre", "State of production"), ("dev", "State of the product"))
_SIDES: Final[dict[Side, str]] = {"sre": "SRE", "dev": "development"}
_DATE: Final = "%-d %B %Y"
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#59636e;--line:#d8dee4;--back:#fff;--soft:#f6f8fa;--link:#0550ae;
--bad:#b42318}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--line:#30363d;--back:#0d1117;--soft:#161b22;
--link:#79b8ff;--bad:#ff8a80}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:56rem;margin:0 auto;
padding:2.5rem 1.25rem}
header{border-bottom:2px solid var(--ink);padding-bottom:1rem}
h2 .dim{font-weight:400}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.15rem;line-height:1.3;margin:2rem 0 .5rem}
p{margin:.35rem 0}
.dim,footer{color:var(--dim)}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:2px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
th{font-weight:400;width:42%}
td:nth-child(2){width:22%}
.dim a{color:inherit}
.bad,.bad a{color:var(--bad)}
.told{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem;margin-top:1.5rem}
.told section,.decision{background:var(--soft);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem}
.told h2,.decision h2{margin-top:0}
.decision{margin-top:2rem}
ul{margin:.35rem 0;padding-left:1.2rem}
footer{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:.75rem;font-size:.875rem}
@media print{:root{color-scheme:light;--ink:#000;--dim:#444;--line:#bbb;--back:#fff;--soft:#fff;--link:#000;
--bad:#8f1c12}
body{font-size:11pt;max-width:none;padding:0}h2{break-after:avoid}tr,.told section,.decision{break-inside:avoid}}
@page{margin:18mm}
"""


def page(gathering: Gathering, state: Engagement) -> str:
    """The whole page; what people wrote in Markdown reads as such, and no HTML of theirs is carried out."""
    drafted = gathering.drafted
    title = f"{drafted.title}: {state.dev_team} and {state.sre_team}"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<header>{''.join(_head(gathering, state))}</header>"
        f"<main>{''.join((*_told(gathering), *map(_section, drafted.pack), *_notes(gathering)))}</main>"
        f"<footer>Drafted from what was known on {drafted.at:{_DATE}}. Every figure leads to where it comes from;"
        " what nobody told of is unknown, and says why.</footer></html>\n"
    )


def _head(gathering: Gathering, state: Engagement) -> Iterator[str]:
    drafted = gathering.drafted
    yield f"<h1>{escape(drafted.title)}</h1>"
    yield f"<p><strong>{escape(state.dev_team)}</strong> and <strong>{escape(state.sre_team)}</strong>"
    yield f" on {escape(', '.join(state.services))}</p>" if state.services else "</p>"
    held = f"held on {gathering.concluded.at:{_DATE}}" if gathering.concluded else "not held yet"
    yield f'<p class="dim">{drafted.since:{_DATE}} to {drafted.until:{_DATE}}, {held}</p>'


def _told(gathering: Gathering) -> Iterator[str]:
    if not gathering.statements:
        return
    yield '<div class="told">'
    for side, title in _TOLD:
        said = gathering.statements.get(side)
        if said is not None:
            reach = f' <span class="dim">{said.horizon_months} months ahead</span>' if said.horizon_months else ""
            yield f"<section><h2>{title}{reach}</h2>{_MARKDOWN.render(said.text)}"
            yield f'<p class="dim">{escape(said.by)}, for {_SIDES[side]}</p></section>'
    yield "</div>"


def _section(section: Section) -> str:
    rows = "".join(map(_row, section.lines)) or '<tr><td class="dim">Nothing.</td></tr>'
    return f"<h2>{escape(section.title)}</h2><table>{rows}</table>"


def _row(line: PackLine) -> str:
    mark = ' class="dim"' if line.value == "unknown" else ' class="bad"' if _is_bad(line) else ""
    return (
        f'<tr><th scope="row">{escape(line.label)}</th>'
        f'<td{mark}><a href="{escape(line.url)}">{escape(line.value)}</a></td>'
        f'<td class="dim">{escape(line.note)}</td></tr>'
    )


def _is_bad(line: PackLine) -> bool:
    """Whether the words themselves say so; no colour claims more than they do."""
    return line.value == "overdue" or line.note.endswith(("violated", "open"))


def _notes(gathering: Gathering) -> Iterator[str]:
    notes, end = gathering.notes, gathering.concluded
    if notes is not None:
        if notes.notes:
            yield f"<h2>Notes</h2>{_MARKDOWN.render(notes.notes)}"
        for title, lines in (("Start", notes.start), ("Stop", notes.stop), ("Keep", notes.keep)):
            yield from _list(title, lines)
    if end is not None:
        decision = (end.decision or "held").replace("_", " ")
        yield f'<div class="decision"><h2>Decision: {escape(decision)}</h2>'
        yield f"<p>{escape(end.reason) or 'No reason was given.'}</p></div>"


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        yield f"<h2>{title}</h2><ul>{items}</ul>"
