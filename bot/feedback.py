"""What readers said of the answers they got, kept for the staff who look after the documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import DateTime, String, Text, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bot.answer import Answer
from index.database import alone, open_engine

Verdict = Literal["up", "down"]
Reason = Literal["wrong", "incomplete", "unsupported"]

MAXIMUM_COMMENT_CHARACTERS = 1_000
MAXIMUM_ANSWER_CHARACTERS = 100_000


class _Tables(DeclarativeBase):
    pass


class FeedbackEntry(_Tables):
    """One reader's verdict on one answer, with the answer as the reader's browser showed it.

    Readers are anonymous and so is the report: treat the answer in it as reported, and compare it with what the
    index says before acting on it.
    """

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    answer_id: Mapped[str] = mapped_column(String(64), index=True)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(String(16))
    comment: Mapped[str] = mapped_column(Text)


class FeedbackStore:
    """The table of feedback.

    Args:
        database_url: SQLAlchemy URL; the folder of an SQLite file is made when it is missing.
    """

    def __init__(self, database_url: str) -> None:
        self._engine = open_engine(database_url)
        if not inspect(self._engine).has_table(FeedbackEntry.__tablename__):
            with alone(self._engine) as connection:
                _Tables.metadata.create_all(connection)

    def record(
        self, answer: Answer, verdict: Verdict, *, reason: Reason | None = None, comment: str = ""
    ) -> FeedbackEntry:
        """Keep a verdict. The comment is cut to its limit.

        Raises:
            ValueError: The answer is larger than any answer we write.
        """
        as_json = json.dumps(answer.model_dump(mode="json"), ensure_ascii=True)
        if len(as_json) > MAXIMUM_ANSWER_CHARACTERS:
            raise ValueError(f"an answer of {len(as_json)} characters is too large to be kept")
        entry = FeedbackEntry(
            created_at=datetime.now(UTC),
            answer_id=answer.id[:64],
            question=answer.question,
            answer=as_json,
            verdict=verdict,
            reason=reason,
            comment=comment[:MAXIMUM_COMMENT_CHARACTERS],
        )
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            session.add(entry)
        return entry

    def entries(self, limit: int = 1_000) -> tuple[FeedbackEntry, ...]:
        """Return the latest verdicts, newest first."""
        newest = select(FeedbackEntry).order_by(FeedbackEntry.id.desc()).limit(limit)
        with Session(self._engine, expire_on_commit=False) as session:
            return tuple(session.scalars(newest))

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()
