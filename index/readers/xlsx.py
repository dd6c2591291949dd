"""Excel workbooks: a section a sheet, a line a row."""

from __future__ import annotations

import datetime
import io
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText
from index.readers.source_file import SourceFile
from index.readers.tables import render_rows
from index.readers.titles import choose_title
from index.readers.zip_container import DAMAGE, OLE_SIGNATURE, open_zip

_MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def read_xlsx(source: SourceFile) -> Iterator[Document]:
    """Yield the workbook as one document with the values that it shows; formulas count by their last result."""
    content = source.read()
    if content.startswith(OLE_SIGNATURE):
        raise UnreadableDocumentError("is encrypted or an old Excel file: save it as .xlsx without a password")
    out = BlockText()
    try:
        open_zip(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of every ornament that it does not keep
            workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            for sheet in workbook.worksheets:
                _write_sheet(sheet, out)
        properties = workbook.properties
    except (*DAMAGE, InvalidFileException) as error:
        raise UnreadableDocumentError(
            "is damaged or no Excel workbook: open it in a spreadsheet program and save it again as .xlsx"
        ) from error
    for words in (properties.subject, properties.keywords, properties.description, properties.category):
        out.note_unseen(words)
    built = out.build()
    if not built.text:
        raise UnreadableDocumentError("has no cells that can be seen" if built.hidden else "has no cells with values")
    modified = properties.modified
    title = choose_title(source.document_id, properties.title)
    yield source.document(content, title, built, _MEDIA_TYPE, modified and modified.date())


def _write_sheet(sheet: Any, out: BlockText) -> None:
    sheet.reset_dimensions()  # what the file says of its size need not be true
    lines = render_rows(_rows(sheet.iter_rows(values_only=True)))
    if sheet.sheet_state != "visible":
        out.hide("\n".join([sheet.title, *lines]))
        return
    first = next(lines, None)
    if first is None:
        return
    out.start_heading(1)
    out.write(sheet.title)
    out.end_heading()
    for line in (first, *lines):
        out.write(line)
        out.end_line()
    out.end_block()


def _rows(rows: Iterable[tuple[object, ...]]) -> Iterator[list[str]]:
    for row in rows:
        cells = [_shown(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.datetime():
            return value.isoformat(sep=" ", timespec="minutes")
        case float() if value.is_integer():
            return str(int(value))
        case float():
            return f"{value:.12g}"
        case _:
            return " ".join(str(value).split())
