"""Golden questions as the rows of a sheet: what a person writes into each cell, and how a question is written there.

The headings are the keys of a question. Groups and list entries are separated by `;` or a new line, phrases of a group
by `|`. Text that holds a separator stands between quotation marks, a quotation mark inside it doubled, as in CSV.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import openpyxl
import regex
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from eval.errors import Mistake
from eval.suites.golden import EvidenceItem, GoldenQuestion
from eval.suites.located import Located
from eval.suites.sheet_files import REMARK, SheetCell, SheetRow, read_csv_rows, read_workbook_rows

_NEEDED = "question"
_ANSWERABLE = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
_GROUP_ENDS = ";；\n"
_TAG_ENDS = ";；,，\n"
_PHRASE_ENDS = "|｜"
_QUOTED = r'"(?:[^"]|"")*+"'
_TURN = regex.compile(r"(?P<role>\w+)\s*[:：]\s*(?P<content>.*)")
# A quote ends at the mark that ends the alternative, so that words in quotation marks inside it need no care.
_ALTERNATIVE = regex.compile(
    rf"""\s*(?:(?P<document>{_QUOTED}|[^"“「|｜]+?)\s*[:：]\s*)?
    (?:"(?P<quote>(?:[^"]|""(?!\s*(?:[|｜]|$))|"(?!\s*(?:[|｜]|$)))*+)"
      |“(?P<quote>(?:[^”]|”(?!\s*(?:[|｜]|$)))*+)”
      |「(?P<quote>(?:[^」]|」(?!\s*(?:[|｜]|$)))*+)」)
    \s*(?:[|｜]|$)""",
    regex.VERBOSE,
)
_EVIDENCE_HINT = 'write document_id: "quote", one item a line, alternatives separated by |'
_TURN_HINT = "start every line with user: or assistant:"


def read_csv(text: str, path: str) -> tuple[list[Located], list[Mistake]]:
    """Return the entries of a CSV file and what is wrong with the file as such."""
    rows, mistakes = read_csv_rows(text, path, frozenset(_COLUMNS))
    return _read_rows(rows, path, mistakes)


def read_workbook(content: bytes, path: str) -> tuple[list[Located], list[Mistake]]:
    """Return the entries of an Excel workbook and what is wrong with the file as such."""
    rows, mistakes = read_workbook_rows(content, path)
    return _read_rows(rows, path, mistakes)


def _read_rows(rows: Sequence[SheetRow], path: str, mistakes: list[Mistake]) -> tuple[list[Located], list[Mistake]]:
    first = next((place for place, row in enumerate(rows) if not _is_remark(row)), None)
    if first is None:
        return [], mistakes
    header = rows[first]
    headings = _headings(header)
    mistakes += [Mistake(path, header.line, key, message) for key, message in _wrong_headings(headings)]
    if _NEEDED not in headings:
        return [], mistakes
    entries = []
    for row in rows[first + 1 :]:
        mistakes += _wrong_cells(row, headings, path)
        cells = {heading: cell for heading, cell in zip(headings, row.cells, strict=False) if cell.text}
        entries.append(_entry(cells, row.line))
    return entries, mistakes


def _headings(row: SheetRow) -> list[str]:
    return [" ".join(cell.text.casefold().split()) for cell in row.cells]


def _is_remark(row: SheetRow) -> bool:
    return row.cells[0].text.startswith(REMARK) and not _COLUMNS.keys() & set(_headings(row))


def _wrong_headings(headings: Sequence[str]) -> list[tuple[str, str]]:
    wrong = []
    for place, heading in enumerate(headings):
        if not heading or heading.startswith(REMARK):
            continue
        if heading not in _COLUMNS:
            near = difflib.get_close_matches(heading, _COLUMNS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the columns here are {', '.join(_COLUMNS)}"
            wrong.append((heading, f"unknown column; {hint} (a column of remarks starts with {REMARK})"))
        elif heading in headings[:place]:
            wrong.append((heading, "this column stands twice: keep one"))
    if _NEEDED not in headings:
        wrong.append((_NEEDED, "there is no such column: the first row names the columns, such as question"))
    return wrong


def _wrong_cells(row: SheetRow, headings: Sequence[str], path: str) -> list[Mistake]:
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


def _entry(cells: Mapping[str, SheetCell], line: int) -> Located:
    values = {heading: _COLUMNS[heading](cell.text, line) for heading, cell in cells.items() if heading in _COLUMNS}
    document, quote = values.pop("document", None), values.pop("quote", None)
    if document or quote:
        one = {"document_id": document or Located("", line), "quote": quote or Located("", line)}
        named = {key: replace(value, column=key.removesuffix("_id")) for key, value in one.items()}
        item = Located({"any_of": Located([Located(named, line)], line)}, line)
        listed = values["evidence"].value if "evidence" in values else []
        # The listed ones come first, so that their numbers are those of their lines.
        values["evidence"] = Located([*listed, item], line)
    if "id" not in values:
        # Made from what is asked, so that a row may be moved and reports can still be compared.
        asked = json.dumps([values[key].plain() for key in ("dialogue", "history", "question") if key in values])
        made = f"q-{hashlib.sha256(asked.encode()).hexdigest()[:10]}"
        values["id"] = Located(made, line, hint="remove one of the two, or write an id for each")
    return Located(values, line)


def _text(cell: str, line: int) -> Located:
    return Located(cell, line, written=cell)


def _answerable(cell: str, line: int) -> Located:
    hint = f"{cell!r} is neither yes nor no: write one of them"
    return Located(_ANSWERABLE.get(cell.casefold(), cell), line, cell, hint=hint)


def _whole_number(cell: str, line: int) -> Located:
    number = int(cell) if regex.fullmatch(r"-?\d{1,9}", cell, regex.ASCII) else cell
    hint = f"{cell!r} is not a whole number from 1: write one, or leave the cell empty for no limit"
    return Located(number, line, cell, hint=hint)


def _listed(cell: str, line: int, ends: str = _GROUP_ENDS) -> Located:
    return Located([_text(one, line) for one in _split(cell, ends)], line)


def _groups(cell: str, line: int) -> Located:
    groups = _split(cell, _GROUP_ENDS, unquote=False)
    return Located([_listed(group, line, _PHRASE_ENDS) for group in groups], line)


def _turns(cell: str, line: int) -> Located:
    turns = []
    for written in filter(str.strip, cell.splitlines()):
        if match := _TURN.fullmatch(written.strip()):
            turn = {"role": _text(match["role"].casefold(), line), "content": _text(match["content"], line)}
            turns.append(Located(turn, line))
        else:
            turns.append(Located(written, line, written, hint=_TURN_HINT))
    return Located(turns, line)


def _evidence(cell: str, line: int) -> Located:
    return Located([_evidence_item(one, line) for one in filter(str.strip, cell.splitlines())], line)


def _evidence_item(written: str, line: int) -> Located:
    quotes, place, document = [], 0, ""
    while place < len(written):
        match = _ALTERNATIVE.match(written, place)
        if match is None or not (match["document"] or document):
            return Located(written, line, written, hint=_EVIDENCE_HINT)
        document = _unquoted(match["document"].strip()) if match["document"] else document
        quote = match["quote"].replace('""', '"')
        quotes.append(Located({"document_id": _text(document, line), "quote": _text(quote, line)}, line))
        place = match.end()
    return Located({"any_of": Located(quotes, line)}, line)


# How the cell of each column is read. `document` and `quote` are one item of evidence between them.
_COLUMNS: dict[str, Callable[[str, int], Located]] = {
    "id": _text,
    "question": _text,
    "history": _turns,
    "dialogue": _text,
    "answerable": _answerable,
    "expect": _groups,
    "forbid": _listed,
    "evidence": _evidence,
    "document": _text,
    "quote": _text,
    "max_words": _whole_number,
    "tags": lambda cell, line: _listed(cell, line, _TAG_ENDS),
}


def _split(text: str, ends: str, *, unquote: bool = True) -> list[str]:
    """Return the pieces of a text between separators, those inside quotation marks kept, empty pieces left out."""
    inside = regex.escape(ends)
    # Quotation marks count only where they open a phrase and another closes it.
    piece = regex.compile(rf"(?:(?<=^|[{inside}|｜])\s*{_QUOTED}(?=\s*(?:$|[{inside}|｜]))|[^{inside}])*+")
    found = (match.group().strip() for match in piece.finditer(text))
    return [_unquoted(one) if unquote else one for one in found if one]


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if regex.fullmatch(_QUOTED, text) else text


# Headings of the sheets that are written, with the widths of their columns.
_WIDTHS = {"id": 18, "question": 50, "history": 40, "dialogue": 14, "answerable": 11, "expect": 30, "forbid": 20}
_WIDTHS |= {"evidence": 70, "max_words": 11, "tags": 22}
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
        "evidence": "\n".join(_written_item(item) for item in question.evidence),
        "max_words": str(question.max_words or ""),
        "tags": "; ".join(_protected(tag, also=",，") for tag in question.tags),
    }


def _written_item(item: EvidenceItem) -> str:
    return " | ".join(f"{_protected(one.document_id, also=':：')}: {_quoted(_flat(one.quote))}" for one in item.any_of)


def _protected(text: str, also: str = "") -> str:
    needs_it = text != text.strip() or any(mark in text for mark in _SEPARATORS + also)
    return _quoted(text) if needs_it else text


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _flat(text: str) -> str:
    return " ".join(text.split())
