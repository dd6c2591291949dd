"""Golden questions as the rows of a sheet: the cells that `eval.sheets.cells` reads back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from eval.golden import EvidenceItem, GoldenQuestion

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
