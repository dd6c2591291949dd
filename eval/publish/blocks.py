"""The marked places of a Markdown file, and which table goes where.

A block stands between the lines `<!-- begin: NAME -->` and `<!-- end: NAME -->`. Its name is that of a set or suite,
and may go on with words that narrow it: `squad2 local` holds tables of the local model alone. All else in the file is
left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import get_args

from bot.settings import AnswererName
from eval.benchmark.sets import QueryForm
from eval.errors import ReportError
from eval.publish.tables import PublishedTable

_MARKER = re.compile(r"^[ \t]*<!--\s*(begin|end):\s*(.*?)\s*-->[ \t]*$", re.MULTILINE)
_WORDS = (*get_args(AnswererName), "starter", "search", "mini", "limit", "whole", *get_args(QueryForm))


@dataclass(frozen=True, slots=True)
class Block:
    """A marked place: `start:end` are the characters between its markers."""

    name: str
    start: int
    end: int

    def takes(self, table: PublishedTable) -> bool:
        """Return whether a table may stand here."""
        first, *words = self.name.split()
        return first == table.name and table.words.issuperset(words)


def find_blocks(text: str, path: str) -> list[Block]:
    """Return the blocks of a text, in its order.

    Args:
        text: Of the Markdown file.
        path: Its name, for messages.

    Raises:
        ReportError: A marker is unknown, has no partner, or stands there twice.
    """
    blocks: dict[str, Block] = {}
    markers = list(_MARKER.finditer(text))
    for begin, end in zip_longest(markers[::2], markers[1::2]):
        name = _name(begin)
        where = f"{path!r}, line {text.count(chr(10), 0, begin.start()) + 1}: the marker {begin[0].strip()!r}"
        if begin[1] != "begin" or end is None or end[1] != "end" or _name(end) != name:
            raise ReportError(f"{where} has no partner: add it, or remove this one.")
        if not name or any(word not in _WORDS for word in name.split()[1:]):
            raise ReportError(
                f"{where} is unknown: write the name of a set or suite, and after it any of {', '.join(_WORDS)}."
            )
        if name in blocks:
            raise ReportError(f"{where} stands there twice: remove one.")
        blocks[name] = Block(name, begin.end(), end.start())
    return list(blocks.values())


def _name(marker: re.Match[str]) -> str:
    return " ".join(marker[2].split())


def fill_blocks(text: str, tables: Sequence[PublishedTable], path: str) -> tuple[str, dict[str, int]]:
    """Return the text with every table in the block that names it most exactly, and how many tables each block got.

    Tables of one block stand in the order they are given; blocks without a table keep what they hold.

    Raises:
        ReportError: A marker is unknown, or no block takes a table.
    """
    contents: dict[Block, list[str]] = {}
    blocks = find_blocks(text, path)
    for table in tables:
        fitting = [block for block in blocks if block.takes(table)]
        if fitting:
            contents.setdefault(max(fitting, key=lambda block: len(block.name.split())), []).append(table.markdown)
        elif not table.optional:
            raise ReportError(
                f"{path!r} has no place for {table.name!r} ({', '.join(sorted(table.words))}): add the lines "
                f"'<!-- begin: {table.name} -->' and '<!-- end: {table.name} -->' where its table belongs."
            )
    for block in sorted(contents, key=lambda block: -block.start):
        filling = "\n\n".join(contents[block])
        text = f"{text[: block.start]}\n\n{filling}\n\n{text[block.end :]}"
    return text, {block.name: len(some) for block, some in contents.items()}
