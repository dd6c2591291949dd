"""The suite files and the runs that the evaluator's page knows: those in its folders, and no others.

A name from an address is only ever looked up in the list of a folder's entries, so it can lead nowhere else.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Self

from pydantic import ValidationError

from eval.desk.running import LOG_NAME, RunOrder, RunProgress, RunState, answerer_named, count_answers
from eval.errors import ReportError, SuiteError
from eval.measures.interval import Metric
from eval.report.question import by_verdict
from eval.report.report import REPORT_NAME, RunReport, Verdict
from eval.run.journal import ANSWERS_NAME, JournalHead
from eval.suites.suite import load_suite

HEADLINE = ("answer_correct", "refusal_recall", "citation_precision")
FOLDERS_VARIABLE = "FOOTNOTE_SUITES"
_PACKAGED = Path(__file__).parent.parent / "suites"
_EDITABLE = frozenset({".yaml", ".yml", ".jsonl"})
_SUFFIXES = _EDITABLE | {".csv", ".xlsx"}


def suite_folders(environment: Mapping[str, str], data_dir: Path) -> tuple[Path, ...]:
    """Return the folders of suites: those of `FOOTNOTE_SUITES`, joined as in PATH, or the packaged and the data's."""
    if written := environment.get(FOLDERS_VARIABLE):
        return tuple(Path(folder) for folder in written.split(os.pathsep) if folder)
    return (_PACKAGED, data_dir / "suites")


def is_editable(path: Path) -> bool:
    """Return whether single entries of a suite can be replaced as text; a spreadsheet's cannot."""
    return path.suffix.lower() in _EDITABLE


class SuiteFolders:
    """Suite files by name."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)

    def files(self) -> dict[str, Path]:
        """Return the suites by name, each path as the command line would name it.

        A file whose name another folder has used already gets a number after a tilde.
        """
        found: dict[str, Path] = {}
        for path in (path for folder in self.folders for path in _suites_in(folder)):
            name, number = path.name, 1
            while name in found:
                number += 1
                name = f"{path.name}~{number}"
            found[name] = path
        return found

    def find(self, name: str) -> Path | None:
        """Return the suite of a name, or None."""
        return self.files().get(name)

    def name_of(self, path: str) -> str | None:
        """Return the name of the suite that a report calls by a path: the same file, or else one of its name."""
        files, wanted = self.files(), Path(path)
        same = (name for name, one in files.items() if one.absolute() == wanted.absolute())
        return next(same, wanted.name if wanted.name in files else None)


def _suites_in(folder: Path) -> list[Path]:
    """Return the suites of a folder in the order of their names; links may lead out of it, so they do not count."""
    here = Path.cwd()
    found = (path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES) if folder.is_dir() else ()
    return [
        path.absolute().relative_to(here) if path.absolute().is_relative_to(here) else path
        for path in found
        if not path.name.startswith(".") and path.name != ANSWERS_NAME and path.is_file() and not path.is_symlink()
    ]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """The file of a report; two are equal only while it has not changed, so what is made of it can be cached."""

    path: Path
    modified: int
    size: int

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """Return the report in the folder of a run, or None."""
        path = folder / REPORT_NAME
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(path, found.st_mtime_ns, found.st_size)


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
    finished: bool = False
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    verdicts: Mapping[Verdict, int] = field(default_factory=dict)
    fault: str = ""

    @property
    def progress(self) -> RunProgress:
        """Return how far it is, provided that no process is making it."""
        state: RunState = "done" if self.finished else "failed" if self.fault or not self.done else "interrupted"
        return RunProgress(state, self.done, self.total)


class RunFolders:
    """Runs by name: those with a report, and those that were interrupted, wherever they were started.

    Args:
        folder: Holds one folder for each run.
        suites: Where the suites of an interrupted run are looked for.
    """

    def __init__(self, folder: Path, suites: SuiteFolders) -> None:
        self.folder = folder
        self._suites = suites

    def find(self, name: str) -> Path | None:
        """Return the folder of a run, or None."""
        return self._folders().get(name)

    def stored(self) -> list[StoredRun]:
        """Return the runs, newest first."""
        runs = [self._describe(path) for path in self._folders().values()]
        return sorted(runs, key=lambda run: (run.when, run.name), reverse=True)

    def report_file(self, name: str) -> ReportFile:
        """Return the file of a run's report.

        Raises:
            ReportError: There is none.
        """
        folder = self.find(name)
        file = ReportFile.find(folder) if folder else None
        if file is None:
            raise ReportError(f"There is no finished run {name!r}: choose one from the list.")
        return file

    def report(self, name: str) -> RunReport:
        """Return the report of a run.

        Raises:
            ReportError: There is none, or it cannot be read.
        """
        return _load(self.report_file(name))

    def resumable(self, name: str) -> RunOrder | None:
        """Return the order that goes on with an interrupted run; None where its suites have changed since."""
        folder = self.find(name)
        head = _read_head(folder) if folder else None
        answerer = answerer_named(head.run.settings.get("answerer")) if head else None
        if head is None or answerer is None:
            return None
        by_hash = {_hash_of(path): path for path in self._suites.files().values()}
        paths = tuple(by_hash[one] for one in head.run.suites if one in by_hash)
        try:
            total = sum(len(load_suite(path).questions) for path in paths)
        except SuiteError:
            return None
        if len(paths) != len(head.run.suites):
            return None
        return RunOrder(name, paths, answerer, head.run.repeats, total * head.run.repeats)

    def _folders(self) -> dict[str, Path]:
        paths = sorted(self.folder.iterdir()) if self.folder.is_dir() else ()
        return {path.name: path for path in paths if _is_run(path)}

    def _describe(self, folder: Path) -> StoredRun:
        fault = ""
        if file := ReportFile.find(folder):
            try:
                return _summarise(file)
            except ReportError as error:
                fault = str(error)
        head, order = (_read_head(folder), self.resumable(folder.name)) if not fault else (None, None)
        return StoredRun(
            name=folder.name,
            suites=tuple(path.name for path in order.suites) if order else (),
            answerer=str(head.run.settings.get("answerer", "")) if head else "",
            when=head.started_at if head else datetime.fromtimestamp(folder.stat().st_mtime, UTC),
            done=count_answers(folder),
            total=order.total if order else None,
            fault=fault,
        )


def _is_run(path: Path) -> bool:
    files = (ANSWERS_NAME, REPORT_NAME, LOG_NAME)
    return path.is_dir() and not path.is_symlink() and any((path / name).is_file() for name in files)


@lru_cache(maxsize=4)
def _load(file: ReportFile) -> RunReport:
    return RunReport.load(file.path)


@lru_cache(maxsize=1_000)
def _summarise(file: ReportFile) -> StoredRun:
    """Return the few numbers of a report that the list shows; reports themselves are too large to keep them all."""
    report = RunReport.load(file.path)
    return StoredRun(
        name=file.path.parent.name,
        suites=tuple(PurePath(suite.path).name for suite in report.suites),
        answerer=str(report.settings.get("answerer", "")),
        when=report.started_at,
        done=len(report.questions),
        total=len(report.questions),
        finished=True,
        metrics={name: report.metrics[name] for name in HEADLINE if name in report.metrics},
        verdicts=by_verdict(report.questions),
    )


def _read_head(folder: Path) -> JournalHead | None:
    try:
        with (folder / ANSWERS_NAME).open("rb") as file:
            return JournalHead.model_validate_json(file.readline())
    except (OSError, ValidationError):
        return None


def _hash_of(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
