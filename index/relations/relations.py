"""What documents have to do with each other, as the catalogue keeps it: copies and versions.

Kept beside the live documents and found again whenever one of them has not been looked at. What is said of a document
goes with it; what stays is true of the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from index.relations.duplicates import Signature, group_duplicates, sign
from index.relations.versions import Edition, Paper, date_in_head, find_series
from index.store.schema import DOCUMENTS, RELATIONS

_TEXTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Relation:
    """What a live document has to do with others.

    Attributes:
        copies: Names the group of near-duplicates that it belongs to; "" for none.
        series: Names the versions that it is one of; "" for none.
        edition: Which one of them.
    """

    document_id: str
    copies: str
    series: str
    edition: Edition


def relate_documents(engine: Engine) -> None:
    """Find copies and versions among the live documents, if one of them has not been looked at yet.

    Args:
        engine: Of the catalogue.
    """
    with engine.begin() as connection:
        if _sign_missing(connection):
            _record(connection, _papers(connection))


def read_relations(engine: Engine, document_ids: Collection[str] | None = None) -> dict[str, Relation]:
    """Return by id the live documents that have copies or other versions; of all, or of those named."""
    columns = (DOCUMENTS.c.document_id, RELATIONS.c.copies, RELATIONS.c.series, RELATIONS.c.edition)
    query = sa.select(*columns).join(RELATIONS).where(DOCUMENTS.c.live, RELATIONS.c.copies + RELATIONS.c.series != "")
    if document_ids is not None:
        query = query.where(DOCUMENTS.c.document_id.in_(document_ids))
    with engine.connect() as connection:
        return {
            row.document_id: Relation(row.document_id, row.copies, row.series, _to_edition(row.edition))
            for row in connection.execute(query)
        }


def _sign_missing(connection: Connection) -> bool:
    """Sign the live documents that have no signature, and return whether there were any."""
    missing = (
        sa.select(DOCUMENTS.c.version_id, DOCUMENTS.c.text, DOCUMENTS.c.date)
        .outerjoin(RELATIONS)
        .where(DOCUMENTS.c.live, RELATIONS.c.version_id.is_(None))
        .limit(_TEXTS_AT_ONCE)
    )
    found = False
    while rows := connection.execute(missing).all():
        found = True
        connection.execute(
            RELATIONS.insert(),
            [
                {
                    "version_id": row.version_id,
                    "signature": sign(row.text).astype("<u4").tobytes(),
                    "dated": [int(part) for part in row.date.split("-") if part] or list(date_in_head(row.text).date),
                    "edition": [],
                }
                for row in rows
            ],
        )
    return found


def _papers(connection: Connection) -> list[tuple[int, Paper]]:
    columns = (DOCUMENTS.c.document_id, DOCUMENTS.c.title, RELATIONS)
    query = sa.select(*columns).join(RELATIONS).where(DOCUMENTS.c.live).order_by(DOCUMENTS.c.document_id)
    rows = connection.execute(query).all()
    signatures: Signature = np.array([np.frombuffer(row.signature, dtype="<u4") for row in rows], dtype=np.uint32)
    first = group_duplicates(signatures)
    shared = {one for place, one in enumerate(first) if place != one}
    return [
        (
            row.version_id,
            Paper(
                row.document_id,
                row.title,
                signature,
                rows[one].document_id if one in shared else "",
                Edition(tuple(row.dated)),
            ),
        )
        for row, signature, one in zip(rows, signatures, first, strict=True)
    ]


def _record(connection: Connection, papers: list[tuple[int, Paper]]) -> None:
    series = find_series([paper for _, paper in papers])
    related = list(_changes(papers, series))
    connection.execute(RELATIONS.update().values(copies="", series="", edition=[]))
    if related:
        update = RELATIONS.update().where(RELATIONS.c.version_id == sa.bindparam("of"))
        connection.execute(update, related)


def _changes(papers: list[tuple[int, Paper]], series: Mapping[str, tuple[str, Edition]]) -> Iterator[dict[str, object]]:
    for version_id, paper in papers:
        name, edition = series.get(paper.document_id, ("", Edition()))
        if paper.copies or name:
            parts = [list(edition.date), list(edition.version), list(edition.stage)]
            yield {"of": version_id, "copies": paper.copies, "series": name, "edition": parts}


def _to_edition(parts: list[list[int]]) -> Edition:
    return Edition(*map(tuple, parts))
