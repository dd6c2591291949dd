"""What there is to ask about, as a page lists it: how many documents, and a few of their titles."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from index.titles import TitledDocument


class Contents(NamedTuple):
    """Some of the documents.

    Attributes:
        total: How many documents there are in all.
        documents: Those that were asked for.
        more: Whether others come after them.
        indexed_at: When the index was last changed; None where nothing is indexed.
    """

    total: int
    documents: tuple[TitledDocument, ...]
    more: bool
    indexed_at: datetime | None
