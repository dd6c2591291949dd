"""What an indexing run did.

What a run finds of each file, on the way to its report and to the table of files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from index.readers.source import describe
from index.store.files import FileRegister, Outcome

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed, and why."""

    source: str
    reason: str


@dataclass(slots=True)
class SyncReport:
    """What a run did.

    Attributes:
        added: Document ids, sorted, as in the next three.
        pending: Files that are being written and wait for the next run.
        excluded: Files that people keep out.
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


class Findings:
    """Collects what becomes of the files.

    Args:
        files: The table of files, as the last run and people left it.
        report: Gets the failures, what waits and what is excluded.

    Attributes:
        before: What the last run made of each file.
        hashes: Of every file that is to be indexed.
        waiting: Files that are not known to be as they were.
    """

    def __init__(self, files: FileRegister, report: SyncReport) -> None:
        self._files = files
        self._report = report
        self.before: Mapping[str, Outcome] = files.last_outcomes()
        self.hashes: dict[str, str] = {}
        self.waiting: set[str] = set()
        self._reasons: dict[str, list[str]] = {}  # file -> what is wrong with it or with parts of it
        self._unreadable: set[str] = set()  # files of which nothing could be read
        self._told: set[str] = set()  # failed files whose state is written already

    def fail(self, source: str, reason: str, file: str = "") -> None:
        """Note what cannot be indexed: a file, or with `file` a part of that."""
        self._report.failed.append(Failure(source, reason))
        part = source.removeprefix(f"{file}, ")
        self._reasons.setdefault(file or source, []).append(f"{part} {reason}" if file else reason)

    def fail_to_open(self, name: str, error: OSError) -> None:
        """Note that a file or folder cannot be opened."""
        self.fail(name, describe(error))

    def fail_whole(self, name: str, reason: str) -> None:
        """Note that nothing of a file could be read."""
        self._unreadable.add(name)
        self.fail(name, reason)

    def known_hashes(self, *, unattended: bool) -> dict[str, str]:
        """Return the hashes of the files that need not be read again if they are as they were."""
        return {
            name: before.file_hash
            for name, before in self.before.items()
            if before.file_hash and (before.state == "indexed" or unattended)
        }

    def write_waiting(self) -> None:
        """Say in the table that the files which are not known to be as they were wait to be read."""
        self._files.write(dict.fromkeys(self.waiting, Outcome("pending")))

    def write_failures(self) -> None:
        """Say in the table which files failed since this was last called."""
        failed = {name: self._outcome(name) for name in set(self._reasons) - self._told}
        self._files.write(failed)
        self._told |= failed.keys()

    def write_all(self) -> None:
        """Write what became of the files. What was found as before is left alone: people may have marked it since."""
        names = {*self.hashes, *self._reasons, *self._report.pending, *self._report.excluded}
        outcomes = {name: self._outcome(name) for name in names}
        changed = {
            name: outcome
            for name, outcome in outcomes.items()
            if name in self.waiting or outcome != self.before.get(name)
        }
        self._files.write(changed)
        self._files.keep_only(names)

    def _outcome(self, name: str) -> Outcome:
        if reasons := self._reasons.get(name):
            more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            return Outcome("failed", reasons[0] + more, self.hashes[name] if name in self._unreadable else "")
        if name in self.hashes:
            return Outcome("indexed", file_hash=self.hashes[name])
        return Outcome("pending", "is being written" if name in self._report.pending else "")
