"""Answers that their readers made a link to: each under an address that nobody can guess, until it is taken back.

A link goes with its answer, when a reader deletes the conversation or when it has been kept long enough.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.answer.answer import Answer
from bot.storage.answers import AnswerRecords
from bot.storage.schema import ANSWERS, SHARED

_TOKEN_BYTES = 18


@dataclass(frozen=True, slots=True)
class SharedAnswer:
    """An answer behind a link.

    Attributes:
        visitor: Whose it is.
    """

    answer: Answer
    asked_at: datetime
    visitor: str


class SharedAnswers:
    """The table of links.

    Args:
        records: The answers.
    """

    def __init__(self, records: AnswerRecords) -> None:
        self._engine = records.engine

    def share(self, answer_id: str, visitor: str) -> str | None:
        """Return the link to an answer, the same every time; None unless it was given to this visitor."""
        if not visitor:
            return None
        theirs = sa.select(ANSWERS.c.id).where(ANSWERS.c.id == answer_id, ANSWERS.c.visitor == visitor)
        known = sa.select(SHARED.c.token).where(SHARED.c.answer_id == answer_id)
        with self._engine.begin() as connection:
            if connection.scalar(theirs) is None:
                return None
            token: str | None = connection.scalar(known)
            if token is None:
                token = secrets.token_urlsafe(_TOKEN_BYTES)
                connection.execute(SHARED.insert().values(token=token, answer_id=answer_id))
        return token

    def find(self, token: str) -> SharedAnswer | None:
        """Return the answer behind a link, or None."""
        columns = (ANSWERS.c.answer, ANSWERS.c.asked_at, ANSWERS.c.visitor)
        behind = sa.select(*columns).join(SHARED, SHARED.c.answer_id == ANSWERS.c.id).where(SHARED.c.token == token)
        with self._engine.connect() as connection:
            row = connection.execute(behind).one_or_none()
        return SharedAnswer(Answer.model_validate_json(row.answer), row.asked_at, row.visitor) if row else None

    def take_back(self, token: str, visitor: str) -> bool:
        """Make a link lead nowhere, if it is this visitor's; return whether it was."""
        theirs = sa.select(ANSWERS.c.id).where(ANSWERS.c.visitor == visitor)
        which = (SHARED.c.token == token, SHARED.c.answer_id.in_(theirs))
        with self._engine.begin() as connection:
            return bool(visitor) and connection.execute(SHARED.delete().where(*which)).rowcount > 0
