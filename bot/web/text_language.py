"""The language that a text is marked with, so that it is read aloud and set as what it is."""

from __future__ import annotations

from functools import lru_cache

import regex
from markupsafe import Markup

from bot.question import detect_language

_ENOUGH = 1_000  # characters
_LETTER = regex.compile(r"\p{L}")
_ASCII_LETTER = regex.compile(r"[A-Za-z]")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_TAGS = {"zh_hant": "zh-Hant", "zh_hans": "zh-Hans"}
_MOSTLY = 0.98


@lru_cache(maxsize=2_000)
def language_tag(text: str) -> str:
    """Return the language of a text as HTML names it; nothing where it is not one that we can tell."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return ""
    if _KANA.search(text):
        return "ja"
    found = detect_language(text)
    if found in _TAGS:
        return _TAGS[found]
    return "en" if len(_ASCII_LETTER.findall(text)) >= _MOSTLY * letters else ""


def lang(text: str) -> Markup:
    """Return the attribute that names the language of a text, with its direction left to the browser."""
    tag = language_tag(text[:_ENOUGH])
    return Markup(' dir="auto" lang="{}"').format(tag) if tag else Markup(' dir="auto"')
