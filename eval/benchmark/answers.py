"""The file of answers: one line each, written as soon as it is there, so that a run that was killed goes on."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from eval.benchmark.measured import Measured, fingerprint
from eval.benchmark.record import StoredAnswer, asked_hash
from eval.dataset import Query
from eval.errors import EvaluationError


class AnswerFile:
    """Answers of one answerer about one collection. The first line says what was measured.

    Its name holds the fingerprint of that: other code, prompts, parameters, settings or documents get a file of their
    own, and the old one stays beside it, to be compared with or gone back to.
    """

    def __init__(self, path: Path, file: IO[str], answers: dict[str, StoredAnswer]) -> None:
        self.path = path
        self._file = file
        self._answers = answers

    def answer_to(self, query: Query) -> StoredAnswer | None:
        """Return the answer to a question as it is asked now, or None when it has not been asked."""
        found = self._answers.get(query.query_id)
        return found if found and found.asked == asked_hash(query) else None

    def missing(self, queries: Sequence[Query]) -> list[Query]:
        """Return the questions that have not been asked."""
        return [query for query in queries if self.answer_to(query) is None]

    def add(self, answer: StoredAnswer) -> None:
        """Write an answer; when this returns, it outlives the process."""
        self._file.write(answer.model_dump_json() + "\n")
        self._file.flush()
        self._answers[answer.id] = answer


def answers_path(folder: Path, collection: str, measured: Measured) -> Path:
    """Return where the answers of what is measured are kept."""
    return folder / f"{collection}.{measured['answerer']}.{fingerprint(measured)}.jsonl"


@contextmanager
def open_answers(path: Path, measured: Measured) -> Iterator[AnswerFile]:
    """Open a file of answers, made when it is not there, and held against a second run.

    Raises:
        EvaluationError: It cannot be written, is damaged, or another run writes to it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8", newline="\n")
    except OSError as error:
        raise EvaluationError(f"{str(path)!r} cannot be written ({error.strerror}): choose another --work.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EvaluationError(f"Another run is writing to {str(path)!r}: wait until it ends.") from error
        _cut_torn_line(path)
        if path.stat().st_size == 0:
            file.write(json.dumps({"measured": dict(measured)}, ensure_ascii=False) + "\n")
            file.flush()
        yield AnswerFile(path, file, _read(path))


def _cut_torn_line(path: Path) -> None:
    """Drop a last line that was being written when the run was killed."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def _read(path: Path) -> dict[str, StoredAnswer]:
    answers: dict[str, StoredAnswer] = {}
    with path.open(encoding="utf-8") as file:
        next(file)
        for number, line in enumerate(file, start=2):
            try:
                answer = StoredAnswer.model_validate_json(line)
            except ValidationError as error:
                raise EvaluationError(
                    f"{str(path)!r}, line {number}, is no answer: delete the line, and its question is asked again."
                ) from error
            answers[answer.id] = answer
    return answers
