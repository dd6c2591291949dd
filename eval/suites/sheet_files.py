"""Rows of a CSV file (comma, semicolon or tab, as spreadsheets of every country write them) or of an Excel workbook.

Excel turns "16/04/2025" into a day and "41,000" into a number. What a reader of the sheet saw cannot be told from the
stored value, so such a cell is a mistake unless its plain form is what was typed.
"""

from __future__ import annotations

import csv
import datetime
import io
import itertools
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from eval.errors import Mistake

# A line whose first cell starts with this, above the headings, and a column whose heading does, are remarks.
REMARK = "#"


@dataclass(frozen=True, slots=True)
class SheetCell:
    """What a reader of the sheet sees in one cell.

    Attributes:
        text: Without white space around it; empty when there is nothing.
        problem: Why the text may not be what was typed, and what to do; empty when it is.
    """

    text: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row that is not blank: its number as the spreadsheet shows it, from 1, and its cells from column A on."""

    line: int
    cells: tuple[SheetCell, ...]


_DELIMITERS = ",;\t"
_HEADING_ROWS = 20  # remarks may stand above the headings


def read_csv_rows(text: str, path: str, headings: frozenset[str]) -> tuple[list[SheetRow], list[Mistake]]:
    """Return the rows that are not blank, and what keeps the file from being read to its end.

    A row that stands over several lines of text counts once, as a spreadsheet numbers it.

    Args:
        text: The file's text.
        path: How the file was named.
        headings: Folded names of the columns there may be; they tell which delimiter is meant.
    """
    rows: list[SheetRow] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, headings), strict=True)
    line = 0
    try:
        for line, values in enumerate(reader, start=1):
            cells = tuple(SheetCell(value.strip()) for value in values)
            # Excel's own first line `sep=;` is no row; but it is counted as one.
            if any(cell.text for cell in cells) and (line > 1 or not _names_delimiter(text)):
                rows.append(SheetRow(line, cells))
    except csv.Error as error:
        message = f"this row is not valid CSV ({error}): put text that holds quotation marks between quotation marks"
        return rows, [Mistake(path, line + 1, "", f"{message}, and double those inside it")]
    return rows, []


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


_SHEET = "suite"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"  # how the container of encrypted workbooks and of the old .xls begins
_LARGEST = 400_000_000  # bytes once unpacked; 100,000 long questions are a tenth of it
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 64  # what Excel's sheets have; more columns than a suite could need
_PLAIN_FORMATS = frozenset({"General", "@", "0"})
# What openpyxl raises on damaged archives, missing parts, and parts that are not what they should be.
_DAMAGED = (InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError, EOFError, OSError)
_DAMAGED_PARTS = (NotImplementedError, ValueError, LookupError, TypeError, AttributeError)
_AS_TEXT = "format the cell as Text and type it as the documents write it"


def read_workbook_rows(content: bytes, path: str) -> tuple[list[SheetRow], list[Mistake]]:
    """Return the rows that are not blank of the sheet named `suite`, or of the first one."""
    if content.startswith(_COMPOUND_FILE):
        problem = "this workbook is protected by a password or in the old .xls form"
        message = f"{problem}: save it as .xlsx without a password"
        return [], [Mistake(path, 1, "", message)]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > _LARGEST:
            message = "this workbook is too large to be read: leave only the questions in it, or save it as CSV"
            return [], [Mistake(path, 1, "", message)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and drop-down lists that openpyxl does not keep
            return list(_rows(content)), []
    except (*_DAMAGED, *_DAMAGED_PARTS) as error:
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        message = f"this is not an Excel workbook that can be read ({reason}): save it again as .xlsx"
        return [], [Mistake(path, 1, "", message)]


def _rows(content: bytes) -> Iterator[SheetRow]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    if not book.worksheets:
        raise ValueError("it has no sheet with cells")
    named = [sheet for sheet in book.worksheets if sheet.title.strip().casefold() == _SHEET]
    sheet = (named or book.worksheets)[0]
    sheet.reset_dimensions()  # some programs write a wrong size, beyond which nothing would be read
    for line, row in enumerate(sheet.iter_rows(), start=1):
        if line > _MOST_ROWS:
            raise ValueError(f"it says it has more than {_MOST_ROWS:,} rows")
        if not row:
            continue
        cells = tuple(_cell(cell) for cell in row[:_MOST_COLUMNS])
        if any(cell.text for cell in cells):
            yield SheetRow(line, cells)


def _cell(cell: Any) -> SheetCell:
    value = cell.value
    if value is None:
        return SheetCell("")
    if isinstance(value, bool):
        return SheetCell(str(value).upper())
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time | datetime.timedelta):
        return SheetCell(str(value), f"Excel has made this a date or time ({value}): {_AS_TEXT}")
    text = str(value).replace("_x000D_", "").strip()
    if cell.data_type == "e":
        return SheetCell(text, f"this cell shows the error {text}: write text in its place")
    return SheetCell(text)


def _number(value: float, number_format: str) -> SheetCell:
    if number_format.rstrip("%") in {"0", "0.0", "0.00"} and number_format.endswith("%"):
        decimals = max(0, len(number_format) - 3)
        return SheetCell(f"{100 * value:.{decimals}f}%")
    plain = repr(int(value)) if float(value).is_integer() else f"{value:.15g}"
    if number_format in _PLAIN_FORMATS and "e" not in plain and abs(value) < 1e11:
        return SheetCell(plain)
    return SheetCell(plain, f"Excel stores this as the number {plain} and shows it in another form: {_AS_TEXT}")
