"""What a Prometheus API may answer to a range query, and what is made of it."""

import pytest

from services.lifecycle.clients.prometheus import RangeQueryError, read_answer


def answer(*series: str, status: str = "success", more: str = "") -> bytes:
    values = ",".join(f'{{"metric":{{}},"values":[{each}]}}' for each in series)
    return f'{{"status":"{status}","data":{{"resultType":"matrix","result":[{values}]}}{more}}}'.encode()


def test_the_values_of_one_series_are_read_and_what_is_no_number_is_left_out() -> None:
    samples = read_answer(200, answer('[1700000000,"5"],[1700003600,"NaN"],[1700007200.5,"6.5"]'))

    assert [(sample.at.isoformat(), sample.value) for sample in samples] == [
        ("2023-11-14T22:13:20+00:00", 5.0),
        ("2023-11-15T00:13:20.500000+00:00", 6.5),
    ]
    assert read_answer(200, answer()) == []


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, answer('[1,"5"]', '[1,"6"]'), "2 series"),
        (200, answer('[1,"+Inf"]'), "without end"),
        (200, answer('[1,"-5"]'), "below zero"),
        (200, answer('[1,"many"]'), "no numbers"),
        (200, answer('[1e300,"5"]'), "no numbers"),
        (200, answer(more=',"warnings":["a store is down"]'), "a store is down"),
        (400, b'{"status":"error","error":"parse error"}', "400: parse error"),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"5"]}]}}', "no matrix"),
        (200, b'{"status":"success","data":{"resultType":"scalar","result":[1,"5"]}}', "no matrix"),
        (502, b"<html>", "502"),
        (200, b"\xff", "200"),
    ],
)
def test_anything_else_is_refused_with_why(status: int, body: bytes, said: str) -> None:
    with pytest.raises(RangeQueryError, match=said):
        read_answer(status, body)
