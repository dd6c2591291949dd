"""Copies and versions among the live documents, as stored in the catalogue; updated when a document is new.

The row of a document is deleted with it, and those of the others stay valid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from index.relations.duplicates import Signature, group_duplicates, sign
from index.relations.versions import Edition, VersionCandidate, date_in_head, find_series
from index.store.schema import DOCUMENTS, RELATIONS

_TEXTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Relation:
    """The relations of a live document to others.

    Attributes:
        copies: Name of its group of near-duplicates, or "".
        series: Name of the series that it is a version in, or "".
        edition: Its edition in the series.
    """

    document_id: str
    copies: str
    series: str
    edition: Edition


def relate_documents(engine: Engine) -> None:
    """Find copies and versions among the live documents, if one of them has not been compared yet."""
    with engine.begin() as connection:
        if _sign_missing(connection):
            candidates = _candidates(connection)
            rows = list(_related_rows(candidates, find_series([candidate for _, candidate in candidates])))
            connection.execute(RELATIONS.update().values(copies="", series="", edition=[]))
            if rows:
                connection.execute(RELATIONS.update().where(RELATIONS.c.version_id == sa.bindparam("of")), rows)


def read_relations(engine: Engine, document_ids: Collection[str] | None = None) -> dict[str, Relation]:
    """Return by id the live documents, of all or of those named, that have copies or other versions."""
    columns = (DOCUMENTS.c.document_id, RELATIONS.c.copies, RELATIONS.c.series, RELATIONS.c.edition)
    query = sa.select(*columns).join(RELATIONS).where(DOCUMENTS.c.live, RELATIONS.c.copies + RELATIONS.c.series != "")
    if document_ids is not None:
        query = query.where(DOCUMENTS.c.document_id.in_(document_ids))
    with engine.connect() as connection:
        return {
            row.document_id: Relation(row.document_id, row.copies, row.series, Edition(*map(tuple, row.edition)))
            for row in connection.execute(query)
        }


def _sign_missing(connection: Connection) -> bool:
    """Store signatures of the live documents without one, and return whether there were any."""
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


def _candidates(connection: Connection) -> list[tuple[int, VersionCandidate]]:
    columns = (DOCUMENTS.c.document_id, DOCUMENTS.c.title, RELATIONS)
    query = sa.select(*columns).join(RELATIONS).where(DOCUMENTS.c.live).order_by(DOCUMENTS.c.document_id)
    rows = connection.execute(query).all()
    signatures: Signature = np.array([np.frombuffer(row.signature, dtype="<u4") for row in rows], dtype=np.uint32)
    first = group_duplicates(signatures)
    shared = {one for place, one in enumerate(first) if place != one}
    return [
        (
            row.version_id,
            VersionCandidate(
                row.document_id,
                row.title,
                signature,
                rows[one].document_id if one in shared else "",
                Edition(tuple(row.dated)),
            ),
        )
        for row, signature, one in zip(rows, signatures, first, strict=True)
    ]


def _related_rows(
    candidates: list[tuple[int, VersionCandidate]], series: Mapping[str, tuple[str, Edition]]
) -> Iterator[dict[str, object]]:
    for version_id, candidate in candidates:
        name, edition = series.get(candidate.document_id, ("", Edition()))
        if candidate.copies or name:
            parts = [list(edition.date), list(edition.version), list(edition.stage)]
            yield {"of": version_id, "copies": candidate.copies, "series": name, "edition": parts}
