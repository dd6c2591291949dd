"""Golden suites: files of golden questions, and every mistake a clerk can make in one, each with its line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from eval.errors import Mistake, SuiteError
from eval.explain import KeyPath, explain, name_key
from eval.golden import GoldenQuestion, contradictions
from eval.located import Located
from eval.suite_file import read_entries


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
