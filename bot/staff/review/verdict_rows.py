"""Verdicts with the answers they are about, as rows for a spreadsheet or a program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.answer.answer import Answer
from bot.staff.review.verdicts import Verdict, read_verdicts
from bot.storage.review_items import Reason
from bot.storage.schema import ANSWERS, REVIEW_ITEMS, VERDICTS

_AT_ONCE = 200


def verdict_rows(engine: Engine) -> Iterator[dict[str, Any]]:
    """Yield a row for every verdict, in the order in which they were given."""
    after = 0
    while True:
        with engine.connect() as connection:
            ids = sa.select(VERDICTS.c.id).where(VERDICTS.c.id > after).order_by(VERDICTS.c.id).limit(_AT_ONCE)
            wanted = list(connection.scalars(ids))
            verdicts = read_verdicts(connection, VERDICTS.c.id.in_(wanted))
            answer_ids = {verdict.answer_id for verdict in verdicts}
            asked = (
                sa.select(ANSWERS, REVIEW_ITEMS.c.reasons)
                .outerjoin(REVIEW_ITEMS, REVIEW_ITEMS.c.answer_id == ANSWERS.c.id)
                .where(ANSWERS.c.id.in_(answer_ids))
            )
            answers = {row.id: row for row in connection.execute(asked)}
        if not wanted:
            return
        after = wanted[-1]
        for verdict in verdicts:
            if verdict.answer_id in answers:
                yield _to_row(verdict, answers[verdict.answer_id])


def _to_row(verdict: Verdict, row: sa.Row[Any]) -> dict[str, Any]:
    answer, assessment = Answer.model_validate_json(row.answer), verdict.assessment
    return {
        "verdict_id": verdict.id,
        "at": verdict.at.isoformat(),
        "reviewer": verdict.reviewer,
        "verdict": assessment.verdict,
        "comment": assessment.comment,
        "citations": {str(number): one for number, one in assessment.citations.items()},
        "passages": [
            {"document_id": one.document_id, "start": one.span.start, "end": one.span.end, "quote": one.quote}
            for one in assessment.passages
        ],
        "verdict_index_fingerprint": verdict.index_fingerprint,
        "answer_id": row.id,
        "asked_at": row.asked_at.isoformat(),
        "face": row.face,
        "language": row.language,
        "kind": row.kind,
        "reasons": [reason.name.lower() for reason in Reason if reason.name and reason in Reason(row.reasons or 0)],
        "rating": row.rating,
        "rating_reason": row.rating_reason,
        "rating_comment": row.rating_comment,
        "question": row.question,
        "answer": answer.text,
        "confidence": row.confidence,
        "answer_index_fingerprint": answer.provenance.index_fingerprint,
    }
