"""What one visitor may ask for: all that is kept of theirs, and that it be deleted. Each deletion is audited.

An audit entry says how many answers went, never what stood in them. Whatever stands on an answer refers to it with
ON DELETE CASCADE, and goes with it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.storage.answers import AnswerRecords
from bot.storage.audit import audit
from bot.storage.schema import ANSWERS

READER = "(reader)"  # the actor where a visitor deletes what is theirs


def visitor_data(records: AnswerRecords, visitor: str) -> dict[str, Any]:
    """Return all that is kept of a visitor, as JSON, in words that they understand.

    Args:
        records: What is kept.
        visitor: The hash of the secret that their browser holds.
    """
    return {
        "visitor": visitor,
        "answers": [
            {
                "id": one.id,
                "conversation": one.origin.conversation,
                "asked_at": one.asked_at.isoformat(),
                "history": [turn.model_dump() for turn in one.history],
                "answer": one.answer.model_dump(mode="json"),
                "how_it_was_found": one.trail,
                "rating": one.rating,
                "rating_reason": one.rating_reason,
                "rating_comment": one.rating_comment,
                "rated_at": one.rated_at and one.rated_at.isoformat(),
            }
            for one in records.of_visitor(visitor)
        ],
    }


def delete_visitor(engine: Engine, actor: str, visitor: str) -> int:
    """Delete all that is kept of a visitor; return how many answers that were."""
    return _delete(engine, actor, "visitor.delete", visitor, ANSWERS.c.visitor == visitor) if visitor else 0


def delete_conversation(engine: Engine, actor: str, answer_id: str) -> int:
    """Delete an answer and the conversation it belongs to; return how many answers that were."""
    with engine.connect() as connection:
        found = connection.execute(sa.select(ANSWERS).where(ANSWERS.c.id == answer_id)).one_or_none()
    if found is None:
        return 0
    if not found.conversation:
        return _delete(engine, actor, "answer.delete", answer_id, ANSWERS.c.id == answer_id)
    # Browsers name their conversations themselves: another visitor's may have the same name.
    theirs = (ANSWERS.c.conversation == found.conversation, ANSWERS.c.visitor == found.visitor)
    return _delete(engine, actor, "conversation.delete", found.conversation, *theirs)


def _delete(engine: Engine, actor: str, action: str, subject: str, *which: sa.ColumnElement[bool]) -> int:
    with engine.begin() as connection:
        count = connection.execute(ANSWERS.delete().where(*which)).rowcount
        if count:
            audit(connection, actor, action, subject, before={"answers": count})
    return count
