"""What an indexing run did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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
