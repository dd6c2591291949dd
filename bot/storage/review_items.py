"""Why an answer deserves a look, and how soon.

Search over what was asked and answered: FTS5 on SQLite, a tsvector on PostgreSQL, the words cut as everywhere.

One item an answer: why and how soon it should be looked at, kept beside it in columns that are quick to search.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from enum import IntFlag
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.engine import Connection, Engine

from bot.answer.answer import Answer
from bot.storage.schema import ANSWERS, REVIEW_ITEMS
from index.document import MarkKind
from index.store.database import exclusive_transaction
from index.store.schema import DOCUMENTS
from index.text.words import search_keys, simplify

LOW_CONFIDENCE = 0.6
# A refusal is close to the threshold when it missed it by no more than this.
CLOSE = 0.15


class Reason(IntFlag):
    """Reasons, kept as one number: an answer has any of them. Their values are in databases and never change."""

    DOWN = 1  # its reader says that it is not good
    DISPUTED = 2  # those who checked it do not agree
    LOW_CONFIDENCE = 4
    DROPPED = 8  # something was drafted that its sources do not say
    CLOSE_REFUSAL = 16
    DISAGREEMENT = 32  # sources say otherwise than each other
    PLANTED = 64  # a cited document addresses a machine
    SAMPLE = 128  # drawn at random, whatever it is


ALL_REASONS = tuple(Reason)

# What a single reason is worth: several add up. The sample stands high, so that it is checked whole and in time;
# answers that other reasons bring forward would otherwise be all that is ever known of it.
_WEIGHTS = {
    Reason.DISPUTED: 50,
    Reason.DOWN: 40,
    Reason.SAMPLE: 30,
    Reason.DROPPED: 20,
    Reason.PLANTED: 20,
    Reason.DISAGREEMENT: 15,
    Reason.LOW_CONFIDENCE: 15,
    Reason.CLOSE_REFUSAL: 10,
}


def reasons_for(answer: Answer, trail: Mapping[str, Any], *, planted: bool, draw: float, sample: float) -> Reason:
    """Return why an answer deserves a look when it is put on record.

    Args:
        answer: As it was given.
        trail: Its way through the chatbot (`Trace.to_json`); empty where it is not known.
        planted: Whether a document that it cites is marked for planted instructions.
        draw: Uniform in [0, 1).
        sample: The share of answers that is drawn.
    """
    threshold = trail.get("threshold", 1.0)
    close = answer.kind == "refusal" and answer.confidence > 0 and threshold - CLOSE <= answer.confidence < threshold
    found = {
        Reason.LOW_CONFIDENCE: answer.kind == "answer" and answer.confidence < LOW_CONFIDENCE,
        Reason.DROPPED: bool(trail.get("dropped")),
        Reason.CLOSE_REFUSAL: close,
        Reason.DISAGREEMENT: trail.get("disagreements", 0) > 0,
        Reason.PLANTED: planted,
        Reason.SAMPLE: draw < sample,
    }
    return Reason(sum(reason for reason, holds in found.items() if holds))


def priority_of(reasons: Reason) -> int:
    """Return how soon an answer should be looked at; 0 when nothing speaks for it."""
    return sum(weight for reason, weight in _WEIGHTS.items() if reason in reasons)


# FTS5 is asked through a column that has the name of the table.
_WORDS = sa.table("review_words", *(sa.column(name) for name in ("rowid", "number", "words", "review_words")))


def add_words(connection: Connection, number: int, answer: Answer) -> None:
    """Make an answer findable by its words.

    Args:
        connection: An open transaction.
        number: Of its item.
        answer: Whose words.
    """
    texts = (answer.question, answer.standalone_question, *(one.text for one in answer.statements))
    keys = sorted({key for text in texts for key in search_keys(text)})
    if connection.dialect.name == "sqlite":
        connection.execute(_WORDS.insert().values(rowid=number, words=" ".join(map(_spell, keys))))
    else:
        lexemes = sa.func.array_to_tsvector(sa.cast(keys, ARRAY(sa.Text)))
        connection.execute(_WORDS.insert().values(number=number, words=lexemes))


def holds_words(dialect: str, asked: str) -> sa.ColumnElement[bool] | None:
    """Return the condition that an item holds all words of a search; None where it has no words.

    A single ideograph finds the words that begin with it.
    """
    keys = list(dict.fromkeys(search_keys(asked)))
    if not keys:
        return None
    if dialect == "sqlite":
        asked_of_sqlite = " ".join(f'"{_spell(key)}"' + ("*" if _is_lone(key) else "") for key in keys)
        found = sa.select(_WORDS.c.rowid).where(_WORDS.c.review_words.op("MATCH")(asked_of_sqlite))
    else:
        lexemes = " & ".join(f"'{_quoted(key)}'" + (":*" if _is_lone(key) else "") for key in keys)
        found = sa.select(_WORDS.c.number).where(_WORDS.c.words.op("@@")(sa.cast(lexemes, TSQUERY)))
    return REVIEW_ITEMS.c.number.in_(found)


def forget_words(connection: Connection) -> None:
    """Leave nothing of the words of deleted answers in SQLite's file; on PostgreSQL they go with the rows."""
    if connection.dialect.name == "sqlite":
        connection.execute(_WORDS.insert().values(review_words="optimize"))


