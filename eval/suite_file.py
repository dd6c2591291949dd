"""The file of a suite, whatever its form, as entries in which every value knows its line."""

from __future__ import annotations

from pathlib import Path

from eval.errors import Mistake, SuiteError
from eval.located import Located, read_json_lines, read_yaml
from eval.sheets.entries import read_csv, read_workbook

_TEXT_READERS = {".yaml": read_yaml, ".yml": read_yaml, ".jsonl": read_json_lines, ".csv": read_csv}
_WORKBOOK = ".xlsx"
_SHEETS = frozenset({".csv", _WORKBOOK})


def read_entries(path: Path) -> tuple[bytes, list[Located], list[Mistake]]:
    """Return the bytes of a suite's file, its entries, and what is wrong with the file as such.

    Raises:
        SuiteError: Nothing in the file can be read.
    """
    suffix = path.suffix.lower()
    if suffix not in _TEXT_READERS and suffix != _WORKBOOK:
        raise _unreadable(path, 1, "a suite is a .yaml, .yml, .jsonl, .csv or .xlsx file: rename it, or save it as one")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, 1, f"the file cannot be read ({error.strerror})") from error
    if suffix == _WORKBOOK:
        entries, mistakes = read_workbook(content, str(path))
    else:
        entries, mistakes = _TEXT_READERS[suffix](_decode(content, path), str(path))
    if not entries and not mistakes:
        form = "write one a row, below the headings" if suffix in _SHEETS else "start each with '- id: …'"
        mistakes = [Mistake(str(path), 1, "", f"the suite holds no questions: {form}")]
    return content, entries, mistakes


def _decode(content: bytes, path: Path) -> str:
    # Excel saves its "Unicode text" as UTF-16; without a byte-order mark it could be anything.
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, line, "this is not UTF-8: save the file as UTF-8") from error


def _unreadable(path: Path, line: int, message: str) -> SuiteError:
    return SuiteError([Mistake(str(path), line, "", message)])
