from hypothesis import given
from hypothesis import strategies as st

from libs.events.tail import Tail


def test_the_newest_entries_are_read_from_any_number_on() -> None:
    tail: Tail[str] = Tail(10)
    tail.append(1, ["a", "b"])
    tail.append(3, ["c"])
    assert tail.read(1, 10) == ["a", "b", "c"]
    assert tail.read(2, 1) == ["b"]
    assert tail.read(4, 10) == []


def test_what_is_not_here_any_more_is_not_answered_in_part() -> None:
    tail: Tail[int] = Tail(3)
    tail.append(1, list(range(1, 11)))
    assert tail.read(7, 10) == []
    assert tail.read(8, 10) == [8, 9, 10]


def test_entries_behind_those_of_another_process_begin_anew() -> None:
    tail: Tail[int] = Tail(3)
    tail.append(1, [1, 2])
    tail.append(5, [5])  # 3 and 4 were written elsewhere
    assert tail.read(2, 10) == []
    assert tail.read(5, 10) == [5]


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(1, 200), st.integers(1, 20))
def test_an_answer_is_what_the_log_holds_there(sizes: list[int], first: int, limit: int) -> None:
    tail: Tail[int] = Tail(5)
    end = 1
    for size in sizes:
        tail.append(end, list(range(end, end + size)))
        end += size
    assert tail.read(first, limit) in ([], list(range(first, min(first + limit, end))))
    assert tail.read(max(end - 5, 1), 5) == list(range(max(end - 5, 1), end))
