"""What bodies are made of takes what people write."""

import pytest
from pydantic import TypeAdapter, ValidationError

from libs.web.schemas import Text

TEXT: TypeAdapter[str] = TypeAdapter(Text)


def test_a_text_ends_its_lines_in_one_way_whatever_sent_it() -> None:
    assert TEXT.validate_python("what happened:\r\n\tnothing\rmuch\n") == "what happened:\n\tnothing\nmuch\n"


@pytest.mark.parametrize("control", ["\x00", "\x0b", "\x0c", "\x1b", "\x7f"])
def test_a_text_holds_no_other_control_characters(control: str) -> None:
    with pytest.raises(ValidationError):
        TEXT.validate_python(f"a{control}b")
