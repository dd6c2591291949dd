"""Joins the lines that a page's width has cut, and leaves apart what stands apart.

A PDF has no paragraphs, only lines. A line goes on in the next one when it is as long as its neighbours (so the margin
cut it) or when the next one starts with a small letter; lists, headings and short last lines end where they end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from itertools import takewhile
from typing import Final

_ITEM_START = re.compile(
    r"[•‣◦▪■□●○*–—-]\s"  # a bullet
    r"|\d{1,3}\.\s|\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})\)\s"  # 1. or (a); "J. Smith" and "17.8 dollars" are none
    r"|\d{1,2}(?:\.\d{1,2})+\.?\s+[A-Z\u3400-\u9fff]"  # 2.1 Naming
    r"|[（(]?[一二三四五六七八九十]{1,3}[、）)]"
)
_LEADERS = re.compile(r"(?:\. ?){4,}")
_WORD = re.compile(r"\w+(?:-\w+)*")
_ENDS_SENTENCE: Final = (".", "!", "?", ":", ";", "。", "！", "？", "：", "；")
_NEIGHBOURS: Final = 2
# Shares of the longest neighbouring line, found on reports, manuals and web pages printed to PDF.
_FULL: Final = 0.85
_NEARLY_FULL: Final = 0.75
_HALF: Final = 0.5
_NARROWEST_COLUMN: Final = 30  # where no line is wider, they are names, cells or code
_SAME_MEANING = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0x2E80, 0x2FD6), *range(0xFB00, 0xFB07))  # radicals for signs, and ligatures
} | {0xAD: None}


def words_of(text: str) -> frozenset[str]:
    """Return the words of a document in small letters, compounds with their hyphens."""
    return frozenset(_WORD.findall(text.translate(_SAME_MEANING).lower()))


def repair_lines(text: str, words: Collection[str]) -> str:
    """Return a page's text with one line a paragraph, item, heading or table row.

    Args:
        text: The page as a PDF library gives it, a line for each printed line.
        words: The words of the whole document, to tell a compound from a word cut in two.
    """
    lines = [" ".join(line.split()) for line in text.translate(_SAME_MEANING).split("\n")]
    repaired: list[str] = []
    for number, line in enumerate(lines):
        if number and _goes_on(lines, number - 1):
            repaired[-1] = _join(repaired[-1], line, words)
        elif line or (repaired and repaired[-1]):
            repaired.append(line)
    return "\n".join(repaired).strip("\n")


def _goes_on(lines: Sequence[str], number: int) -> bool:
    line, following = lines[number], lines[number + 1]
    if not line or not following or line.isdigit() or following.isdigit() or " | " in line or " | " in following:
        return False
    if _ITEM_START.match(following) or _LEADERS.search(line):
        return False
    column = max(map(_width, _neighbours(lines, number)))
    if column < _NARROWEST_COLUMN:
        return False
    fullness = _width(line) / column
    if line.endswith(_ENDS_SENTENCE):
        return fullness >= _FULL
    return fullness >= (_HALF if following[0].islower() else _NEARLY_FULL)


def _neighbours(lines: Sequence[str], number: int) -> Iterator[str]:
    """Yield a line and those beside it; a blank line ends the column."""
    yield lines[number]
    yield from takewhile(bool, reversed(lines[max(0, number - _NEIGHBOURS) : number]))
    yield from takewhile(bool, lines[number + 1 : number + _NEIGHBOURS + 1])


def _join(line: str, following: str, words: Collection[str]) -> str:
    if line[-1] == "-" and line[-2:-1].isalpha() and following[0].isalpha():
        head, tail = _WORD.findall(line.lower())[-1], _WORD.findall(following.lower())[0]
        cut_in_two = following[0].islower() and (head + tail in words or f"{head}-{tail}" not in words)
        return (line[:-1] if cut_in_two else line) + following
    return line + ("" if _is_wide(line[-1]) and _is_wide(following[0]) else " ") + following


def _width(line: str) -> int:
    """Return the width in Latin characters: a Chinese sign takes two."""
    return len(line) + sum(map(_is_wide, line))


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
