"""Sentences of a text, as spans.

English and its neighbours are split by the Punkt model; Chinese and Japanese by their own full stops; headings, list
items and table rows by their line ends.
"""

from __future__ import annotations

from itertools import pairwise

import regex

from index.document import Span
from index.punkt import load_punkt

_IDEOGRAPHIC_STOP = regex.compile(r"[。！？；]+[」』”’）]*")
# Abbreviations that stand before a number or an example; Punkt takes their point for the end.
_OPEN_ABBREVIATION = regex.compile(
    r"\b(?:No|Nos|Fig|Eq|Art|Sec|pp|cf|ca|approx|e\.g|i\.e|vs|viz)\.\s*$", regex.IGNORECASE
)
# A picture in Markdown; Punkt takes its "!" for the end.
_PICTURE = regex.compile(r"!\[[^\]\n]*\]\(")
_LINE = regex.compile(r"[^\n]+")
_NEW_ITEM = regex.compile(r"\s*(?:[-*•·–]\s|\(?\d{1,3}[.)]\s|\|)")


def is_hard_wrapped(text: str) -> bool:
    """Return whether line ends fall at a column width, as in old plain text, rather than at paragraphs."""
    lengths = [len(line) for line in text.split("\n") if line.strip()]
    if len(lengths) < 4:
        return False
    filled = sum(50 <= length <= 100 for length in lengths)
    return max(lengths) <= 110 and filled >= 0.5 * len(lengths)


def split_sentences(text: str, *, hard_wrapped: bool | None = None) -> list[Span]:
    """Return the sentence spans of a text, in order, without surrounding white space; they never overlap.

    Args:
        text: Any text.
        hard_wrapped: Whether a single line end is only a column break; found out from the text when None.
    """
    wrapped = is_hard_wrapped(text) if hard_wrapped is None else hard_wrapped
    spans: list[Span] = []
    for block in _blocks(text, wrapped=wrapped):
        spans.extend(_split_block(text, block))
    return spans


def _blocks(text: str, *, wrapped: bool) -> list[Span]:
    """Return runs of lines that read as one piece of prose."""
    lines = [Span(*match.span()) for match in _LINE.finditer(text)]
    if not wrapped:
        return lines
    blocks: list[Span] = []
    for line in lines:
        continues = (
            blocks
            and text[blocks[-1].end : line.start] == "\n"
            and not _NEW_ITEM.match(line.of(text))
            and _last_line_length(text, blocks[-1]) >= 40
        )
        if continues:
            blocks[-1] = Span(blocks[-1].start, line.end)
        else:
            blocks.append(line)
    return blocks


def _last_line_length(text: str, block: Span) -> int:
    return block.end - (text.rfind("\n", block.start, block.end) + 1 or block.start)


def _goes_on(words: str, start: int) -> bool:
    """Return whether what Punkt takes for the start of a sentence goes on with one."""
    before = max(0, start - 12)
    return bool(_OPEN_ABBREVIATION.search(words, before, start) or _PICTURE.match(words, max(0, start - 1)))


def _split_block(text: str, block: Span) -> list[Span]:
    words = block.of(text)
    cuts = {0, len(words)}
    starts = (start for start, _ in load_punkt().span_tokenize(words))
    cuts.update(start for start in starts if not _goes_on(words, start))
    cuts.update(match.end() for match in _IDEOGRAPHIC_STOP.finditer(words))
    found = []
    for start, end in pairwise(sorted(cuts)):
        piece = words[start:end]
        stripped = piece.strip()
        if stripped:
            lead = len(piece) - len(piece.lstrip())
            found.append(Span(start + lead, start + lead + len(stripped)).shift(block.start))
    return found
