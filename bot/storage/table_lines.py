"""Tables as lines of text: CSV that a spreadsheet opens without running anything in it, and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# A spreadsheet takes a cell that begins so for a formula (CWE-1236).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table_lines(form: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> Iterator[str]:
    """Yield the rows of a table as text, each with its line end; before those of a CSV table, its headings.

    Args:
        form: `csv` or `jsonl`.
        rows: One mapping a row.
        columns: The columns of a CSV table, in order; what a row holds beyond them is left out there. By default those
            of the first row.
    """
    if form == "jsonl":
        for row in rows:
            yield json.dumps(row, ensure_ascii=False, default=str) + "\n"
        return
    if columns:
        yield _csv_line(columns)
    for row in rows:
        if not columns:
            columns = tuple(row)
            yield _csv_line(columns)
        yield _csv_line(row.get(column) for column in columns)


def _csv_line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(map(_cell, cells))
    return line.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None or value in ({}, []) else json.dumps(value, ensure_ascii=False)
