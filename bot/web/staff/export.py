"""Tables as files: CSV that a spreadsheet opens without running anything in it, and JSONL."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Literal

from starlette.responses import StreamingResponse

Format = Literal["csv", "jsonl"]

_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def download(name: str, form: Format, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> StreamingResponse:
    """Return rows as a file to be saved, sent as they come.

    Args:
        name: The file's name, without its suffix.
        form: Its format.
        columns: The columns of a CSV file, in order; what a row holds beyond them is left out there.
        rows: One mapping a row.
    """
    lines = _as_csv(tuple(columns), rows) if form == "csv" else _as_jsonl(rows)
    headers = {"content-disposition": f'attachment; filename="{name}.{form}"'}
    return StreamingResponse(lines, media_type=_MEDIA_TYPES[form], headers=headers)


def _as_csv(columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"  # by this a spreadsheet knows that it is UTF-8
    cells = ([_cell(row.get(column)) for column in columns] for row in rows)
    for line in chain((columns,), cells):
        writer.writerow(line)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) and isinstance(value, str) else text


def _as_jsonl(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, default=str) + "\n"
