"""How the command tells what the gateway refused."""

import httpx
import pytest

from services.cli.remote import refusal

DETAIL = "the name is taken"


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([], f"409 taken: {DETAIL}"),
        ([{"detail": DETAIL, "pointer": "/name"}], f"409 taken: {DETAIL} (/name)"),
        ([{"detail": DETAIL}], f"409 taken: {DETAIL}"),
        ([{"detail": "too long", "pointer": "/name"}], f"409 taken: {DETAIL}; /name: too long"),
        (
            [{"detail": DETAIL, "pointer": "/name"}, {"detail": "too old", "pointer": "/at"}],
            f"409 taken: {DETAIL}; /name: {DETAIL}; /at: too old",
        ),
    ],
)
def test_what_is_wrong_is_said_once(errors: list[dict[str, str]], said: str) -> None:
    answer = httpx.Response(409, json={"code": "taken", "detail": DETAIL, "errors": errors})

    assert refusal(answer) == said


def test_what_is_no_problem_document_is_shown_as_it_came() -> None:
    assert refusal(httpx.Response(502, text="<html>")) == "502 Bad Gateway: <html>"
