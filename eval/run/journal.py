"""One run at a time in a folder.

Every answer of a run, written down as it comes, so that a run that was killed goes on where it stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.answer.answer import Answer
from eval.errors import ReportError
from eval.report.report import Blame
from eval.suites.golden import EarlierTurn
from index.store.atomic_file import write_file

_NAME = "run.lock"


@contextmanager
def hold(folder: Path | None) -> Iterator[None]:
    """Keep other processes from running in a folder; one that ends in any way lets go of it.

    Raises:
        ReportError: Another run is being made there, or the folder cannot be written.
    """
    if folder is None:
        yield
        return
    lock = FileLock(folder / _NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ReportError(
            f"Another run is being made in {str(folder)!r}: wait until it ends, or name another folder with --out."
        ) from error
    except OSError as error:
        raise ReportError(
            f"The folder {str(folder)!r} cannot be written ({error.strerror}): name another with --out."
        ) from error
    try:
        yield
    finally:
        lock.release()


FILE_NAME = "answers.jsonl"


class Identity(BaseModel):
    """What makes two runs the same run: answers of another may not be mixed in.

    Attributes:
        suites: SHA-256 (hex) of each suite file.
        settings: As recorded in the report, except for where files lie.
        prompts: Hash of the prompts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suites: tuple[str, ...]
    index_fingerprint: str
    settings: dict[str, object]
    prompts: str
    repeats: int


class Entry(BaseModel):
    """One question as it was asked and what came of it.

    Attributes:
        suite: File of the question.
        id: Of the golden question.
        repeat: Which time, from 1.
        history: What it was asked after.
        answer: None when it crashed.
        crash: The traceback, or None.
        blame: None where nothing is wrong or it was not looked for.
        seconds: How long it took, blame included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str
    id: str
    repeat: int
    history: tuple[EarlierTurn, ...]
    answer: Answer | None
    crash: str | None
    blame: Blame | None
    seconds: float

    @property
    def key(self) -> tuple[str, int]:
        """Return what tells it from every other entry of the run: a suite may be named by another path next time."""
        return self.id, self.repeat


class _Head(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Identity
    started_at: datetime


class Journal:
    """The answers of one run; safe for many threads. Without a folder they are only kept in memory."""

    def __init__(self, path: Path | None, started_at: datetime, entries: Iterator[Entry]) -> None:
        self.started_at = started_at
        self._path = path
        self._entries = {entry.key: entry for entry in entries}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path | None, identity: Identity, now: datetime) -> Self:
        """Return the journal of a folder, with what an earlier, interrupted run of the same kind left there.

        Raises:
            ReportError: The folder cannot be written, or holds the answers of another run.
        """
        if folder is None:
            return cls(None, now, iter(()))
        path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
            # A line that was cut off by a kill goes; its question is asked again.
            whole = [line for line in lines if line.endswith(b"\n")]
            head = _read_head(path, whole[0], identity) if whole else _Head(run=identity, started_at=now)
            entries = list(_read_entries(whole[1:]))
            kept = [head.model_dump_json(), *(entry.model_dump_json() for entry in entries)]
            write_file(path, "".join(f"{line}\n" for line in kept))
        except OSError as error:
            raise ReportError(
                f"The folder {str(folder)!r} cannot be written ({error.strerror}): name another with --out."
            ) from error
        return cls(path, head.started_at, iter(entries))

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, question_id: str, repeat: int) -> Entry | None:
        """Return the entry of a question, if it was asked."""
        return self._entries.get((question_id, repeat))

    def add(self, entry: Entry) -> None:
        """Keep an entry, on disk before this returns.

        Raises:
            ReportError: It cannot be written.
        """
        with self._lock:
            self._entries[entry.key] = entry
            if self._path is None:
                return
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(entry.model_dump_json() + "\n")
            except OSError as error:
                raise ReportError(
                    f"{str(self._path)!r} cannot be written ({error.strerror}): free some space."
                ) from error


def _read_head(path: Path, line: bytes, identity: Identity) -> _Head:
    try:
        head = _Head.model_validate_json(line)
    except ValidationError as error:
        raise ReportError(f"{str(path)!r} holds no answers of a run: name another folder with --out.") from error
    ours, theirs = identity.model_dump(mode="json"), head.run.model_dump(mode="json")
    differing = [name.replace("_", " ") for name, value in ours.items() if theirs[name] != value]
    if differing:
        raise ReportError(
            f"{str(path)!r} holds the answers of another run (its {' and '.join(differing)} differ): "
            "name another folder with --out, or remove that file."
        )
    return head


def _read_entries(lines: list[bytes]) -> Iterator[Entry]:
    for line in lines:
        with suppress(ValidationError):
            yield Entry.model_validate_json(line)
