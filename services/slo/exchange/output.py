"""Rules as YAML that people read: keys in their order, queries as blocks, and a line that says where it comes from."""

from collections.abc import Iterable

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and what is the same twice, twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  none are wanted, whatever it is
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(documents: Iterable[tuple[object, str]]) -> str:
    """YAML of *documents*, each under a comment; the same documents always give the same text."""
    return "".join(
        f"---\n# {comment}\n\n{yaml.dump(body, Dumper=_Dumper, sort_keys=False, width=4096, allow_unicode=True)}"
        for body, comment in documents
    )
