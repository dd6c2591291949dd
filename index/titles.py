"""The live documents by their titles, a few at a time: what a list of very many shows."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from index.schema import DOCUMENTS


class TitledDocument(NamedTuple):
    """A document as a list names it."""

    document_id: str
    title: str


def find_titles(engine: Engine, words: str, start: int, count: int) -> tuple[TitledDocument, ...]:
    """Return the documents whose title or id has all of some words in it, ordered by id.

    Args:
        engine: The catalogue's database.
        words: Separated by spaces; none finds every document. Upper and lower case are the same where the database
            knows them apart, which SQLite does for A to Z.
        start: How many of those found to leave out at the beginning.
        count: How many to return at most.
    """
    columns = DOCUMENTS.c
    # A condition that no index serves: the rows come in the order of the one on ids, and only those shown are read.
    found = sa.select(columns.document_id, columns.title).where(sa.func.coalesce(columns.live, sa.false()))
    for word in words.lower().split():
        named = (
            sa.func.lower(column).contains(word, autoescape=True) for column in (columns.title, columns.document_id)
        )
        found = found.where(sa.or_(*named))
    with engine.connect() as connection:
        rows = connection.execute(found.order_by(columns.document_id).offset(start).limit(count))
        return tuple(TitledDocument(*row) for row in rows)


def count_titles(engine: Engine) -> int:
    """Return how many documents there are."""
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(DOCUMENTS).where(DOCUMENTS.c.live)) or 0
