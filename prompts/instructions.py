"""Loads `instructions.toml`: what the language model is asked, its placeholders checked when it is read."""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files

from prompts.replies import placeholders

# What the code fills in. A prompt that lacks one would silently leave the question or the text out.
_PLACEHOLDERS: dict[str, dict[str, frozenset[str]]] = {
    "reading": {
        "system": frozenset(),
        "material": frozenset({"excerpts", "question"}),
    },
    "checking": {"system": frozenset(), "supports": frozenset({"sources", "statement"})},
    "same_question": {"system": frozenset(), "pair": frozenset({"approved", "asked"})},
    "conversation": {"system": frozenset(), "standalone": frozenset({"conversation", "question"})},
    "translation": {
        "system": frozenset(),
        "question": frozenset({"language", "text"}),
        "statement": frozenset({"language", "text"}),
    },
}


def instruction(task: str, part: str, **values: str) -> str:
    """Return one part of the prompts of a task, its placeholders filled.

    Raises:
        KeyError: There is no such part, or a placeholder has no value.
    """
    return _instructions()[task][part].format(**values)


@functools.lru_cache(maxsize=1)
def _instructions() -> dict[str, dict[str, str]]:
    return parse_instructions(files("prompts").joinpath("instructions.toml").read_text(encoding="utf-8"))


def parse_instructions(source: str) -> dict[str, dict[str, str]]:
    """Return the prompts of every task, without the line break that opens a multi-line text.

    Raises:
        ValueError: A part is missing or too many, or its placeholders are not those that the code fills in.
    """
    tasks: dict[str, dict[str, str]] = tomllib.loads(source)
    expected = {(task, part): names for task, parts in _PLACEHOLDERS.items() for part, names in parts.items()}
    found = {(task, part): placeholders(text) for task, parts in tasks.items() for part, text in parts.items()}
    for key in expected.keys() | found.keys():
        if expected.get(key) != found.get(key):
            raise ValueError(
                f"instructions.toml: {'.'.join(key)} has the placeholders {sorted(found.get(key, ()))}, "
                f"the code fills in {sorted(expected.get(key, ()))}"
            )
    return tasks
