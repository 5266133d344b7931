"""What the linter of postmortems looks for, and what it advises: plain data, and the patterns that follow from it."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

_STRICT = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a rule says when it fires.

    Args:
        why: What goes wrong otherwise.
        suggestion: What to write instead.
        source: Who says so; `[D]` is ours.
    """

    __pydantic_config__: ClassVar = _STRICT

    why: str
    suggestion: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """A rule that fires at words.

    Args:
        id: Its name.
        words: They are found in any case; a `*` at the end stands for any ending.
        sections: Where; everywhere when empty. `actions` are the titles of action items.
        unless_machine: Whether it does not fire where a machine does it.
        unless_after: Words before which it does not fire.
        unless_number: Whether a number in the same sentence makes it right.
        advice: What it says.
    """

    __pydantic_config__: ClassVar = _STRICT

    id: str
    words: tuple[str, ...]
    advice: Advice
    sections: tuple[str, ...] = ()
    unless_machine: bool = False
    unless_after: tuple[str, ...] = ()
    unless_number: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What is looked for."""
        words = "|".join(map(spelt, self.words))
        after = rf"(?!\s+(?:{'|'.join(map(re.escape, self.unless_after))})\b)" if self.unless_after else ""
        return re.compile(rf"(?:{words}){after}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class People:
    """The rule that fires at somebody's name where causes are told.

    Args:
        sections: Where.
        did: What only people do: a capitalised word before it, or after `by`, is a name.
        may_do: What machines do as well: a name stands before it within a sentence, or is of two words.
        begins: What sentences begin with, before a name.
        no_names: Capitalised words that are no names of people, in the singular, and names that are words as well.
        advice: What it says.
    """

    __pydantic_config__: ClassVar = _STRICT

    sections: tuple[str, ...]
    did: tuple[str, ...]
    may_do: tuple[str, ...]
    begins: tuple[str, ...]
    no_names: tuple[str, ...]
    advice: Advice

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """A capitalised word or two, and what people do."""
        did, may_do = ("|".join(map(spelt, each)) for each in (self.did, self.may_do))
        name = rf"(?!(?:{'|'.join(self.begins)})\b)[A-Z][a-zà-ÿ]+"
        either = rf"(?:(?<=\S\s){name}|{name}[ ]{name})(?=\s+(?:{may_do}))"
        by = "|".join(rf"(?<=\b{word} by ){name}(?:[ ]{name})?" for word in self.did)
        return re.compile(rf"\b({name}(?:[ ]{name})?(?=\s+(?:{did}))|{either}|{by})")


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The rule that fires at an impact without numbers.

    Args:
        words: Numbers in words.
        drafted: What the program writes by itself, so that its numbers do not count.
        advice: What it says.
    """

    __pydantic_config__: ClassVar = _STRICT

    words: tuple[str, ...]
    drafted: tuple[str, ...]
    advice: Advice


@dataclass(frozen=True, kw_only=True)
class Affecting:
    """The rule that fires where users felt it, and nothing urgent follows.

    Args:
        words: Who was affected, as an impact says it.
        unless: Of a sentence with these words nobody was.
        severities: Of incidents that users feel.
        advice: What it says.
    """

    __pydantic_config__: ClassVar = _STRICT

    words: tuple[str, ...]
    unless: tuple[str, ...]
    severities: tuple[str, ...]
    advice: Advice


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All that is advised, by rule; *machines* do things by themselves."""

    __pydantic_config__: ClassVar = _STRICT

    version: str
    machines: tuple[str, ...]
    phrases: tuple[Phrases, ...]
    named_people: People
    impact_without_numbers: Numbers
    action_without_owner: Advice
    action_without_due_date: Advice
    action_without_link: Advice
    only_mitigation: Advice
    one_priority: Advice
    nothing_urgent: Affecting
    late_timeline: Advice
    no_root_cause: Advice


def spelt(word: str) -> str:
    """*word* as a pattern; blanks stand for any white space, a typed apostrophe also for a typographic one."""
    pattern = r"\s+".join(map(re.escape, word.rstrip("*").split())).replace("'", "['\u2019]")
    if not pattern[-1:].isalnum():  # a mark, as often as it stands there; not an operator
        return rf"(?:{pattern})+(?![\w=])"
    return rf"\b{pattern}" + (r"\w*" if word.endswith("*") else r"\b")
