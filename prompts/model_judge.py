"""Loads `model_judge.toml`: what a language model that judges is asked, its placeholders checked when read."""

from __future__ import annotations

import functools
import hashlib
import tomllib
from importlib.resources import files

from prompts.replies import placeholders

_PLACEHOLDERS = {
    "system": set[str](),
    "question": {"question"},
    "conversation": {"turns", "question"},
    "expected": {"lines"},
    "quotes": {"lines"},
    "answer": {"answer"},
    "verdict": {"first", "second"},
    "says": {"phrases"},
    "avoids": {"phrase"},
    "rests_on": {"quotes"},
}


def judge_prompt(part: str, **values: str) -> str:
    """Return one part of the prompt, its placeholders filled.

    Raises:
        KeyError: There is no such part, or a placeholder has no value.
    """
    return _parts()[part].format(**values)


@functools.lru_cache(maxsize=1)
def judge_prompts_hash() -> str:
    """Return a hash of the file: opinions asked for in other words are other opinions."""
    return hashlib.sha256(_source()).hexdigest()[:16]


@functools.lru_cache(maxsize=1)
def _parts() -> dict[str, str]:
    return parse_judge_prompt(_source().decode())


def parse_judge_prompt(source: str) -> dict[str, str]:
    """Return the parts by name.

    Raises:
        ValueError: A part is missing or too many, or its placeholders are not those that the code fills in.
    """
    parts: dict[str, str] = tomllib.loads(source)
    found = {name: placeholders(text) for name, text in parts.items()}
    for name in sorted(found.keys() ^ _PLACEHOLDERS.keys()):
        raise ValueError(f"model_judge.toml: the part {name!r} is {'unknown' if name in found else 'missing'}")
    for name, names in found.items():
        if names != _PLACEHOLDERS[name]:
            raise ValueError(
                f"model_judge.toml: {name} has the placeholders {sorted(names)}, "
                f"the code fills in {sorted(_PLACEHOLDERS[name])}"
            )
    return parts


def _source() -> bytes:
    return files("prompts").joinpath("model_judge.toml").read_bytes()
