"""The date a document states of itself, from the ways that formats write it.

What a reader would call a document: its own title, its first line, or its file name made readable.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from itertools import islice
from pathlib import PurePosixPath
from typing import Final

_DATE = re.compile(r"\s*(?:D:)?(\d{4})-?(\d{2})-?(\d{2})")


def parse_date(written: str | None) -> datetime.date | None:
    """Return the date at the start of `2024-05-01T09:30:00Z`, `20240501` or `D:20240501093000`, or None."""
    match = _DATE.match(written or "")
    try:
        return datetime.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


_LONGEST: Final = 300
_LINES_TRIED: Final = 5
_WORDS_SHOWN: Final = 80
_JOINERS: Final = "\u200c\u200d"  # Persian, Indic scripts and emoji need them
_INVISIBLE: Final = ("Cc", "Cf", "Cs")
_ENDS_AS_PROSE: Final = (".", ",", ";", ":", "。", "，", "；", "：", "、")
_SENTENCE_BREAK = re.compile(r"[.!?]\s+[A-Z]|[。！？](?=.)")


def choose_title(document_id: str, *candidates: str | None) -> str:
    """Return the first candidate with something to read on one line, else the file name made readable."""
    for candidate in candidates:
        title = on_one_line(candidate or "")
        if title:
            return title
    return readable_name(document_id)


def on_one_line(text: str) -> str:
    """Return the text without control and invisible characters, white space collapsed, cut where it is too long."""
    if not text.isprintable():
        text = "".join(" " if character.isspace() else character for character in text if _is_visible(character))
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def readable_name(document_id: str) -> str:
    """Return the file's name without suffix, underscores and dashes between words as spaces."""
    stem = on_one_line(PurePosixPath(document_id).stem.replace("_", " "))
    return re.sub(r"(?<!\d)-+|-+(?!\d)", " ", stem).strip() or "Untitled"


def heading_line(text: str) -> str | None:
    """Return the first line with a letter in it, if it looks like a heading and not like prose."""
    lines = iter(_lines(text))
    for line in islice(lines, _LINES_TRIED):
        heading = on_one_line(line.lstrip("#*=-_> \t"))
        if any(character.isalpha() for character in heading):
            return heading if _is_heading(heading, next(lines, "")) else None
    return None


def opening_words(text: str) -> str:
    """Return the start of the text, cut at a word, as the title of a text that has none."""
    line = on_one_line(text[: _LONGEST * 2])
    if len(line) <= _WORDS_SHOWN:
        return line
    start = line[: _WORDS_SHOWN + 1]
    cut = start.rfind(" ")
    return start[: cut if cut > _WORDS_SHOWN // 2 else _WORDS_SHOWN].rstrip(" ,;:，；：、") + "…"


def _is_visible(character: str) -> bool:
    return character.isspace() or character in _JOINERS or unicodedata.category(character) not in _INVISIBLE


def _lines(text: str) -> list[str]:
    return [line for line in text[: _LONGEST * 10].split("\n") if line.strip()]


def _is_heading(line: str, following: str) -> bool:
    continues = following.lstrip()[:1].islower()
    return not (len(line) >= _LONGEST or line.endswith(_ENDS_AS_PROSE) or continues or _SENTENCE_BREAK.search(line))
