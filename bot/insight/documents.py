"""Documents that no answer cites, and answers that rest on a single old document."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.records.schema import ANSWERS, CITED
from index.schema import DOCUMENTS


@dataclass(frozen=True, slots=True)
class OldSupport:
    """How many answers rest on one document alone, and the date that it states of itself."""

    document_id: str
    title: str
    date: str
    answers: int


def titles(engine: Engine) -> dict[str, str]:
    """Return the titles of the live documents by id, ordered by it."""
    named = sa.select(DOCUMENTS.c.document_id, DOCUMENTS.c.title).where(DOCUMENTS.c.live)
    with engine.connect() as connection:
        return dict(sorted((row.document_id, row.title) for row in connection.execute(named)))


def never_cited(engine: Engine, since: dt.datetime) -> dict[str, str]:
    """Return the titles, by id, of the live documents that no answer since then cites."""
    cited = sa.select(CITED.c.document_id).join(ANSWERS).where(ANSWERS.c.asked_at >= since).distinct()
    with engine.connect() as connection:
        used = set(connection.scalars(cited))
    return {document_id: title for document_id, title in titles(engine).items() if document_id not in used}


def old_supports(engine: Engine, since: dt.datetime, before: dt.date) -> tuple[OldSupport, ...]:
    """Return the documents from before a day that are all that some answers cite, those of most answers first."""
    single = (
        sa.select(CITED.c.answer_id, sa.func.min(CITED.c.document_id).label("document_id"))
        .join(ANSWERS)
        .where(ANSWERS.c.asked_at >= since)
        .group_by(CITED.c.answer_id)
        .having(sa.func.count(sa.distinct(CITED.c.document_id)) == 1)
        .subquery()
    )
    count = sa.func.count().label("answers")
    columns = (DOCUMENTS.c.document_id, DOCUMENTS.c.title, DOCUMENTS.c.date)
    old = (
        sa.select(*columns, count)
        .join(single, single.c.document_id == DOCUMENTS.c.document_id)
        .where(DOCUMENTS.c.live, DOCUMENTS.c.date != "", DOCUMENTS.c.date < before.isoformat())
        .group_by(*columns)
        .order_by(count.desc(), DOCUMENTS.c.document_id)
    )
    with engine.connect() as connection:
        return tuple(OldSupport(row.document_id, row.title, row.date, row.answers) for row in connection.execute(old))
