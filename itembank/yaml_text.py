"""YAML as banks write it: read strictly (a key given twice is refused), written in one canonical form."""

from collections.abc import Hashable, Mapping
from io import StringIO
from typing import Any, Final

import yaml

from engine.errors import BankError

DEEPEST: Final = 20
"""Levels of nesting; a bank has six."""

FLOW_WIDTH: Final = 100
"""Characters; a short mapping or list of scalars stays on one line."""


class _StrictLoader(yaml.CSafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise yaml.constructor.ConstructorError(
                None, None, "a key is given twice in the same mapping", node.start_mark
            )
        return mapping


def _refuse_bombs(text: str, where: str) -> None:
    """Refuse, before anything is built, what a bank never holds: aliases that multiply, and bottomless nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark is not None else "?"
            what = "nests too deeply" if depth > DEEPEST else "uses an alias (*)"
            raise BankError(f"{where} {what} at line {line}; write it out plainly.")


class _CanonicalDumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _mapping(dumper: yaml.CSafeDumper, mapping: Mapping[str, Any]) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", mapping.items(), flow_style=_is_short(mapping.values()))


def _sequence(dumper: yaml.CSafeDumper, sequence: list[Any]) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", sequence, flow_style=_is_short(sequence))


def _is_short(values: Any) -> bool:
    values = list(values)
    if any(isinstance(value, Mapping | list) for value in values):
        return False
    return not any("\n" in str(value) for value in values) and sum(len(str(value)) + 4 for value in values) < FLOW_WIDTH


_CanonicalDumper.add_representer(str, _text)
_CanonicalDumper.add_representer(dict, _mapping)
_CanonicalDumper.add_representer(list, _sequence)


def read_yaml(text: str, where: str) -> Any:
    """Plain data of a YAML text, or a BankError that names the line."""
    try:
        _refuse_bombs(text, where)
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise BankError(f"{where} is not valid YAML{line}: {problem}; correct it.") from error


def write_yaml(data: Mapping[str, Any]) -> str:
    r"""Canonical YAML of plain data: one text for one content, one line for one short value.

    Examples
    --------
    >>> print(write_yaml({"id": "a-1", "key": ["a", "c"], "stem": "Un\nDeux"}), end="")
    id: a-1
    key: [a, c]
    stem: |-
      Un
      Deux
    """
    stream = StringIO()
    yaml.dump(dict(data), stream, Dumper=_CanonicalDumper, allow_unicode=True, sort_keys=False, width=1_000_000)
    return stream.getvalue()
