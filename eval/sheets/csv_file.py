"""Rows of a CSV file: comma, semicolon or tab, as spreadsheets of every country write them."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator

from eval.errors import Mistake
from eval.sheets.row import Cell, Row

_DELIMITERS = ",;\t"
_HEADING_ROWS = 20  # remarks may stand above the headings


def read_csv_rows(text: str, path: str, headings: frozenset[str]) -> tuple[list[Row], list[Mistake]]:
    """Return the rows that are not blank, and what keeps the file from being read to its end.

    A row that stands over several lines of text counts once, as a spreadsheet numbers it.

    Args:
        text: The file's text.
        path: How the file was named.
        headings: Folded names of the columns there may be; they tell which delimiter is meant.
    """
    rows: list[Row] = []
    line = 0
    try:
        for line, values in _numbered(text, _delimiter(text, headings)):
            cells = tuple(Cell(value.strip()) for value in values)
            if any(cell.text for cell in cells):
                rows.append(Row(line, cells))
    except csv.Error as error:
        message = f"this row is not valid CSV ({error}): put text that holds quotation marks between quotation marks"
        return rows, [Mistake(path, line + 1, "", f"{message}, and double those inside it")]
    return rows, []


def _numbered(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    # Excel's own first line `sep=;` is no row; but it is counted as one.
    numbered = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), start=1)
    return ((line, values) for line, values in numbered if line > 1 or not _names_delimiter(text))


def _names_delimiter(text: str) -> bool:
    return text[:4].casefold() == "sep=" and text[4:5] in _DELIMITERS and text[5:6] in {"\n", "\r", ""}


def _delimiter(text: str, headings: frozenset[str]) -> str:
    """Return the delimiter that gives the most known headings. `csv.Sniffer` guesses by the look of the data."""
    if _names_delimiter(text):
        return text[4]

    def known(delimiter: str) -> int:
        rows = itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _HEADING_ROWS)
        try:
            return max((len({cell.strip().casefold() for cell in row} & headings) for row in rows), default=0)
        except csv.Error:
            return 0

    return max(_DELIMITERS, key=known)
