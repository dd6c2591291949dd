"""The state of each file: indexed, pending, failed or excluded, and the reason.

A run of `synchronise` writes its results. Staff change two things only, which no run undoes: that a file is excluded,
and that it is to be read again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from index.errors import IndexingError
from index.store.schema import DOCUMENTS, SOURCES

FileState = Literal["indexed", "pending", "failed", "excluded"]

# Without `excluded`: staff can exclude a file during a run.
_UPDATE = (
    SOURCES.update()
    .where(SOURCES.c.source == sa.bindparam("name"))
    .values(state=sa.bindparam("new_state"), reason=sa.bindparam("new_reason"), file_hash=sa.bindparam("new_hash"))
)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """The state of one file, for staff.

    Attributes:
        source: Its path below the indexed folder.
        state: `pending` until a run has processed it.
        reason: Why it failed or is pending, a clause that follows its name; else empty.
        documents: How many live documents come from it; for a failed file, those of its last good version.
        seen_at: When a run last found it in the folder; None before the first time.
    """

    source: str
    state: FileState
    reason: str
    documents: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """The result of a run for one file.

    Attributes:
        state: Never `excluded`, which a run does not set.
        reason: Why it failed or is pending.
        file_hash: Hash of the content that was read; empty if the file is to be read in any case.
        excluded: Whether staff have excluded it.
    """

    state: Literal["indexed", "pending", "failed"]
    reason: str = ""
    file_hash: str = ""
    excluded: bool = False


class FileRegister:
    """The table of files; every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def records(self) -> list[FileRecord]:
        """Return the state of every file, ordered by name."""
        counted = (
            sa.select(DOCUMENTS.c.source, sa.func.count().label("documents"))
            .where(DOCUMENTS.c.live)
            .group_by(DOCUMENTS.c.source)
            .subquery()
        )
        query = sa.select(SOURCES, sa.func.coalesce(counted.c.documents, 0).label("documents"))
        query = query.outerjoin(counted, counted.c.source == SOURCES.c.source).order_by(SOURCES.c.source)
        with self._engine.connect() as connection:
            return [
                FileRecord(
                    row.source,
                    "excluded" if row.excluded else row.state,
                    "" if row.excluded else row.reason,
                    row.documents,
                    row.seen_at,
                )
                for row in connection.execute(query)
            ]

    def is_work_waiting(self) -> bool:
        """Return whether a run has work to do: a file to read, or one to remove from the index."""
        unread = sa.and_(~SOURCES.c.excluded, SOURCES.c.state == "pending", SOURCES.c.reason == "")
        still_there = sa.and_(
            SOURCES.c.excluded, SOURCES.c.source.in_(sa.select(DOCUMENTS.c.source).where(DOCUMENTS.c.live))
        )
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(SOURCES.c.source).where(unread | still_there).limit(1)) is not None

    # Changed by staff -----------------------------------------------------------------------------------------------

    def retry(self, names: Sequence[str]) -> list[str]:
        """Have the next run read files again, changed or not; see `exclude`."""
        return self._mark(names, {"state": "pending", "reason": "", "file_hash": ""})

    def exclude(self, names: Sequence[str]) -> list[str]:
        """Have the next run remove files from the index and leave them out.

        Args:
            names: Names of files, or patterns such as `drafts/*`.

        Returns:
            The names of the files, sorted.

        Raises:
            IndexingError: No file has such a name; nothing was changed.
        """
        return self._mark(names, {"excluded": True})

    def include(self, names: Sequence[str]) -> list[str]:
        """Undo `exclude`: the next run reads the files."""
        return self._mark(names, {"excluded": False, "state": "pending", "reason": "", "file_hash": ""})

    def _mark(self, names: Sequence[str], values: Mapping[str, object]) -> list[str]:
        with self._engine.begin() as connection:
            known = set(connection.scalars(sa.select(SOURCES.c.source)))
            meant: set[str] = set()
            for name in names:
                found = {name} & known or {source for source in known if fnmatchcase(source, name)}
                if not found:
                    raise IndexingError(
                        f"No file is known as {name!r}: `footnote index --status` lists them. Nothing was changed."
                    )
                meant |= found
            update = SOURCES.update().where(SOURCES.c.source == sa.bindparam("name")).values(**values)
            connection.execute(update, [{"name": name} for name in meant])
        return sorted(meant)

    # Written by a run -----------------------------------------------------------------------------------------------

    def last_outcomes(self) -> dict[str, FileOutcome]:
        """Return the outcome of each file in the last run, by name."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(SOURCES))
            return {row.source: FileOutcome(row.state, row.reason, row.file_hash, row.excluded) for row in rows}

    def write(self, outcomes: Mapping[str, FileOutcome]) -> None:
        """Store the outcomes of files, known or new."""
        if not outcomes:
            return
        with self._engine.begin() as connection:
            known = set(connection.scalars(sa.select(SOURCES.c.source)))
            new = [
                {"source": name, "state": one.state, "reason": one.reason, "file_hash": one.file_hash}
                for name, one in outcomes.items()
                if name not in known
            ]
            old = [
                {"name": name, "new_state": one.state, "new_reason": one.reason, "new_hash": one.file_hash}
                for name, one in outcomes.items()
                if name in known
            ]
            if new:
                connection.execute(SOURCES.insert(), new)
            if old:
                connection.execute(_UPDATE, old)

    def keep_only(self, names: Collection[str]) -> None:
        """Record that only these files are in the folder, and delete all others but those that are excluded."""
        with self._engine.begin() as connection:
            known = connection.execute(sa.select(SOURCES.c.source, SOURCES.c.excluded))
            absent = {row.source: row.excluded for row in known if row.source not in names}
            gone = [{"name": name} for name, excluded in absent.items() if not excluded]
            if gone:
                connection.execute(SOURCES.delete().where(SOURCES.c.source == sa.bindparam("name")), gone)
            stayed = SOURCES.c.source.not_in([name for name, excluded in absent.items() if excluded])
            connection.execute(SOURCES.update().where(stayed).values(seen_at=datetime.now(UTC)))
