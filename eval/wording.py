"""How the words of an answer are compared and counted."""

from __future__ import annotations

import functools
import unicodedata

import regex

_MARKER = regex.compile(r"\s*\[\d+\]")
_IDEOGRAPH = r"\p{Han}\p{Hiragana}\p{Katakana}"
_UNSPACED = _IDEOGRAPH + r"\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER = rf"[[\p{{L}}\p{{M}}]--[{_UNSPACED}]]"
_WORD = regex.compile(rf"[{_IDEOGRAPH}]|[^\s{_IDEOGRAPH}]+")
_HAS_LETTER = regex.compile(r"[\p{L}\p{N}]")


def without_markers(text: str) -> str:
    """Return the text without its footnote markers `[n]`."""
    return _MARKER.sub("", text)


def fold(text: str) -> str:
    """Return text as it is compared: NFKC, case folding, and any white space as one space.

    Compatibility caseless matching, The Unicode Standard, section 3.13, definition D146; applying it twice changes
    nothing.
    """
    folded = unicodedata.normalize("NFD", text).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    return " ".join(folded.split())


def shows(text: str, phrase: str) -> bool:
    """Return whether a text shows a phrase, both folded.

    A phrase is a beginning: "merg" is shown by "merging". But it starts where a word starts ("art" is not shown by
    "part"), and a number is a whole number ("1 billion" is not shown by "21 billion" or "1.1 billion", nor "17" by
    "17.8"). Scripts that are written without spaces have no such limits.
    """
    return _pattern(fold(phrase)).search(fold(text)) is not None


@functools.lru_cache(maxsize=4096)
def _pattern(phrase: str) -> regex.Pattern[str]:
    before = r"(?<!\d)(?<!\d[.,])(?=\d)|" + rf"(?<!{_LETTER})(?={_LETTER})|(?!\d)(?!{_LETTER})"
    after = r"(?<=\d)(?!\d)(?![.,]\d)|(?<!\d)"
    return regex.compile(f"(?:{before}){regex.escape(phrase)}(?:{after})", regex.VERSION1)


def count_words(text: str) -> int:
    """Return how many words a text has.

    Words are what stands between spaces and holds a letter or a digit; in Chinese and Japanese, which have no
    spaces, every character counts as one word, as word processors count it. "撥款10億元" has 5, "HK$1 billion" has 2.
    """
    return sum(1 for piece in _WORD.findall(text) if _HAS_LETTER.search(piece))
