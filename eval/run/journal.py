"""The answers of a run, written to its folder as they come, so that a run that was killed can be resumed.

Only one process at a time makes a run in a folder.
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

ANSWERS_NAME = "answers.jsonl"
_LOCK_NAME = "run.lock"


@contextmanager
def lock_folder(folder: Path | None) -> Iterator[None]:
    """Keep other processes from making a run in a folder; the lock ends with the process, however it ends.

    Raises:
        ReportError: Another run is being made there, or the folder cannot be written.
    """
    if folder is None:
        yield
        return
    lock = FileLock(folder / _LOCK_NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ReportError(
            f"Another run is being made in {str(folder)!r}: wait until it ends, or name another folder with --out."
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


class RunIdentity(BaseModel):
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


class JournalEntry(BaseModel):
    """One question as it was asked, with its answer.

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


class JournalHead(BaseModel):
    """The first line of a file of answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: RunIdentity
    started_at: datetime


class RunJournal:
    """The answers of one run; safe for many threads. Without a folder they are only kept in memory."""

    def __init__(self, path: Path | None, started_at: datetime, entries: Iterator[JournalEntry]) -> None:
        self.started_at = started_at
        self._path = path
        # A suite may be named by another path when the run goes on, so that is no part of the key.
        self._entries = {(entry.id, entry.repeat): entry for entry in entries}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path | None, identity: RunIdentity, now: datetime) -> Self:
        """Return the journal of a folder, with what an earlier, interrupted run of the same kind left there.

        Raises:
            ReportError: The folder cannot be written, or holds the answers of another run.
        """
        if folder is None:
            return cls(None, now, iter(()))
        path = folder / ANSWERS_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
            # A line that was cut off by a kill goes; its question is asked again.
            whole = [line for line in lines if line.endswith(b"\n")]
            head = _read_head(path, whole[0], identity) if whole else JournalHead(run=identity, started_at=now)
            entries: list[JournalEntry] = []
            for line in whole[1:]:
                with suppress(ValidationError):
                    entries.append(JournalEntry.model_validate_json(line))
            kept = [head.model_dump_json(), *(entry.model_dump_json() for entry in entries)]
            write_file(path, "".join(f"{line}\n" for line in kept))
        except OSError as error:
            raise _unwritable(folder, error) from error
        return cls(path, head.started_at, iter(entries))

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, question_id: str, repeat: int) -> JournalEntry | None:
        """Return the entry of a question, if it was asked."""
        return self._entries.get((question_id, repeat))

    def entry(self, question_id: str, repeat: int) -> JournalEntry:
        """Return the entry of a question that was asked."""
        return self._entries[question_id, repeat]

    def add(self, entry: JournalEntry) -> None:
        """Keep an entry, on disk before this returns.

        Raises:
            ReportError: It cannot be written.
        """
        with self._lock:
            self._entries[entry.id, entry.repeat] = entry
            if self._path is None:
                return
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(entry.model_dump_json() + "\n")
            except OSError as error:
                raise ReportError(
                    f"{str(self._path)!r} cannot be written ({error.strerror}): free some space."
                ) from error


def _unwritable(folder: Path, error: OSError) -> ReportError:
    return ReportError(f"The folder {str(folder)!r} cannot be written ({error.strerror}): name another with --out.")


def _read_head(path: Path, line: bytes, identity: RunIdentity) -> JournalHead:
    try:
        head = JournalHead.model_validate_json(line)
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
