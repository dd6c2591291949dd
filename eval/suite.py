"""Golden suites: files of golden questions, and every mistake a clerk can make in one, each with its line."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from eval.errors import Mistake, SuiteError
from eval.golden import EarlierTurn, EvidenceItem, GoldenQuestion, Quote, contradictions
from eval.located import Located, read_json_lines, read_yaml

_READERS = {".yaml": read_yaml, ".yml": read_yaml, ".jsonl": read_json_lines}
_EVIDENCE_FORM = "- any_of: [{document_id: …, quote: …}]"

KeyPath = tuple[str | int, ...]


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
        return Mistake(self.path, self.entries[index].find(key).line, _render_key(key), message)


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
                message = f"the id {question.id!r} is already used at {first.path}:{first.line}: give it another"
                mistakes.append(suite.mistake(index, ("id",), message))
    if mistakes:
        raise SuiteError(mistakes)
    return tuple(suites)


def load_suite(path: Path) -> Suite:
    """Return the questions of one `.yaml`, `.yml` or `.jsonl` file.

    Raises:
        SuiteError: The file cannot be read or has mistakes; every mistake is in `mistakes`.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SuiteError([Mistake(str(path), 1, "", "a suite is a .yaml, .yml or .jsonl file: rename it")])
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise SuiteError([Mistake(str(path), 1, "", f"the file cannot be read ({error.strerror})")]) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SuiteError([Mistake(str(path), line, "", "this is not UTF-8: save the file as UTF-8")]) from error

    entries, mistakes = reader(text, str(path))
    if not entries and not mistakes:
        mistakes = [Mistake(str(path), 1, "", "the suite holds no questions: start each with '- id: …'")]
    questions: list[GoldenQuestion] = []
    for entry in entries:
        question, wrong = _read_entry(entry)
        mistakes += [Mistake(str(path), line, _render_key(key), message) for key, line, message in wrong]
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
        explained = dict(_explain(entry, error))
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
            first = first_lines[identifier.value]
            yield (
                identifier.line,
                f"the id {identifier.value!r} is already used on line {first}: give this question another",
            )
        else:
            first_lines[identifier.value] = identifier.line


def _explain(entry: Located, error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    """Turn pydantic's errors into one sentence for each key, in the words of the format."""
    for detail in error.errors(include_url=False, include_context=True):
        key: KeyPath = detail["loc"]
        item = entry.find(key[:2])
        if key[:1] == ("evidence",) and len(key) >= 2 and isinstance(item.value, dict) and "any_of" not in item.value:
            # One sentence instead of one for every key that a bare {document_id, quote} has too many.
            yield key[:2], f"an evidence item lists its quotes below any_of: write {_EVIDENCE_FORM}"
        elif detail["type"] != "too_short" or not entry.find(key).value:  # pydantic drops wrong entries, then counts
            yield key, _sentence(entry, key, detail["type"], detail.get("ctx", {}))


def _sentence(entry: Located, key: KeyPath, kind: str, context: dict[str, Any]) -> str:
    located = entry.find(key)
    shape = "a mapping" if isinstance(located.value, dict) else "a list" if located.value else "nothing"
    written = located.written
    sentences = {
        "missing": "this key is missing: add it",
        "extra_forbidden": _unknown_key(key),
        "string_pattern_mismatch": "this is empty: write some text or remove it",
        "too_short": "this list is empty: write at least one entry or remove it",
        "string_type": f"{written} is not text here: put it in quotes"
        if written
        else f"{shape} is not text: write some",
        "literal_error": f"{written} is no role: write user or assistant",
        "bool_type": f"{written or shape} is neither true nor false: write one of them, without quotes",
        "greater_than_equal": f"{written} is too small: write {context.get('ge')} or more, or null for no limit",
        "int_type": f"{written or shape} is not a whole number: write one without quotes, or null for no limit",
        "tuple_type": _list_needed(key),
        "model_type": f"write a mapping here: {_mapping_form(key)}",
    }
    return sentences.get(kind, f"this cannot be used ({kind.replace('_', ' ')})")


def _unknown_key(key: KeyPath) -> str:
    known = list(_model_at(key[:-1]).model_fields)
    near = difflib.get_close_matches(str(key[-1]).lower(), known, n=1)
    return f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; the keys here are {', '.join(known)}"


def _model_at(key: KeyPath) -> type[BaseModel]:
    if not key:
        return GoldenQuestion
    return EarlierTurn if key[0] == "history" else Quote if "any_of" in key else EvidenceItem


def _list_needed(key: KeyPath) -> str:
    if key[0] == "expect":
        return 'expect is a list of groups, each a list of phrases: write [["1 billion", "1bn"]]'
    if key[0] == "evidence":
        return f"write a list of evidence items: {_EVIDENCE_FORM}"
    form = "[{role: user, content: …}]" if key[0] == "history" else "[one, two]"
    return f"write a list here, such as {form}, or [] for none"


def _mapping_form(key: KeyPath) -> str:
    forms = {
        EarlierTurn: "{role: user, content: …}",
        Quote: "{document_id: …, quote: …}",
        EvidenceItem: _EVIDENCE_FORM[2:],
    }
    return forms[_model_at(key)]


def _render_key(key: KeyPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
