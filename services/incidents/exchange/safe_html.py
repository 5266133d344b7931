"""Markdown that people wrote, as HTML that carries nothing out: no scripts, no styles, no pictures from elsewhere."""

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_TAGS: Final = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "a", "ul", "ol", "li"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_SCHEMES: Final = {"http", "https", "mailto"}
_BELOW = 2  # a page has its own h1 and h2


def safe_html(text: str) -> str:
    """*text*, Markdown of people, as HTML; HTML in it is shown as what was typed."""
    import nh3  # noqa: PLC0415  the app imports this module, and few requests need it

    return nh3.clean(
        _markdown().render(text),
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes={"a": {"href"}},
        url_schemes=_SCHEMES,
        url_relative="deny",  # the page is saved and sent around, and is no part of a site
        link_rel="noopener noreferrer nofollow",
    )


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415  as above

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    reader.disable("image")  # it is a link then, which says what there was to see
    reader.core.ruler.push("below", _lowered)
    return reader


def _lowered(state: object) -> None:
    for token in getattr(state, "tokens"):  # noqa: B009  markdown-it's own state
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1:]) + _BELOW)}"
