"""What became of each file: indexed, pending, failed or excluded, and why.

A run of `synchronise` writes what it finds. People write two things only, which no run undoes: that a file is excluded,
and that it be read again.
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

State = Literal["indexed", "pending", "failed", "excluded"]

# Only what a run may say: people can exclude a file while the run goes on.
_UPDATE = (
    SOURCES.update()
    .where(SOURCES.c.source == sa.bindparam("name"))
    .values(state=sa.bindparam("new_state"), reason=sa.bindparam("new_reason"), file_hash=sa.bindparam("new_hash"))
)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What became of one file.

    Attributes:
        source: Its path below the indexed folder.
        state: `pending` until a run has been through with it.
        reason: Why it failed or waits, a clause that follows its name; else empty.
        documents: How many live documents come from it, for a failed file those of its last good version.
        seen_at: When a run last found it in the folder; None before that.
    """

    source: str
    state: State
    reason: str
    documents: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run made of one file, or what the last one did.

    Attributes:
        state: Never `excluded`, which is not the run's to say.
        reason: Why it failed or waits.
        file_hash: Hash of the content that this holds for; empty where the file is to be read in any case.
        excluded: Whether people keep it out.
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
        """Return what is known of every file, ordered by name."""
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
        """Return whether a file waits for a run: to be read, or to be taken out of the index."""
        unread = sa.and_(~SOURCES.c.excluded, SOURCES.c.state == "pending", SOURCES.c.reason == "")
        still_there = sa.and_(
            SOURCES.c.excluded, SOURCES.c.source.in_(sa.select(DOCUMENTS.c.source).where(DOCUMENTS.c.live))
        )
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(SOURCES.c.source).where(unread | still_there).limit(1)) is not None

    # Asked for by people --------------------------------------------------------------------------------------------

    def retry(self, names: Sequence[str]) -> list[str]:
        """Have files read again by the next run, changed or not; see `exclude`."""
        return self._mark(names, {"state": "pending", "reason": "", "file_hash": ""})

    def exclude(self, names: Sequence[str]) -> list[str]:
        """Have files left unread and taken out of the index by the next run.

        Args:
            names: Names of files, or patterns such as `drafts/*`.

        Returns:
            The names of the files meant, sorted.

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

    def last_outcomes(self) -> dict[str, Outcome]:
        """Return what the last run made of each file, by name."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(SOURCES))
            return {row.source: Outcome(row.state, row.reason, row.file_hash, row.excluded) for row in rows}

    def write(self, outcomes: Mapping[str, Outcome]) -> None:
        """Set what became of some files, new ones among them."""
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
        """Note that just these files are in the folder, and forget all others but those that are excluded."""
        with self._engine.begin() as connection:
            known = connection.execute(sa.select(SOURCES.c.source, SOURCES.c.excluded))
            absent = {row.source: row.excluded for row in known if row.source not in names}
            gone = [{"name": name} for name, excluded in absent.items() if not excluded]
            if gone:
                connection.execute(SOURCES.delete().where(SOURCES.c.source == sa.bindparam("name")), gone)
            stayed = SOURCES.c.source.not_in([name for name, excluded in absent.items() if excluded])
            connection.execute(SOURCES.update().where(stayed).values(seen_at=datetime.now(UTC)))
