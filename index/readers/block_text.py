"""Plain text built of blocks: the common shape of formats with mark-up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from index.document import Page, Section, Span
from index.readers.titles import on_one_line

_WIDE = r"[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]"
_BREAK_IN_WIDE_TEXT = re.compile(rf"(?<={_WIDE})[ \t]*\n\s*(?={_WIDE})")


_PAGE_BREAK: Final = "\n\n"


@dataclass(frozen=True, slots=True)
class BuiltText:
    """The text of a document with the places in it, and what stands on the page or in the file but not in the text.

    Attributes:
        hidden: Words that nobody sees on the page.
        left_out: Words that repeat on every page, or only lead elsewhere.
        unseen: Comments and properties that no page shows.
    """

    text: str
    pages: tuple[Page, ...] = ()
    sections: tuple[Section, ...] = ()
    hidden: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


class BlockText:
    """Collects words into lines and lines into blocks: a blank line between blocks, white space collapsed."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._words: list[str] = []
        self._prefix = ""
        self._headings: list[tuple[int, int]] = []  # line and level
        self._heading_level = 0
        self._pages: list[tuple[int, int]] = []  # line and number
        self._hidden: list[str] = []
        self._left_out: list[str] = []
        self._unseen: list[str] = []

    def write(self, words: str) -> None:
        """Add words to the current line; a line break in them is white space, and nothing between Chinese signs."""
        self._words.append(words)

    def write_verbatim(self, text: str) -> None:
        """Add a block whose line breaks and indentation count."""
        self.end_block()
        self._lines += (line.rstrip() for line in text.strip("\n").split("\n"))
        self.end_block()

    def write_row(self, cells: list[str]) -> None:
        """Add a table row as one line, unless every cell is empty."""
        self.end_line()
        if any(cells):
            self._lines.append(" | ".join(cells))

    def start_heading(self, level: int) -> None:
        """Begin a heading: the next line, if there is one before `end_heading`, starts a section."""
        self.end_block()
        self._heading_level = level

    def end_heading(self) -> None:
        """End the heading and its block. Ending what was not begun only ends the block."""
        self.end_block()
        self._heading_level = 0

    def start_page(self, number: int) -> None:
        """Begin a page; what follows stands on it."""
        self.end_block()
        self._pages.append((len(self._lines), number))

    def hide(self, words: str) -> None:
        """Note words that nobody sees on the page; they are no part of the text."""
        self._note(self._hidden, words)

    def leave_out(self, words: str) -> None:
        """Note words that repeat, or only lead elsewhere; they are no part of the text."""
        self._note(self._left_out, words)

    def note_unseen(self, words: str | None) -> None:
        """Note a comment or a property, which no page shows."""
        self._note(self._unseen, words or "")

    def start_item(self, prefix: str) -> None:
        """Begin a list item: `prefix` goes before its first words. An empty prefix ends the list."""
        self.end_line()
        self._prefix = prefix

    def end_line(self) -> None:
        """End the current line, if it has words."""
        line = collapse("".join(self._words))
        self._words.clear()
        if line:
            if self._heading_level:
                self._headings.append((len(self._lines), self._heading_level))
                self._heading_level = 0
            self._lines.append(self._prefix + line)
            self._prefix = ""

    def end_block(self) -> None:
        """End the current block: a blank line follows it."""
        self.end_line()
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def text(self) -> str:
        """Return everything written so far."""
        self.end_line()
        return "\n".join(self._lines).strip("\n")

    def build(self) -> BuiltText:
        """Return everything written and noted so far, with its places."""
        text = self.text()
        written = "\n".join(self._lines)
        lead = len(written) - len(written.lstrip("\n"))
        ends = accumulate((len(line) + 1 for line in self._lines), initial=-lead)
        starts = [min(max(0, end), len(text)) for end in ends]
        return BuiltText(
            text,
            tuple(self._page_spans(starts, text)),
            sections_from([(starts[line], level, self._lines[line]) for line, level in self._headings], len(text)),
            tuple(self._hidden),
            tuple(self._left_out),
            tuple(self._unseen),
        )

    def _page_spans(self, starts: list[int], text: str) -> list[Page]:
        ends = [starts[line] for line, _ in self._pages[1:]]
        spans = zip(self._pages, [*ends, len(text) + len(_PAGE_BREAK)], strict=True) if self._pages else ()
        return [
            Page(number, Span(starts[line], max(starts[line], min(end - len(_PAGE_BREAK), len(text)))))
            for (line, number), end in spans
        ]

    def _note(self, kind: list[str], words: str) -> None:
        line = collapse(words)
        if any(character.isalnum() for character in line):
            kind.append(line)


def collapse(text: str) -> str:
    """Return the text on one line as a browser shows it; a line break between Chinese signs leaves no space."""
    return " ".join(_BREAK_IN_WIDE_TEXT.sub("", text).split())


def sections_from(headings: list[tuple[int, int, str]], length: int) -> tuple[Section, ...]:
    """Return sections for headings in order: start, level and title of each, in a text of `length` characters."""
    sections = []
    for number, (start, level, title) in enumerate(headings):
        following = (other for other, its_level, _ in headings[number + 1 :] if its_level <= level)
        if shown := on_one_line(title):
            sections.append(Section(shown, level, Span(start, next(following, length))))
    return tuple(sections)
