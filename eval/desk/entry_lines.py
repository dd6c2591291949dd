"""Where each entry of a suite file stands: which lines are its own, so that everything else can stay as it is."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from eval.errors import Mistake
from eval.located import Located, read_json_lines, read_yaml
from index.document import Span

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DEEPER = (yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken)
# Ends of blocks, and of the file, are found only after the comments that follow: they are no part of an entry.
_WITHOUT_WORDS = (yaml.BlockEndToken, yaml.StreamEndToken, yaml.DocumentEndToken)


def read_entries(text: str, path: str) -> tuple[list[Located], list[Mistake]]:
    """Return the entries of a suite's text by the ending of its name, and what is wrong with the text as such."""
    return (read_json_lines if path.lower().endswith(".jsonl") else read_yaml)(text, path)


def entry_lines(text: str, path: str, entries: Sequence[Located]) -> list[Span]:
    """Return the lines of each entry, counted from 0: none where entries share lines, as in `[{…}, {…}]`.

    Args:
        text: With line feeds alone at the ends of its lines.
        path: Tells the format.
        entries: As `read_entries` returned them.
    """
    if path.lower().endswith(".jsonl"):
        return [Span(entry.line - 1, entry.line) for entry in entries]
    return [Span(text.count("\n", 0, start), text.count("\n", 0, end) + 1) for start, end in _entry_characters(text)]


def _entry_characters(text: str) -> list[tuple[int, int]]:
    """Return the first and the last character of each entry of the outermost list, its dash included."""
    places: list[tuple[int, int]] = []
    depth = 0
    for token in yaml.scan(text, yaml.SafeLoader):
        if isinstance(token, _DEEPER):
            depth += 1
        elif isinstance(token, yaml.BlockEndToken):
            depth -= 1
        elif isinstance(token, yaml.BlockEntryToken) and depth == 1:
            places.append((token.start_mark.index, token.start_mark.index))
        if places and depth and not isinstance(token, _WITHOUT_WORDS):
            places[-1] = (places[-1][0], _last_character(text, token))
    return places


def _last_character(text: str, token: yaml.Token) -> int:
    """Return the last character of a token that is not white space: a block of text ends after the lines below it."""
    start: int = token.start_mark.index
    return start + len(text[start : token.end_mark.index].rstrip()) - 1


def replace_lines(content: bytes, lines: Span, text: str) -> bytes:
    """Return a file with some of its lines replaced, its byte order mark and its way of ending lines kept."""
    mark = _BYTE_ORDER_MARK if content.startswith(_BYTE_ORDER_MARK) else b""
    # Only a line feed ends a line: `splitlines` would also break at characters that stand inside texts.
    written = content.removeprefix(mark).split(b"\n")
    ending = b"\r\n" if written[lines.start].endswith(b"\r") else b"\n"
    new = ending.join(line.encode() for line in lines_of(text))
    if ending == b"\r\n" and lines.end < len(written):
        new += b"\r"
    return mark + b"\n".join([*written[: lines.start], new, *written[lines.end :]])


def lines_of(text: str) -> list[str]:
    """Return the lines that a browser sends, without empty ones at either end."""
    return text.replace("\r\n", "\n").strip("\n").rstrip().split("\n")
