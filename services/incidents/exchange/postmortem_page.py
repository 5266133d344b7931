"""A postmortem as a page to read on a screen or on paper: one file, no scripts, nothing from elsewhere."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Final

from services.incidents.domain.action.decider import Known as Action
from services.incidents.domain.postmortem.events import Sections
from services.incidents.domain.postmortem.state import Known
from services.incidents.exchange.postmortems import HEADINGS, LAST_HEADINGS, Table, facts, tables
from services.incidents.exchange.safe_html import safe_html

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
_ADDRESS: Final = re.compile(r"https?://\S+", re.IGNORECASE)
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#59636e;--line:#d8dee4;--back:#fff;--soft:#f6f8fa;--link:#0550ae}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--line:#30363d;--back:#0d1117;--soft:#161b22;
--link:#79b8ff}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:52rem;margin:0 auto;
padding:2.5rem 1.25rem;overflow-wrap:anywhere}
header{border-bottom:2px solid var(--ink);padding-bottom:1rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .75rem}
h2{font-size:1.2rem;line-height:1.3;margin:2rem 0 .5rem}
h3,h4,h5,h6{font-size:1rem;margin:1.25rem 0 .25rem}
p,ul,ol{margin:.5rem 0}ul,ol{padding-left:1.4rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0}
dt,footer{color:var(--dim)}dd{margin:0}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:2px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.95rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600}.timeline td:first-child{white-space:nowrap;width:12rem;color:var(--dim)}
blockquote p{margin:0}
pre,blockquote{background:var(--soft);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .9rem;
margin:.5rem 0;white-space:pre-wrap}
blockquote{white-space:normal}
code{font:.9em ui-monospace,monospace}
footer{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:.75rem;font-size:.875rem}
@media print{:root{color-scheme:light;--ink:#000;--dim:#444;--line:#bbb;--back:#fff;--soft:#fff;--link:#000}
body{font-size:11pt;max-width:none;padding:0}h2{break-after:avoid}tr,pre,blockquote{break-inside:avoid}}
@page{margin:18mm}
"""


def page(postmortem: Known, actions: Iterable[Action]) -> str:
    """The whole page; Markdown reads as such, and nothing that people typed is carried out."""
    sections = postmortem.content.sections
    known = "".join(f"<dt>{name}</dt><dd>{escape(said)}</dd>" for name, said in facts(postmortem) if said)
    body = (*_texts(sections, HEADINGS), *map(_table, tables(sections, actions)), *_texts(sections, LAST_HEADINGS))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(sections.title)}</title><style>{_STYLE}</style>"
        f"<header><h1>{escape(sections.title)}</h1><dl>{known}</dl></header>"
        f"<main>{''.join(body)}</main>"
        "<footer>About what happened and what follows from it, not about who was there.</footer></html>\n"
    )


def _texts(sections: Sections, headings: Mapping[str, str]) -> Iterator[str]:
    for name, heading in headings.items():
        if text := getattr(sections, name).strip():
            yield f"<h2>{heading}</h2>{safe_html(text)}"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{_cell(each)}</td>' for each in row)}</tr>" for row in table.rows)
    return f'<h2>{table.title}</h2><table class="{table.title.split()[0].lower()}"><tr>{head}</tr>{rows}</table>'


def _cell(text: str) -> str:
    """*text*, a link where it is an address on the web and nothing else."""
    if _ADDRESS.fullmatch(text):
        return f'<a href="{escape(text)}" rel="noopener noreferrer nofollow">{escape(text)}</a>'
    return escape(text)
