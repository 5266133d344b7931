"""The words of a text by which it is found again; the same for what is kept and for what is asked."""

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_SHORTEST, _LONGEST = 2, 40
_MOST_BYTES: Final = 512 * 1024  # of what is kept: a tsvector has a megabyte
_EMPTY: Final = frozenset(
    (
        *("a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "did", "do", "for", "from", "had", "has"),
        *("have", "he", "her", "his", "how", "if", "in", "into", "is", "it", "its", "no", "not", "of", "on", "or"),
        *("our", "she", "so", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to"),
        *("was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "you", "your"),
    )
)


def words(text: str) -> tuple[str, ...]:
    """The words of *text* that say something, each once, in their order; a plural counts as its singular."""
    found = (_stem(word) for word in _WORD.findall(text.casefold()))
    return tuple(dict.fromkeys(word for word in found if _SHORTEST <= len(word) <= _LONGEST and word not in _EMPTY))


def kept(*texts: str) -> str:
    """The words of *texts* as a searched column holds them, with a blank before and after each."""
    said = " ".join(words("\n".join(texts)))
    return f" {said.encode()[:_MOST_BYTES].decode(errors='ignore')} "


def _stem(word: str) -> str:
    """*word* without the ending of an English plural; nothing cleverer, so that no two words are taken for one."""
    if len(word) > 4 and word.endswith("ies"):  # noqa: PLR2004  as in queries, not in dies
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):  # noqa: PLR2004  not in dns
        return word[:-1]
    return word
