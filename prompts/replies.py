"""Loads `replies.toml`: what the bot says in its own words, in each language."""

from __future__ import annotations

import functools
import hashlib
import string
import tomllib
from importlib.resources import files


@functools.lru_cache(maxsize=1)
def _replies() -> dict[str, dict[str, str]]:
    languages: dict[str, dict[str, str]] = tomllib.loads(_source())
    first, *others = languages
    for other in others:
        for key, text in languages[first].items():
            translated = languages[other].get(key)
            if translated is None or placeholders(translated) != placeholders(text):
                raise ValueError(f"replies.toml: {other}.{key} is missing or has other placeholders than {first}.{key}")
    return languages


def _source() -> str:
    return files("prompts").joinpath("replies.toml").read_text(encoding="utf-8")


def placeholders(text: str) -> set[str]:
    """Return the names of the `{placeholders}` in a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def reply(key: str, language: str, **values: object) -> str:
    """Return a reply in a language, its placeholders filled.

    Raises:
        KeyError: There is no such reply, or a placeholder has no value.
    """
    return _replies()[language][key].format(**values)


@functools.lru_cache(maxsize=1)
def prompts_hash() -> str:
    """Return a hash of every file in this folder that shapes an answer."""
    digest = hashlib.sha256()
    for name in ("replies.toml", "instructions.toml"):
        digest.update(files("prompts").joinpath(name).read_bytes())
    return digest.hexdigest()[:16]
