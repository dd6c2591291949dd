"""A file of records, one a line, each written as soon as it is known: a run that was killed goes on from it."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from pydantic import ValidationError

from eval.errors import EvaluationError
from eval.report.json_file import Record


class IdentifiedRecord(Record):
    """A record with an id that is unique in its file."""

    id: str


R = TypeVar("R", bound=IdentifiedRecord)


class RecordFile(Generic[R]):
    """Records by id, those of earlier runs and those that are added.

    Attributes:
        records: Of two with the same id, the one that was added last.
    """

    def __init__(self, file: IO[str], records: dict[str, R]) -> None:
        self._file = file
        self.records = records

    def add(self, record: R) -> None:
        """Write a record; when this returns, it outlives the process."""
        self._file.write(record.model_dump_json() + "\n")
        self._file.flush()
        self.records[record.id] = record


@contextmanager
def open_records(path: Path, record: type[R], measured: Mapping[str, Any]) -> Iterator[RecordFile[R]]:
    """Open a file of records for one process; make it when it is not there.

    Args:
        path: The file. Its name should differ for whatever else the records depend on.
        record: Class of the records.
        measured: What they depend on, written to the first line of a new file.

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
        yield RecordFile(file, _read(path, record))


def _cut_torn_line(path: Path) -> None:
    """Drop a last line that was being written when the run was killed."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def _read(path: Path, record: type[R]) -> dict[str, R]:
    records: dict[str, R] = {}
    with path.open(encoding="utf-8") as file:
        next(file)
        for number, line in enumerate(file, start=2):
            try:
                found = record.model_validate_json(line)
            except ValidationError as error:
                raise EvaluationError(
                    f"{str(path)!r}, line {number}, is no answer: delete the line, and its question is asked again."
                ) from error
            records[found.id] = found
    return records
