"""Tables: each row becomes one line that can be understood, and cited, on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_LONGEST_HEADER: Final = 80
_LOOKS_LIKE_DATA = re.compile(r"\W*\d[\d\s.,:/%-]*\W*|\S+@\S+|https?://\S+")


def render_rows(rows: Iterator[list[str]]) -> Iterator[str]:
    """Yield `Header: value; Header: value.` for each row, the first one being the header if it looks like one.

    Args:
        rows: Cells without white space around them; no row is all empty.
    """
    first = next(rows, [])
    second = next(rows, None)
    header = first if second is not None and _is_header(first) else []
    if first and not header:
        yield _render_row(header, first)
    if second is not None:
        yield _render_row(header, second)
        yield from (_render_row(header, row) for row in rows)


def _is_header(row: Sequence[str]) -> bool:
    """Headers are short, all there, all different, and none is a number, a date or an address."""
    return len(set(row)) == len(row) and all(
        cell and len(cell) <= _LONGEST_HEADER and not _LOOKS_LIKE_DATA.fullmatch(cell) for cell in row
    )


def _render_row(header: Sequence[str], row: Sequence[str]) -> str:
    names = [*header, *[""] * (len(row) - len(header))]
    line = "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=False) if cell)
    return line if line.endswith((".", "!", "?", "。")) else line + "."
