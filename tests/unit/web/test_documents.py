"""OpenSLO texts as values: what YAML hides is refused with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.web.documents import UnreadableError, read_documents, write_documents


def test_many_documents_and_lists_of_them_are_read_in_order() -> None:
    assert read_documents(b"a: 1\n---\n- {b: 2}\n- {c: 3}\n---\n") == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert read_documents(b'[{"a": 1.5}, {"b": null}]') == [{"a": 1.5}, {"b": None}]


def test_scalars_are_those_of_json() -> None:
    text = b"[1e5, 1:30, yes, ~, 2022-01-01 12:00:00, 0x1f, '1', -1.5, <2]"
    assert read_documents(b"a: [!!str 1, =, Null, NO, On, '']") == [{"a": ["1", "=", None, False, True, ""]}]
    expected = [100000.0, "1:30", True, None, "2022-01-01 12:00:00", "0x1f", "1", -1.5, "<2"]
    assert read_documents(b"a: " + text) == [{"a": expected}]


def test_an_alias_stands_for_what_it_names() -> None:
    assert read_documents(b"a: &x {y: 1}\nb: *x") == [{"a": {"y": 1}, "b": {"y": 1}}]


@pytest.mark.parametrize(
    ("text", "line", "column", "detail"),
    [
        (b"a: 1\na: 2", 2, 1, "the key 'a' stands here twice"),
        (b'{"a": 1,\n "a": 2}', 2, 2, "the key 'a' stands here twice"),
        (b"1: 2", 1, 1, "a key must be a string"),
        (b"? [a]\n: 1", 1, 3, "a key must be a string"),
        (b"a: &a [*a]", 1, 8, "the alias a names nothing that is complete before it"),
        (b"a: &a 1\n---\nb: *a", 3, 4, "the alias a names nothing"),
        (
            b"a: &a " + b"[" * 40 + b"]" * 40 + b"\nb: " + b"[" * 40 + b"*a" + b"]" * 40,
            2,
            44,
            "nested more than 64 deep",
        ),
        (b"a: !!int 1", 1, 4, "the tag int is not read"),
        (b"<<: {a: 1}", 1, 1, "merge keys"),
        (b"a: !!python/name:os.system x", 1, 4, "the tag python/name:os.system"),
        (b"a: 1e400", 1, 4, "too large a number"),
        (b"a: " + b"9" * 5000, 1, 4, "too large a number"),
        (b'{"a": ', 2, 1, "did not find expected node content"),
        (b'{"a": "\\ud800"}', 1, 10, "invalid Unicode"),
        (b"", 1, 1, "there is no document"),
        (b"# nothing\n", 1, 1, "there is no document"),
        (b"\xff\xfe", 1, 1, "is no text"),
        (b"a\x00b", 1, 1, "is no text"),
        (b"[" * 3000 + b"]" * 3000, 1, 66, "nested more than 64 deep"),
        (b"[" * 500_000, 1, 66, "nested more than 64 deep"),  # the C loader would end the process
        (b"a" * (1024 * 1024 + 1), 1, 1, "at most 1048576 are read"),
        (b"[" + b"{}," * 1001 + b"]", 1, 1, "there are 1001 documents"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: bytes, line: int, column: int, detail: str) -> None:
    with pytest.raises(UnreadableError) as error:
        read_documents(text)
    assert detail in error.value.detail
    assert (error.value.line, error.value.column) == (line, column)


def test_aliases_that_blow_a_small_text_up_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(UnreadableError, match="more than 100000 values, aliases followed"):
        read_documents("\n".join(lines).encode())


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00")) | st.sampled_from(
    ["1e5", "1", "-1.", "0x1f", "yes", "~", "null", "1:30", "2022-01-01", "<<", "=", "a: b", "# c", "---", "...", " a"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(documents=st.lists(st.dictionaries(TEXTS, JSON, max_size=4), min_size=1, max_size=3))
def test_what_is_written_is_read_back(documents: list[dict[str, object]]) -> None:
    assert read_documents(write_documents(documents).encode()) == documents


def test_an_export_keeps_the_order_of_keys() -> None:
    assert write_documents([{"b": 1, "a": "é"}, {"c": [1.5]}]) == "---\nb: 1\na: é\n---\nc:\n- 1.5\n"
