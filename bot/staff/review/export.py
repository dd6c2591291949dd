"""Verdicts with the answers they are about, as rows for a spreadsheet or a program."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any, TextIO

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.answer.answer import Answer
from bot.staff.review.verdicts import Verdict, read_verdicts
from bot.storage.review_items import Reason
from bot.storage.schema import ANSWERS, REVIEW_ITEMS, VERDICTS

_AT_ONCE = 200
# A spreadsheet takes a cell that begins so for a formula (CWE-1236).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = dict[str, Any]


def export_rows(engine: Engine) -> Iterator[Row]:
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


def write_rows(rows: Iterator[Row], export_format: str, target: TextIO) -> int:
    """Write rows as `csv` or `jsonl` and return how many there were."""
    return (_write_csv if export_format == "csv" else _write_json_lines)(rows, target)


def _to_row(verdict: Verdict, row: sa.Row[Any]) -> Row:
    answer, judgement = Answer.model_validate_json(row.answer), verdict.judgement
    return {
        "verdict_id": verdict.id,
        "at": verdict.at.isoformat(),
        "reviewer": verdict.reviewer,
        "verdict": judgement.verdict,
        "comment": judgement.comment,
        "citations": {str(number): one for number, one in judgement.citations.items()},
        "passages": [
            {"document_id": one.document_id, "start": one.span.start, "end": one.span.end, "quote": one.quote}
            for one in judgement.passages
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


def _write_csv(rows: Iterator[Row], target: TextIO) -> int:
    count = 0
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(target, list(row))
            writer.writeheader()
        writer.writerow({name: _cell(value) for name, value in row.items()})
        count += 1
    return count


def _write_json_lines(rows: Iterator[Row], target: TextIO) -> int:
    count = 0
    for row in rows:
        target.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def _cell(value: object) -> object:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
