"""Tables in text files."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BuiltText
from index.readers.encoding import decode
from index.readers.source import Source
from index.readers.table_rows import render_rows
from index.readers.titles import readable_name

_DELIMITERS: Final = (",", ";", "\t", "|")
_ROWS_TRIED: Final = 50


def read_csv(source: Source) -> Iterator[Document]:
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
