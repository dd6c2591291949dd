"""The file of a suite, whatever its form, as entries in which every value knows its line.

Golden suites: files of golden questions, and every mistake a clerk can make in one, each with its line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from eval.errors import Mistake, SuiteError
from eval.suites.explain import KeyPath, explain, name_key
from eval.suites.golden import GoldenQuestion, contradictions
from eval.suites.located import Located, read_json_lines, read_yaml
from eval.suites.sheets import read_csv, read_workbook

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


@dataclass(frozen=True, slots=True)
class Suite:
    """The questions of one file.

    Attributes:
        path: The file as it was named.
        hash: SHA-256 (hex) of its bytes.
        questions: In the order of the file.
        entries: Where each question was written, in the same order.
    """

    path: str
    hash: str
    questions: tuple[GoldenQuestion, ...]
    entries: tuple[Located, ...]

    def mistake(self, index: int, key: KeyPath, message: str) -> Mistake:
        """Return a mistake at a key of the question at `index`."""
        entry = self.entries[index]
        return Mistake(self.path, entry.find(key).line, name_key(entry, key), message)


def load_suites(paths: Sequence[Path]) -> tuple[Suite, ...]:
    """Return the suites of several files.

    Raises:
        SuiteError: Any of them has mistakes, or two of them use the same id; every mistake is in `mistakes`.
    """
    suites: list[Suite] = []
    mistakes: list[Mistake] = []
    first_use: dict[str, Mistake] = {}
    for path in paths:
        try:
            suite = load_suite(path)
        except SuiteError as error:
            mistakes.extend(error.mistakes)
            continue
        suites.append(suite)
        for index, question in enumerate(suite.questions):
            here = suite.mistake(index, ("id",), "")
            first = first_use.setdefault(question.id, here)
            if first is not here:
                message = _already(suite.entries[index].find(("id",)), f"at {first.path}:{first.line}")
                mistakes.append(suite.mistake(index, ("id",), message))
    if mistakes:
        raise SuiteError(mistakes)
    return tuple(suites)


def load_suite(path: Path) -> Suite:
    """Return the questions of one `.yaml`, `.yml`, `.jsonl`, `.csv` or `.xlsx` file.

    Raises:
        SuiteError: The file cannot be read or has mistakes; every mistake is in `mistakes`.
    """
    content, entries, mistakes = read_entries(path)
    questions: list[GoldenQuestion] = []
    for entry in entries:
        question, wrong = _read_entry(entry)
        mistakes += [Mistake(str(path), line, name_key(entry, key), message) for key, line, message in wrong]
        questions += [question] if question else []
    mistakes += [Mistake(str(path), line, "id", message) for line, message in _duplicate_ids(entries)]
    if mistakes:
        raise SuiteError(sorted(mistakes, key=lambda mistake: mistake.line))
    return Suite(str(path), hashlib.sha256(content).hexdigest(), tuple(questions), tuple(entries))


def _read_entry(entry: Located) -> tuple[GoldenQuestion | None, list[tuple[KeyPath, int, str]]]:
    if not isinstance(entry.value, dict):
        return None, [
            ((), entry.line, "a question is a mapping of keys: write 'id: …' and 'question: …' below one '-'")
        ]
    wrong = [(key, line, "this key is written twice: keep one") for key, line in entry.repetitions()]
    question = None
    try:
        question = GoldenQuestion.model_validate(entry.plain())
    except ValidationError as error:
        explained = dict(explain(entry, error))
    else:
        explained = {(key,): message for key, message in contradictions(question)}
    return question, wrong + [(key, entry.find(key).line, message) for key, message in explained.items()]


def _duplicate_ids(entries: Sequence[Located]) -> Iterator[tuple[int, str]]:
    first_lines: dict[str, int] = {}
    for entry in entries:
        identifier = entry.find(("id",))
        if identifier is entry or not isinstance(identifier.value, str):
            continue
        if identifier.value in first_lines:
            yield identifier.line, _already(identifier, f"on line {first_lines[identifier.value]}")
        else:
            first_lines[identifier.value] = identifier.line


def _already(identifier: Located, where: str) -> str:
    if identifier.hint:  # nobody wrote it: it was made from the question
        return f"the same question already stands {where}: {identifier.hint}"
    return f"the id {identifier.value!r} is already used {where}: give this question another"
