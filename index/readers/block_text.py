"""Plain text built of blocks: the common shape of formats with mark-up."""

from __future__ import annotations

import re

_WIDE = r"[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]"
_BREAK_IN_WIDE_TEXT = re.compile(rf"(?<={_WIDE})[ \t]*\n\s*(?={_WIDE})")


class BlockText:
    """Collects words into lines and lines into blocks: a blank line between blocks, white space collapsed."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._words: list[str] = []
        self._prefix = ""

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

    def start_item(self, prefix: str) -> None:
        """Begin a list item: `prefix` goes before its first words. An empty prefix ends the list."""
        self.end_line()
        self._prefix = prefix

    def end_line(self) -> None:
        """End the current line, if it has words."""
        line = collapse("".join(self._words))
        self._words.clear()
        if line:
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


def collapse(text: str) -> str:
    """Return the text on one line as a browser shows it; a line break between Chinese signs leaves no space."""
    return " ".join(_BREAK_IN_WIDE_TEXT.sub("", text).split())
