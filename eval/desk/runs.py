"""The runs in a folder: those with a report, and those that were interrupted, wherever they were started."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePath

from pydantic import BaseModel, ValidationError

from eval.desk.running import LOG_NAME, Progress, RunOrder, State, answerer_named, count_answers
from eval.desk.suites import SuiteShelf
from eval.errors import ReportError, SuiteError
from eval.measures.interval import Metric
from eval.report.question import by_verdict
from eval.report.report import REPORT_NAME, RunReport, Verdict
from eval.run.journal import FILE_NAME, Identity
from eval.suites.suite import load_suite

HEADLINE = ("answer_correct", "refusal_recall", "citation_precision")


class _Head(BaseModel):
    """The first line of the file of answers."""

    run: Identity
    started_at: datetime


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the list shows it.

    Attributes:
        suites: Names of the suite files, as far as they are known.
        answerer: Who wrote the answers; empty where nothing says so.
        done: How many answers are written down.
        total: How many there will be; None where the suite is no longer what it was.
        finished: Whether there is a report.
        metrics: The headline measures of the report.
        verdicts: How many answers have each verdict.
        fault: Why the report cannot be read, or nothing.
    """

    name: str
    suites: tuple[str, ...]
    answerer: str
    when: datetime
    done: int
    total: int | None
    finished: bool
    metrics: Mapping[str, Metric]
    verdicts: Mapping[Verdict, int]
    fault: str = ""

    @property
    def progress(self) -> Progress:
        """Return how far it is, taking it for granted that nobody is at it."""
        state: State = "done" if self.finished else "failed" if self.fault or not self.done else "interrupted"
        return Progress(state, self.done, self.total)


class RunShelf:
    """Runs by name; a name is only ever looked up in the list of folders, so it can lead nowhere else.

    Args:
        folder: Holds one folder for each run.
        suites: Where the suites of an interrupted run are looked for.
    """

    def __init__(self, folder: Path, suites: SuiteShelf) -> None:
        self.folder = folder
        self._suites = suites

    def find(self, name: str) -> Path | None:
        """Return the folder of a run, or None."""
        return self._folders().get(name)

    def stored(self) -> list[StoredRun]:
        """Return the runs, newest first."""
        runs = [self._describe(path) for path in self._folders().values()]
        return sorted(runs, key=lambda run: (run.when, run.name), reverse=True)

    def report(self, name: str) -> RunReport:
        """Return the report of a run.

        Raises:
            ReportError: There is none, or it cannot be read.
        """
        path = self.report_path(name)
        stamp = stamp_of(path) if path else None
        if path is None or stamp is None:
            raise ReportError(f"There is no finished run {name!r}: choose one from the list.")
        return _load(path, stamp)

    def report_path(self, name: str) -> Path | None:
        """Return the report's file of a run, or None."""
        folder = self.find(name)
        path = folder / REPORT_NAME if folder else None
        return path if path and path.is_file() else None

    def resumable(self, name: str) -> RunOrder | None:
        """Return the order that goes on with an interrupted run; None where its suites have changed since."""
        folder = self.find(name)
        head = _read_head(folder) if folder else None
        answerer = answerer_named(head.run.settings.get("answerer")) if head else None
        if head is None or answerer is None:
            return None
        by_hash = {_hash_of(path): path for path in self._suites.files().values()}
        paths = tuple(by_hash[one] for one in head.run.suites if one in by_hash)
        total = _count_questions(paths)
        if len(paths) != len(head.run.suites) or total is None:
            return None
        return RunOrder(name, paths, answerer, head.run.repeats, total * head.run.repeats)

    def _folders(self) -> dict[str, Path]:
        if not self.folder.is_dir():
            return {}
        return {path.name: path for path in sorted(self.folder.iterdir()) if _is_run(path)}

    def _describe(self, folder: Path) -> StoredRun:
        path = folder / REPORT_NAME
        stamp = stamp_of(path)
        if stamp is not None:
            try:
                return _summarise(path, stamp)
            except ReportError as error:
                return _unfinished(folder, fault=str(error))
        head, order = _read_head(folder), self.resumable(folder.name)
        return _unfinished(folder, head, order)


# Modification time in nanoseconds and size: a file with the same ones has not changed.
Stamp = tuple[int, int]


def stamp_of(path: Path) -> Stamp | None:
    """Return what tells that a file has changed, or None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _is_run(path: Path) -> bool:
    files = (FILE_NAME, REPORT_NAME, LOG_NAME)
    return path.is_dir() and not path.is_symlink() and any((path / name).is_file() for name in files)


@lru_cache(maxsize=4)
def _load(path: Path, stamp: Stamp) -> RunReport:
    del stamp
    return RunReport.load(path)


@lru_cache(maxsize=1_000)
def _summarise(path: Path, stamp: Stamp) -> StoredRun:
    """Return the few numbers of a report that the list shows; reports themselves are too large to keep them all."""
    del stamp
    report = RunReport.load(path)
    return StoredRun(
        name=path.parent.name,
        suites=tuple(PurePath(suite.path).name for suite in report.suites),
        answerer=str(report.settings.get("answerer", "")),
        when=report.started_at,
        done=len(report.questions),
        total=len(report.questions),
        finished=True,
        metrics={name: report.metrics[name] for name in HEADLINE if name in report.metrics},
        verdicts=by_verdict(report.questions),
    )


def _unfinished(
    folder: Path, head: _Head | None = None, order: RunOrder | None = None, *, fault: str = ""
) -> StoredRun:
    return StoredRun(
        name=folder.name,
        suites=tuple(path.name for path in order.suites) if order else (),
        answerer=str(head.run.settings.get("answerer", "")) if head else "",
        when=head.started_at if head else datetime.fromtimestamp(folder.stat().st_mtime, UTC),
        done=count_answers(folder),
        total=order.total if order else None,
        finished=False,
        metrics={},
        verdicts={},
        fault=fault,
    )


def _read_head(folder: Path) -> _Head | None:
    try:
        with (folder / FILE_NAME).open("rb") as file:
            return _Head.model_validate_json(file.readline())
    except (OSError, ValidationError):
        return None


def _hash_of(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _count_questions(paths: tuple[Path, ...]) -> int | None:
    try:
        return sum(len(load_suite(path).questions) for path in paths)
    except SuiteError:
        return None
