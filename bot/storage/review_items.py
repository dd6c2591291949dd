"""One review item an answer: why it should be checked and how soon, in columns that are quick to filter and search.

Words are searched by FTS5 on SQLite and by a tsvector on PostgreSQL, in the forms that the index uses everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
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

_LOW_CONFIDENCE = 0.6
# A refusal is close to the threshold when its confidence is at most this much below.
_CLOSE = 0.15
_AT_ONCE = 500


class Reason(IntFlag):
    """Why an answer should be checked, as bits of one number. The values are in databases and never change."""

    DOWN = 1  # its reader rated it down
    DISPUTED = 2  # the reviewers disagree
    LOW_CONFIDENCE = 4
    DROPPED = 8  # a drafted statement was not supported by its sources
    CLOSE_REFUSAL = 16
    DISAGREEMENT = 32  # sources contradict each other
    PLANTED = 64  # a cited document holds instructions for a machine
    SAMPLE = 128  # drawn at random


ALL_REASONS = tuple(Reason)

# The priority of an answer is the sum over its reasons. The sample ranks high so that all of it is checked: otherwise
# only its answers with other reasons would be.
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


def _priority_of(reasons: Reason) -> int:
    """Return how soon an answer should be checked; 0 when there is no reason to."""
    return sum(weight for reason, weight in _WEIGHTS.items() if reason in reasons)


# FTS5 is queried through a column that has the name of the table.
_WORDS = sa.table("review_words", *(sa.column(name) for name in ("rowid", "number", "words", "review_words")))


def _add_words(connection: Connection, number: int, answer: Answer) -> None:
    """Index the words of an answer under the number of its item."""
    texts = (answer.question, answer.standalone_question, *(one.text for one in answer.statements))
    keys = sorted({key for text in texts for key in search_keys(text)})
    if connection.dialect.name == "sqlite":
        connection.execute(_WORDS.insert().values(rowid=number, words=" ".join(map(_spell, keys))))
    else:
        lexemes = sa.func.array_to_tsvector(sa.cast(keys, ARRAY(sa.Text)))
        connection.execute(_WORDS.insert().values(number=number, words=lexemes))


def holds_words(dialect: str, asked: str) -> sa.ColumnElement[bool] | None:
    """Return the condition that an item holds all words of a search; None where the search has no words.

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
    """Remove the words of deleted answers from SQLite's file; PostgreSQL removes them with the rows."""
    if connection.dialect.name == "sqlite":
        connection.execute(_WORDS.insert().values(review_words="optimize"))


def _is_lone(key: str) -> bool:
    return len(key) == 1 and not key.isascii() and simplify(key) == key and not key.isdigit()


def _spell(key: str) -> str:
    """Return a key in characters that FTS5's ascii tokenizer keeps together."""
    return "".join(character if character.isalnum() or not character.isascii() else "_" for character in key)


def _quoted(key: str) -> str:
    return key.replace("\\", "\\\\").replace("'", "''")


def add_item(
    connection: Connection, recorded: Mapping[str, Any], answer: Answer, trail: Mapping[str, Any], sample: float
) -> None:
    """Add the review item of an answer, in the transaction that records it.

    Args:
        connection: The open transaction.
        recorded: Values of the columns of its row in `answers`.
        answer: As it was given.
        trail: Its way through the chatbot (`Trace.to_json`); empty where it is not known.
        sample: The share of answers that is drawn at random.
    """
    threshold, confidence = trail.get("threshold", 1.0), answer.confidence
    is_close = confidence > 0 and threshold - _CLOSE <= confidence < threshold
    found = {
        Reason.DOWN: recorded["rating"] == "down",
        Reason.LOW_CONFIDENCE: answer.kind == "answer" and confidence < _LOW_CONFIDENCE,
        Reason.DROPPED: bool(trail.get("dropped")),
        Reason.CLOSE_REFUSAL: answer.kind == "refusal" and is_close,
        Reason.DISAGREEMENT: trail.get("disagreements", 0) > 0,
        Reason.PLANTED: _any_planted(connection, {citation.document_id for citation in answer.citations}),
        Reason.SAMPLE: recorded["draw"] < sample,
    }
    reasons = Reason(sum(reason for reason, holds in found.items() if holds))
    inserted = connection.execute(
        REVIEW_ITEMS.insert().values(
            answer_id=recorded["id"],
            asked_at=recorded["asked_at"],
            kind=answer.kind,
            language=recorded["language"],
            rating=recorded["rating"],
            reasons=int(reasons),
            priority=_priority_of(reasons),
            state="open",
            assignee="",
        )
    ).inserted_primary_key
    assert inserted is not None
    _add_words(connection, inserted[0], answer)


def rate_item(connection: Connection, answer_id: str, rating: str) -> None:
    """Update an item when its reader rates the answer."""
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
        REVIEW_ITEMS.update().where(this).values(reasons=int(reasons), priority=_priority_of(reasons), **values)
    )


def fill_items(engine: Engine, sample: float) -> None:
    """Make the items of answers that were recorded before there were items."""
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
                    connection, row._asdict(), Answer.model_validate_json(row.answer), json.loads(row.trail), sample
                )


def _any_planted(connection: Connection, document_ids: Collection[str]) -> bool:
    # Where nothing has been indexed yet, the tables of the index may not be there.
    if not document_ids or not sa.inspect(connection).has_table(DOCUMENTS.name):
        return False
    marks = sa.select(DOCUMENTS.c.marks).where(DOCUMENTS.c.live, DOCUMENTS.c.document_id.in_(document_ids))
    planted = MarkKind.PLANTED_INSTRUCTION.value
    return any(mark[0] == planted for found in connection.scalars(marks) for mark in found or ())
