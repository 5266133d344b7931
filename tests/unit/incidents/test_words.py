import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects import postgresql, sqlite

from libs.events.full_text import Words, holds
from services.incidents.domain.words import kept, words

SAID = Table("said", MetaData(), Column("words", Words))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The order queues of checkout-api", ("order", "queue", "checkout", "api")),
        ("Retries, retry; RETRIES", ("retry",)),
        ("DNS status class bus", ("dns", "status", "class", "bus")),
        ("it is what it was", ()),
        ("Überlast am Zähler 42", ("überlast", "am", "zähler", "42")),
        ("x' OR 1=1 --", ("or",)[:0]),
    ],
)
def test_the_words_of_a_text_are_those_that_say_something(text: str, found: tuple[str, ...]) -> None:
    assert words(text) == found


@any_of(st.text(), st.text())
def test_a_text_is_found_by_any_word_of_it(text: str, more: str) -> None:
    held = kept(text, more)

    assert all(f" {word} " in held for word in words(text))
    assert words(held) == tuple(word for word in words(held))


@any_of(st.lists(st.text(), min_size=1, max_size=5))
def test_what_is_asked_of_the_database_is_bound_and_no_part_of_the_statement(texts: list[str]) -> None:
    wanted = [word for text in texts for word in words(text)] or ["queue"]

    for dialect in (postgresql.dialect(), sqlite.dialect()):
        statement = str(holds(SAID.c.words, wanted).compile(dialect=dialect))
        assert not any(f"'{word}'" in statement for word in wanted)


def test_what_is_kept_has_its_bounds() -> None:
    held = kept(*(f"ü{number:020}" for number in range(50_000)))

    assert len(held.encode()) <= 512 * 1024 + 2
