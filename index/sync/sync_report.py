"""The report of an indexing run, and the outcomes of files that it collects for the report and the table of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from index.readers.source_file import describe
from index.store.files import FileOutcome, FileRegister

SyncProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed, and why."""

    source: str
    reason: str


@dataclass(slots=True)
class SyncReport:
    """The result of an indexing run.

    Attributes:
        added: Document ids, sorted, as in the next three.
        pending: Files that are being written and wait for the next run.
        excluded: Files that staff have excluded.
        marks: By kind, how many of the added and changed documents hold something that is kept out of answers.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    chunks: int = 0
    embedded: int = 0
    fingerprint: str = ""
    dry_run: bool = False
    marks: dict[str, int] = field(default_factory=dict)


class OutcomeCollector:
    """Collects the outcomes of files.

    Args:
        files: The table of files, as the last run and staff left it.
        report: Receives the failures; already holds the pending and excluded files when outcomes are written.

    Attributes:
        before: The outcome of each file in the last run.
        hashes: The hash of every file that is to be indexed.
        to_read: Files that have changed or were not read successfully.
    """

    def __init__(self, files: FileRegister, report: SyncReport) -> None:
        self._files = files
        self._report = report
        self.before: Mapping[str, FileOutcome] = files.last_outcomes()
        self.hashes: dict[str, str] = {}
        self.to_read: set[str] = set()
        self._reasons: dict[str, list[str]] = {}  # file -> what is wrong with it or with parts of it
        self._unreadable: set[str] = set()  # files of which nothing could be read
        self._written: set[str] = set()  # failed files whose outcome is in the table already

    def fail(self, source: str, reason: str, file: str = "") -> None:
        """Record that a file, or with `file` a part of that file, cannot be indexed."""
        self._report.failed.append(Failure(source, reason))
        part = source.removeprefix(f"{file}, ")
        self._reasons.setdefault(file or source, []).append(f"{part} {reason}" if file else reason)

    def fail_to_open(self, name: str, error: OSError) -> None:
        """Record that a file or folder cannot be opened."""
        self.fail(name, describe(error))

    def fail_whole(self, name: str, reason: str) -> None:
        """Record that nothing of a file could be read."""
        self._unreadable.add(name)
        self.fail(name, reason)

    def known_hashes(self, *, unattended: bool) -> dict[str, str]:
        """Return the hashes of the files that need not be read again unless they have changed."""
        return {
            name: before.file_hash
            for name, before in self.before.items()
            if before.file_hash and (before.state == "indexed" or unattended)
        }

    def write_pending(self) -> None:
        """Mark the files that are to be read as pending in the table."""
        self._files.write(dict.fromkeys(self.to_read, FileOutcome("pending")))

    def write_failures(self) -> None:
        """Write the failures since the last call to the table."""
        failed = {name: self._outcome(name) for name in set(self._reasons) - self._written}
        self._files.write(failed)
        self._written |= failed.keys()

    def write_all(self) -> None:
        """Write all outcomes that differ from the last run's. Others stay: staff may have changed them meanwhile."""
        names = {*self.hashes, *self._reasons, *self._report.pending, *self._report.excluded}
        outcomes = {name: self._outcome(name) for name in names}
        changed = {
            name: outcome
            for name, outcome in outcomes.items()
            if name in self.to_read or outcome != self.before.get(name)
        }
        self._files.write(changed)
        self._files.keep_only(names)

    def _outcome(self, name: str) -> FileOutcome:
        if reasons := self._reasons.get(name):
            more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            return FileOutcome("failed", reasons[0] + more, self.hashes[name] if name in self._unreadable else "")
        if name in self.hashes:
            return FileOutcome("indexed", file_hash=self.hashes[name])
        return FileOutcome("pending", "is being written" if name in self._report.pending else "")