def _is_lone(key: str) -> bool:
    return len(key) == 1 and not key.isascii() and simplify(key) == key and not key.isdigit()


def _spell(key: str) -> str:
    """Return a key in characters that FTS5's ascii tokenizer keeps together."""
    return "".join(character if character.isalnum() or not character.isascii() else "_" for character in key)


def _quoted(key: str) -> str:
    return key.replace("\\", "\\\\").replace("'", "''")


_AT_ONCE = 500


def add_item(
    connection: Connection,
    answer_id: str,
    answer: Answer,
    trail: Mapping[str, Any],
    *,
    asked_at: datetime,
    language: str,
    rating: str,
    draw: float,
    sample: float,
) -> None:
    """Put an answer before those who check, in the transaction that records it.

    Args:
        connection: The open transaction.
        answer_id: By which it is on record.
        answer: As it was given.
        trail: Its way through the chatbot; empty where it is not known.
        asked_at: When.
        language: Of the question.
        rating: What its reader said of it.
        draw: Uniform in [0, 1).
        sample: The share of answers that is drawn at random.
    """
    planted = _any_planted(connection, {citation.document_id for citation in answer.citations})
    reasons = reasons_for(answer, trail, planted=planted, draw=draw, sample=sample)
    if rating == "down":
        reasons |= Reason.DOWN
    inserted = connection.execute(
        REVIEW_ITEMS.insert().values(
            answer_id=answer_id,
            asked_at=asked_at,
            kind=answer.kind,
            language=language,
            rating=rating,
            reasons=int(reasons),
            priority=priority_of(reasons),
            state="open",
            assignee="",
        )
    ).inserted_primary_key
    assert inserted is not None
    add_words(connection, inserted[0], answer)


def rate_item(connection: Connection, answer_id: str, rating: str) -> None:
    """Have an item follow what its reader says of the answer."""
    change_reasons(connection, answer_id, Reason.DOWN, present=rating == "down", rating=rating)


def change_reasons(
    connection: Connection, answer_id: str, reason: Reason, *, present: bool, **values: str | None
) -> None:
    """Add or remove a reason of an item, and set other columns with it."""
    this = REVIEW_ITEMS.c.answer_id == answer_id
    found = connection.scalar(sa.select(REVIEW_ITEMS.c.reasons).where(this).with_for_update())
    if found is None:
        return
    reasons = Reason(found) | reason if present else Reason(found) & ~reason
    connection.execute(
        REVIEW_ITEMS.update().where(this).values(reasons=int(reasons), priority=priority_of(reasons), **values)
    )


def fill_items(engine: Engine, sample: float) -> None:
    """Make the items of answers that have none: those recorded before there were items."""
    missing = (
        sa.select(ANSWERS)
        .outerjoin(REVIEW_ITEMS, REVIEW_ITEMS.c.answer_id == ANSWERS.c.id)
        .where(REVIEW_ITEMS.c.answer_id.is_(None))
        .limit(_AT_ONCE)
    )
    with engine.connect() as connection:
        if connection.execute(missing.limit(1)).first() is None:
            return
    with exclusive_transaction(engine) as connection:  # one process at a time, so that none is made twice
        while rows := connection.execute(missing).all():
            for row in rows:
                add_item(
                    connection,
                    row.id,
                    Answer.model_validate_json(row.answer),
                    json.loads(row.trail),
                    asked_at=row.asked_at,
                    language=row.language,
                    rating=row.rating,
                    draw=row.draw,
                    sample=sample,
                )


def _any_planted(connection: Connection, document_ids: Collection[str]) -> bool:
    # Where nothing has been indexed yet, the tables of the index may not be there.
    if not document_ids or not sa.inspect(connection).has_table(DOCUMENTS.name):
        return False
    marks = sa.select(DOCUMENTS.c.marks).where(DOCUMENTS.c.live, DOCUMENTS.c.document_id.in_(document_ids))
    planted = MarkKind.PLANTED_INSTRUCTION.value
    return any(mark[0] == planted for found in connection.scalars(marks) for mark in found or ())
