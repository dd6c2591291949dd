"""The rows of a sheet as entries of a suite: headings are the keys, every value knows its row.

Golden questions as the rows of a sheet: the cells that `eval.suites.sheet_cells` reads back.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from eval.errors import Mistake
from eval.suites.golden import EvidenceItem, GoldenQuestion
from eval.suites.located import Located
from eval.suites.sheet_cells import COLUMNS
from eval.suites.sheet_files import REMARK, Cell, Row, read_csv_rows, read_workbook_rows

_NEEDED = "question"


def read_csv(text: str, path: str) -> tuple[list[Located], list[Mistake]]:
    """Return the entries of a CSV file and what is wrong with the file as such."""
    rows, mistakes = read_csv_rows(text, path, frozenset(COLUMNS))
    return _entries(rows, path, mistakes)


def read_workbook(content: bytes, path: str) -> tuple[list[Located], list[Mistake]]:
    """Return the entries of an Excel workbook and what is wrong with the file as such."""
    rows, mistakes = read_workbook_rows(content, path)
    return _entries(rows, path, mistakes)


def _entries(rows: Sequence[Row], path: str, mistakes: list[Mistake]) -> tuple[list[Located], list[Mistake]]:
    first = next((place for place, row in enumerate(rows) if not _is_remark(row)), None)
    if first is None:
        return [], mistakes
    header = rows[first]
    headings = _headings(header)
    mistakes += _wrong_headings(header, headings, path)
    if _NEEDED not in headings:
        return [], mistakes
    entries = []
    for row in rows[first + 1 :]:
        mistakes += _wrong_cells(row, headings, path)
        cells = {heading: cell for heading, cell in zip(headings, row.cells, strict=False) if cell.text}
        entries.append(_entry(cells, row.line))
    return entries, mistakes


def _headings(row: Row) -> list[str]:
    return [" ".join(cell.text.casefold().split()) for cell in row.cells]


def _is_remark(row: Row) -> bool:
    return row.cells[0].text.startswith(REMARK) and not COLUMNS.keys() & set(_headings(row))


def _entry(cells: Mapping[str, Cell], line: int) -> Located:
    values = {heading: COLUMNS[heading](cell.text, line) for heading, cell in cells.items() if heading in COLUMNS}
    document, quote = values.pop("document", None), values.pop("quote", None)
    if document or quote:
        one = {"document_id": document or Located("", line), "quote": quote or Located("", line)}
        named = {key: replace(value, column=key.removesuffix("_id")) for key, value in one.items()}
        item = Located({"any_of": Located([Located(named, line)], line)}, line)
        listed = values["evidence"].value if "evidence" in values else []
        # The listed ones come first, so that their numbers are those of their lines.
        values["evidence"] = Located([*listed, item], line)
    if "id" not in values:
        values["id"] = Located(_made_id(values), line, hint="remove one of the two, or write an id for each")
    return Located(values, line)


def _made_id(values: Mapping[str, Located]) -> str:
    """Return an id made from what is asked, so that a row may be moved and reports can still be compared."""
    asked = [values[key].plain() for key in ("dialogue", "history", "question") if key in values]
    return f"q-{hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:10]}"


def _wrong_headings(header: Row, headings: Sequence[str], path: str) -> list[Mistake]:
    def mistake(key: str, message: str) -> Mistake:
        return Mistake(path, header.line, key, message)

    wrong = []
    for place, heading in enumerate(headings):
        if not heading or heading.startswith(REMARK):
            continue
        if heading not in COLUMNS:
            near = difflib.get_close_matches(heading, COLUMNS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the columns here are {', '.join(COLUMNS)}"
            wrong.append(mistake(heading, f"unknown column; {hint} (a column of remarks starts with {REMARK})"))
        elif heading in headings[:place]:
            wrong.append(mistake(heading, "this column stands twice: keep one"))
    if _NEEDED not in headings:
        wrong.append(mistake(_NEEDED, "there is no such column: the first row names the columns, such as question"))
    return wrong


def _wrong_cells(row: Row, headings: Sequence[str], path: str) -> list[Mistake]:
    wrong = []
    for place, cell in enumerate(row.cells):
        heading = headings[place] if place < len(headings) else ""
        if heading.startswith(REMARK):
            continue
        if cell.text and not heading:
            message = f"{cell.text[:40]!r} stands in column {place + 1}, which has no heading: name the column"
            wrong.append(Mistake(path, row.line, "", message))
        elif cell.problem:
            wrong.append(Mistake(path, row.line, heading, cell.problem))
    return wrong


_WIDTHS = {
    "id": 18,
    "question": 50,
    "history": 40,
    "dialogue": 14,
    "answerable": 11,
    "expect": 30,
    "forbid": 20,
    "evidence": 70,
    "max_words": 11,
    "tags": 22,
}
_SEPARATORS = '|｜;；\n"'


def to_csv(questions: Sequence[GoldenQuestion], remarks: Sequence[str] = ()) -> bytes:
    """Return a CSV file with a byte-order mark, by which Excel knows that it is UTF-8; remarks first."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerows([f"# {remark}"] for remark in remarks)
    writer.writerow(_WIDTHS)
    writer.writerows(to_cells(question).values() for question in questions)
    return file.getvalue().encode("utf-8-sig")


def to_workbook(questions: Sequence[GoldenQuestion], remarks: Sequence[str] = ()) -> bytes:
    """Return an Excel workbook with one sheet, all of its cells text, so that Excel changes nothing that is typed."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("suite")
    for number, width in enumerate(_WIDTHS.values(), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width

    def cell(text: str, *, bold: bool = False) -> WriteOnlyCell:
        made = WriteOnlyCell(sheet, text)
        made.data_type = "s"  # a text that starts with "=" is no formula
        made.number_format = "@"
        made.alignment = Alignment(wrap_text=True, vertical="top")
        made.font = Font(bold=bold)
        return made

    for remark in remarks:
        sheet.append([f"# {remark}"])
    sheet.append([cell(heading, bold=True) for heading in _WIDTHS])
    for question in questions:
        sheet.append([cell(text) for text in to_cells(question).values()])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def to_cells(question: GoldenQuestion) -> dict[str, str]:
    """Return the cells of a question by heading. Line breaks inside a text become spaces: they end its line."""
    return {
        "id": question.id,
        "question": question.question,
        "history": "\n".join(f"{turn.role}: {_flat(turn.content)}" for turn in question.history),
        "dialogue": question.dialogue or "",
        "answerable": "yes" if question.answerable else "no",
        "expect": "\n".join(" | ".join(_protected(phrase) for phrase in group) for group in question.expect),
        "forbid": "\n".join(_protected(phrase) for phrase in question.forbid),
        "evidence": "\n".join(_item(item) for item in question.evidence),
        "max_words": str(question.max_words or ""),
        "tags": "; ".join(_protected(tag, also=",，") for tag in question.tags),
    }


def _item(item: EvidenceItem) -> str:
    return " | ".join(f"{_protected(one.document_id, also=':：')}: {_quoted(_flat(one.quote))}" for one in item.any_of)


def _protected(text: str, also: str = "") -> str:
    needs_it = text != text.strip() or any(mark in text for mark in _SEPARATORS + also)
    return _quoted(text) if needs_it else text


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _flat(text: str) -> str:
    return " ".join(text.split())
