"""Data read from YAML or JSON Lines in which every value and key still knows its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from eval.errors import Mistake

KeyPath = tuple[str | int, ...]

_SYNTAX_ERRORS = (yaml.scanner.ScannerError, yaml.parser.ParserError)


@dataclass(frozen=True, slots=True)
class Located:
    """A value and the line it was written on.

    Attributes:
        value: A mapping of `Located`, a list of `Located`, or a plain value.
        line: Line of the value, or of its key where it has one, from 1.
        written: A plain value as it stands in the file.
        repeated: Keys that a mapping names twice, with the line of the second.
        hint: What to write here, where the reader of the file knows it better than the format; empty otherwise.
        column: Heading of the column it was written in, where that is not its key.
    """

    value: Any
    line: int
    written: str = ""
    repeated: tuple[tuple[str, int], ...] = ()
    hint: str = ""
    column: str = ""

    def plain(self) -> Any:
        """Return the value without its lines."""
        if isinstance(self.value, dict):
            return {key: value.plain() for key, value in self.value.items()}
        return [value.plain() for value in self.value] if isinstance(self.value, list) else self.value

    def find(self, path: KeyPath) -> Located:
        """Return the value at a path of keys and indexes, or the innermost one on the way that exists."""
        here = self
        for part in path:
            inside = dict(here.parts())
            if part not in inside:
                return here
            here = inside[part]
        return here

    def parts(self) -> Iterable[tuple[str | int, Located]]:
        """Return the entries of a mapping or a list by key or index; a plain value has none."""
        if isinstance(self.value, dict):
            return self.value.items()
        return enumerate(self.value) if isinstance(self.value, list) else ()

    def repetitions(self, path: KeyPath = ()) -> Iterator[tuple[KeyPath, int]]:
        """Yield the path and line of every key that is written twice in one mapping."""
        yield from (((*path, key), line) for key, line in self.repeated)
        for part, value in self.parts():
            yield from value.repetitions((*path, part))


def read_yaml(text: str, path: str) -> tuple[list[Located], list[Mistake]]:
    """Return the entries of a YAML list and what is wrong with the file as such."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        entries = _from_node(root, None, ()) if root else Located([], 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        hint = " (text with any of : # ? , [ ] { } needs quotes)" if isinstance(error, _SYNTAX_ERRORS) else ""
        message = f"this is not valid YAML: {error.problem or error.context}{hint}"
        return [], [Mistake(path, mark.line + 1 if mark else 1, "", message)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return [], [Mistake(path, line, "", f"the character U+{error.character:04X} cannot stand in YAML: remove it")]
    except RecursionError:
        return [], [Mistake(path, 1, "", "lists are nested too deeply to be read")]
    if not isinstance(entries.value, list):
        return [], [Mistake(path, entries.line, "", "a suite is a list: start every question with '- id: …'")]
    return entries.value, []


def _from_node(node: yaml.Node, key_line: int | None, above: tuple[int, ...]) -> Located:
    line = key_line or node.start_mark.line + 1
    if id(node) in above:
        raise yaml.composer.ComposerError(None, None, "an alias stands for something that contains it", node.start_mark)
    inside = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        return Located([_from_node(child, None, inside) for child in node.value], line)
    if isinstance(node, yaml.MappingNode):
        entries: dict[str, Located] = {}
        repeated = []
        for key, child in node.value:
            name = str(key.value)
            if name in entries:
                repeated.append((name, key.start_mark.line + 1))
            entries[name] = _from_node(child, key.start_mark.line + 1, inside)
        return Located(entries, line, repeated=tuple(repeated))
    return Located(_plain_value(node), line, written=str(node.value))


def _plain_value(node: yaml.Node) -> Any:
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except ValueError as error:  # an impossible date, such as 2025-13-45
        raise yaml.constructor.ConstructorError(None, None, f"{error}: put it in quotes", node.start_mark) from error


def read_json_lines(text: str, path: str) -> tuple[list[Located], list[Mistake]]:
    """Return one entry for every line that is neither blank nor a remark after `#`, and the lines that are not JSON."""
    entries, mistakes = [], []
    # Only `\n` ends a line: `splitlines` would also break at characters that JSON allows inside a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            entries.append(_from_json(line, number))
        except json.JSONDecodeError as error:
            mistakes.append(
                Mistake(path, number, "", f"this line is not valid JSON: {error.msg} at column {error.colno}")
            )
        except RecursionError:
            mistakes.append(Mistake(path, number, "", "lists are nested too deeply to be read"))
    return entries, mistakes


def _from_json(line: str, number: int) -> Located:
    def locate(value: Any) -> Located:
        if isinstance(value, Located):
            return value
        if isinstance(value, list):
            return Located([locate(child) for child in value], number)
        return Located(value, number, written=json.dumps(value, ensure_ascii=False))

    def mapping(pairs: list[tuple[str, Any]]) -> Located:
        names = [name for name, _ in pairs]
        repeated = tuple((name, number) for name in dict.fromkeys(names) if names.count(name) > 1)
        return Located({name: locate(value) for name, value in pairs}, number, repeated=repeated)

    return locate(json.loads(line, object_pairs_hook=mapping))
