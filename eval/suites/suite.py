"""Loads files of golden questions, and names every mistake that a person can make in one, each with its line."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from eval.errors import Mistake, SuiteError
from eval.suites.golden import EarlierTurn, EvidenceItem, GoldenQuestion, Quote, contradictions
from eval.suites.located import KeyPath, Located, read_json_lines, read_yaml
from eval.suites.sheets import read_csv, read_workbook

_TEXT_READERS = {".yaml": read_yaml, ".yml": read_yaml, ".jsonl": read_json_lines, ".csv": read_csv}
_WORKBOOK = ".xlsx"
_SHEETS = frozenset({".csv", _WORKBOOK})
_EVIDENCE_FORM = "- any_of: [{document_id: …, quote: …}]"
_TURN_FORM = "{role: user, content: …}"


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
        return Mistake(self.path, entry.find(key).line, _name_key(entry, key), message)


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
    suffix = path.suffix.lower()
    if suffix not in _TEXT_READERS and suffix != _WORKBOOK:
        raise _unreadable(path, 1, "a suite is a .yaml, .yml, .jsonl, .csv or .xlsx file: rename it, or save it as one")
    try:
        return parse_suite(path.read_bytes(), path)
    except OSError as error:
        raise _unreadable(path, 1, f"the file cannot be read ({error.strerror})") from error


def parse_suite(content: bytes, path: Path) -> Suite:
    """Return the questions in the bytes of a file, whose suffix tells the form.

    Raises:
        SuiteError: It has mistakes; every mistake is in `mistakes`.
    """
    suffix = path.suffix.lower()
    if suffix == _WORKBOOK:
        entries, mistakes = read_workbook(content, str(path))
    else:
        entries, mistakes = _TEXT_READERS[suffix](_decode(content, path), str(path))
    if not entries and not mistakes:
        form = "write one a row, below the headings" if suffix in _SHEETS else "start each with '- id: …'"
        raise _unreadable(path, 1, f"the suite holds no questions: {form}")
    questions: list[GoldenQuestion] = []
    first_lines: dict[object, int] = {}
    for entry in entries:
        question, wrong = _read_entry(entry)
        mistakes += [
            Mistake(str(path), line or entry.find(key).line, _name_key(entry, key), message)
            for key, line, message in wrong
        ]
        questions += [question] if question else []
        identifier = entry.find(("id",))
        if identifier is not entry and isinstance(identifier.value, str):
            if first := first_lines.get(identifier.value):
                mistakes.append(Mistake(str(path), identifier.line, "id", _already(identifier, f"on line {first}")))
            first_lines.setdefault(identifier.value, identifier.line)
    if mistakes:
        raise SuiteError(sorted(mistakes, key=lambda mistake: mistake.line))
    return Suite(str(path), hashlib.sha256(content).hexdigest(), tuple(questions), tuple(entries))


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


def _already(identifier: Located, where: str) -> str:
    if identifier.hint:  # nobody wrote it: it was made from the question
        return f"the same question already stands {where}: {identifier.hint}"
    return f"the id {identifier.value!r} is already used {where}: give this question another"


def _read_entry(entry: Located) -> tuple[GoldenQuestion | None, list[tuple[KeyPath, int | None, str]]]:
    """Return the question of an entry, and the key and message of each mistake; a line where it is not the key's."""
    if not isinstance(entry.value, dict):
        return None, [((), None, "a question is a mapping of keys: write 'id: …' and 'question: …' below one '-'")]
    question = None
    try:
        question = GoldenQuestion.model_validate(entry.plain())
    except ValidationError as error:
        explained = dict(_explain(entry, error))
    else:
        explained = {(key,): message for key, message in contradictions(question)}
    twice = [(key, line, "this key is written twice: keep one") for key, line in entry.repetitions()]
    return question, [*twice, *((key, None, message) for key, message in explained.items())]


def _explain(entry: Located, error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    """Turn pydantic's errors into one sentence for each key, in the words of the format."""
    for detail in error.errors(include_url=False, include_context=True):
        key: KeyPath = detail["loc"]
        item = entry.find(key[:2])
        if key[:1] == ("evidence",) and len(key) >= 2 and isinstance(item.value, dict) and "any_of" not in item.value:
            # One sentence instead of one for every key that a bare {document_id, quote} has too many.
            yield key[:2], f"an evidence item lists its quotes below any_of: write {_EVIDENCE_FORM}"
        elif detail["type"] != "too_short" or not entry.find(key).value:  # pydantic drops wrong entries, then counts
            here = entry.find(key)
            yield key, here.hint or _sentence(here, key, detail["type"], detail.get("ctx", {}))


def _sentence(located: Located, key: KeyPath, kind: str, context: dict[str, Any]) -> str:
    written = located.written
    shape = written or ("a mapping" if isinstance(located.value, dict) else "a list" if located.value else "nothing")
    sentences = {
        "missing": "this key is missing: add it",
        "string_pattern_mismatch": "this is empty: write some text or remove it",
        "too_short": "this list is empty: write at least one entry or remove it",
        "string_type": f"{written} is not text here: put it in quotes"
        if written
        else f"{shape} is not text: write some",
        "literal_error": f"{written} is no role: write user or assistant",
        "bool_type": f"{shape} is neither true nor false: write one of them, without quotes",
        "greater_than_equal": f"{written} is too small: write {context.get('ge')} or more, or null for no limit",
        "int_type": f"{shape} is not a whole number: write one without quotes, or null for no limit",
    }
    if kind == "extra_forbidden":
        known = list(_model_at(key[:-1]).model_fields)
        near = difflib.get_close_matches(str(key[-1]).lower(), known, n=1)
        return f"unknown key; {f'did you mean {near[0]!r}?' if near else 'the keys here are ' + ', '.join(known)}"
    if kind == "model_type":
        forms = {EarlierTurn: _TURN_FORM, Quote: "{document_id: …, quote: …}", EvidenceItem: _EVIDENCE_FORM[2:]}
        return f"write a mapping here: {forms[_model_at(key)]}"
    if kind == "tuple_type":
        lists = {
            "expect": 'expect is a list of groups, each a list of phrases: write [["1 billion", "1bn"]]',
            "evidence": f"write a list of evidence items: {_EVIDENCE_FORM}",
            "history": f"write a list here, such as [{_TURN_FORM}], or [] for none",
        }
        return lists.get(str(key[0]), "write a list here, such as [one, two], or [] for none")
    return sentences.get(kind, f"this cannot be used ({kind.replace('_', ' ')})")


def _model_at(key: KeyPath) -> type[BaseModel]:
    if not key:
        return GoldenQuestion
    return EarlierTurn if key[0] == "history" else Quote if "any_of" in key else EvidenceItem


def _name_key(entry: Located, key: KeyPath) -> str:
    """Return how the file names a key of an entry, such as `evidence[0].any_of[1].quote`; in a sheet maybe a column."""
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
    return entry.find(key).column or written
