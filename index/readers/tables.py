"""Tables: each row becomes one line that can be understood, and cited, on its own.

Tables in text files.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BuiltText
from index.readers.source_file import SourceFile
from index.readers.text_file import decode
from index.readers.titles import readable_name

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


_DELIMITERS: Final = (",", ";", "\t", "|")
_ROWS_TRIED: Final = 50


def read_csv(source: SourceFile) -> Iterator[Document]:
    """Yield the table as one document: a row a line, `Header: value; Header: value.`"""
    content = source.read()
    text = decode(content)
    try:
        lines = list(render_rows(_rows(text, _delimiter(text))))
    except csv.Error as error:
        raise UnreadableDocumentError(f"is not a table that can be read ({error}): save it again as CSV") from error
    if not lines:
        raise UnreadableDocumentError("has no rows")
    yield source.document(content, readable_name(source.document_id), BuiltText("\n".join(lines)), "text/csv")


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    for row in csv.reader(io.StringIO(text), delimiter=delimiter):
        cells = [" ".join(cell.split()) for cell in row]
        if any(cells):
            yield cells


def _delimiter(text: str) -> str:
    """Return the character that cuts most of the first rows into the same number of cells, more than one."""

    def fitness(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in islice(_rows(text, delimiter), _ROWS_TRIED))
        width, rows = widths.most_common(1)[0] if widths else (1, 0)
        return (rows / widths.total(), width) if width > 1 else (0.0, 0)

    return max(_DELIMITERS, key=fitness)
