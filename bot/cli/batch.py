"""Files of questions in, files of results out: in order, resumable after an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from rich.console import Console
from rich.progress import Progress

from bot.answer.conversation import Turn
from bot.answer.errors import QuestionError


class BatchQuestion(BaseModel):
    """One line of a batch file."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    question: str
    history: tuple[Turn, ...] = ()

    @field_validator("history", mode="before")
    @classmethod
    def _none_is_empty(cls, value: object) -> object:
        return () if value is None else value


@dataclass(frozen=True, slots=True)
class Batch:
    """Questions read from a file, and where their results go."""

    questions: tuple[BatchQuestion, ...]
    output: Path


def read_batch(path: Path, output: Path) -> Batch:
    """Return the questions of a JSONL file.

    Raises:
        QuestionError: The file is missing, a line is not a question, or an id stands twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(
            f"The batch file {str(path)!r} cannot be read ({error}): give a JSONL file of questions."
        ) from error
    questions = [_parse(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    seen: dict[str, int] = {}
    for number, question in enumerate(questions, start=1):
        if question.id in seen:
            raise QuestionError(
                f"{str(path)!r}: the id {question.id!r} stands at questions {seen[question.id]} and {number}: "
                "make ids unique."
            )
        seen[question.id] = number
    return Batch(tuple(questions), output)


def run_batch(batch: Batch, answer: Callable[[BatchQuestion], BaseModel]) -> int:
    """Answer the questions that have no result yet, writing each as it is done, and return how many were answered.

    The output keeps the order of the questions; results of an interrupted run are kept when they are its beginning.
    """
    done = _completed(batch)
    console = Console(stderr=True)
    with _open_output(batch.output) as file:
        file.seek(0)
        for line in done:
            file.write(line + "\n")
        file.truncate()
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("answering", total=len(batch.questions), completed=len(done))
            for question in batch.questions[len(done) :]:
                file.write(answer(question).model_dump_json() + "\n")
                file.flush()
                bar.advance(task)
    return len(batch.questions) - len(done)


def _open_output(path: Path) -> TextIO:
    try:
        return path.open("r+" if path.exists() else "w", encoding="utf-8")
    except OSError as error:
        raise QuestionError(
            f"The output {str(path)!r} cannot be written ({error.strerror}): name another file."
        ) from error


def _parse(path: Path, number: int, line: str) -> BatchQuestion:
    try:
        return BatchQuestion.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "line"
        raise QuestionError(
            f"{str(path)!r} line {number}, {key}: {first['msg'].lower()}; "
            'write {"id": "q1", "question": "…", "history": [{"role": "user", "content": "…"}]}.'
        ) from error


def _completed(batch: Batch) -> list[str]:
    """Return the lines of an earlier output that answer the first questions of this batch, as they are asked now."""
    if not batch.output.exists():
        return []
    kept: list[str] = []
    for line, question in zip(_whole_lines(batch.output), batch.questions, strict=False):
        try:
            row = json.loads(line)
        except ValueError:
            break
        if not isinstance(row, dict) or row.get("id") != question.id:
            break
        kept.append(line)
    return kept


def _whole_lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        if line.endswith("\n") and line.strip():
            yield line.rstrip("\n")
