"""Answers on record: kept when they are given, rated by their readers, handed over and deleted on request or by age."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row
from sqlalchemy.exc import SQLAlchemyError

from bot.answer.answer import Answer
from bot.answer.conversation import Turn
from bot.answer.events import Finished
from bot.answer.trace import Trace
from bot.settings import Settings
from bot.stages.question.clean import detect_language
from bot.storage.audit import audit
from bot.storage.review_items import add_item, fill_items, forget_words, rate_item
from bot.storage.schema import ANSWERS, APPROVED, CITED, RECORDS
from index.document import hash_text
from index.errors import DatabaseUnwritableError, FootnoteError
from index.store.database import open_engine

logger = logging.getLogger(__name__)

Rating = Literal["up", "down"]
RatingReason = Literal["wrong", "incomplete", "unsupported"]
Face = Literal["page", "api", "mcp", "reported"]

MAXIMUM_COMMENT_CHARACTERS = 1_000
_MAXIMUM_ANSWER_CHARACTERS = 200_000
DEFAULT_SAMPLE = 0.02
READER = "(reader)"  # the actor in the audit where visitors delete their own data
_EVERY_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a question came from.

    Attributes:
        face: The interface that was used; `reported` marks an answer known only from its reader's browser.
        conversation: Id of the conversation, made by the reader's browser; empty where there is none.
        visitor: Hash of the secret in the reader's browser; empty where there is none.
    """

    face: Face
    conversation: str = ""
    visitor: str = ""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """One answer as it was given.

    Attributes:
        history: The turns before it, oldest first.
        trail: Its way through the chatbot as JSON (`Trace.to_json`); empty where it is not known.
        draw: Uniform in [0, 1), drawn when it was recorded: the answers below a share are a random sample.
        rating: By its reader; empty when there is none.
    """

    id: str
    origin: Origin
    asked_at: datetime
    language: str
    answer: Answer
    history: tuple[Turn, ...]
    trail: dict[str, Any]
    draw: float
    rating: Rating | Literal[""]
    rating_reason: RatingReason | Literal[""]
    rating_comment: str
    rated_at: datetime | None


class AnswerRecords:
    """The table of answers.

    Args:
        database_url: SQLAlchemy URL; the tables are made or upgraded when it is opened, if it can be written.
        sample: The share of answers that is drawn at random for staff to check.
    """

    def __init__(self, database_url: str, sample: float = DEFAULT_SAMPLE) -> None:
        self.engine = open_engine(database_url)
        self._sample = sample
        try:
            RECORDS.upgrade(self.engine)
            fill_items(self.engine, sample)
        except DatabaseUnwritableError as error:  # readers are answered all the same
            logger.warning("answers cannot be put on record: %s", error)

    def record(self, answer: Answer, origin: Origin, history: Sequence[Turn] = (), trace: Trace | None = None) -> None:
        """Record an answer; an id that is on record already stays as it is.

        Raises:
            ValueError: The answer is too large.
        """
        with self.engine.begin() as connection:
            self.record_in(connection, answer, origin, history, trace)

    def record_in(
        self,
        connection: Connection,
        answer: Answer,
        origin: Origin,
        history: Sequence[Turn] = (),
        trace: Trace | None = None,
    ) -> None:
        """Record an answer in a transaction that is open; see `record`."""
        as_json = answer.model_dump_json()
        if len(as_json) > _MAXIMUM_ANSWER_CHARACTERS:
            raise ValueError(f"an answer of {len(as_json)} characters is too large to be kept")
        answer_id = answer.id[:64]
        if connection.scalar(sa.select(ANSWERS.c.id).where(ANSWERS.c.id == answer_id)) is not None:
            return
        kept: dict[str, Any] = {
            "id": answer_id,
            "asked_at": datetime.now(UTC),
            "language": detect_language(answer.question),
            "draw": random.random(),  # noqa: S311  # a sample, no secret
            "rating": "",
        }
        stages = trace.to_json() if trace else {}
        connection.execute(
            ANSWERS.insert().values(
                **kept,
                conversation=origin.conversation[:64],
                visitor=origin.visitor,
                face=origin.face,
                question=answer.question,
                kind=answer.kind,
                reason=answer.refusal.reason if answer.refusal else "",
                confidence=answer.confidence,
                answer=as_json,
                history=json.dumps([turn.model_dump() for turn in history], ensure_ascii=False),
                trail=json.dumps(stages, ensure_ascii=False),
            )
        )
        cited = [
            {
                "answer_id": answer_id,
                "number": citation.number,
                "document_id": citation.document_id,
                "start": citation.start,
                "end": citation.end,
                "quote_hash": hash_text(citation.quote),
            }
            for citation in answer.citations
        ]
        if cited:
            connection.execute(CITED.insert(), cited)
        add_item(connection, kept, answer, stages, self._sample)

    def rate(
        self, answer: Answer, visitor: str, rating: Rating, *, reason: RatingReason | None = None, comment: str = ""
    ) -> None:
        """Keep a reader's rating of an answer, with a comment that is cut to its limit.

        Only the visitor who got an answer can rate it. One that is not on record is recorded as the browser reports it.
        A later rating replaces an earlier one; the same rating without a reason or a comment keeps those that were
        given, so that a rating and its reason may arrive in either order.

        Raises:
            ValueError: The answer is too large.
        """
        said = {
            "rating": rating,
            "rating_reason": reason or "",
            "rating_comment": comment[:MAXIMUM_COMMENT_CHARACTERS],
            "rated_at": datetime.now(UTC),
        }
        if not (reason or comment):
            said |= {
                name: sa.case((ANSWERS.c.rating == rating, ANSWERS.c[name]), else_="")
                for name in ("rating_reason", "rating_comment")
            }
        theirs = ANSWERS.update().where(ANSWERS.c.id == answer.id[:64], ANSWERS.c.visitor == visitor)
        with self.engine.begin() as connection:
            if not connection.execute(theirs.values(said)).rowcount:
                self.record_in(connection, answer, Origin("reported", visitor=visitor))
                if not connection.execute(theirs.values(said)).rowcount:
                    return  # on record for another visitor
            rate_item(connection, answer.id[:64], rating)

    def find(self, answer_id: str) -> RecordedAnswer | None:
        """Return an answer by its id, or None."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(ANSWERS).where(ANSWERS.c.id == answer_id)).one_or_none()
        return _to_recorded(row) if row is not None else None

    def latest(self, limit: int = 1_000) -> tuple[RecordedAnswer, ...]:
        """Return the latest answers, newest first."""
        newest = sa.select(ANSWERS).order_by(ANSWERS.c.asked_at.desc(), ANSWERS.c.id).limit(limit)
        with self.engine.connect() as connection:
            return tuple(_to_recorded(row) for row in connection.execute(newest))

    def of_visitor(self, visitor: str) -> tuple[RecordedAnswer, ...]:
        """Return all answers to one visitor, oldest first."""
        theirs = sa.select(ANSWERS).where(ANSWERS.c.visitor == visitor).order_by(ANSWERS.c.asked_at, ANSWERS.c.id)
        with self.engine.connect() as connection:
            return tuple(_to_recorded(row) for row in connection.execute(theirs)) if visitor else ()

    def delete_conversation(self, conversation: str, visitor: str) -> int:
        """Delete a conversation at its visitor's request, with what was approved of it; return how many it had."""
        theirs = (ANSWERS.c.conversation == conversation, ANSWERS.c.visitor == visitor)
        with self.engine.begin() as connection:
            ids = sa.select(ANSWERS.c.id).where(*theirs)
            connection.execute(APPROVED.delete().where(APPROVED.c.answer_id.in_(ids)))
            return _delete(connection, *theirs)

    def delete_older_than(self, days: float) -> int:
        """Delete the answers that are older, and the indexed words of deleted ones; return their number."""
        with self.engine.begin() as connection:
            deleted = _delete(connection, ANSWERS.c.asked_at < datetime.now(UTC) - timedelta(days=days))
        with self.engine.begin() as connection:
            forget_words(connection)
        return deleted

    def close(self) -> None:
        """Release the database."""
        self.engine.dispose()


def visitor_data(records: AnswerRecords, visitor: str) -> dict[str, Any]:
    """Return all that is kept of a visitor, as JSON with keys that they understand.

    Args:
        records: The answers.
        visitor: Hash of the secret in their browser.
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
    """Delete all that is kept of a visitor, with an entry in the audit; return how many answers that were."""
    return _delete_audited(engine, actor, "visitor.delete", visitor, ANSWERS.c.visitor == visitor) if visitor else 0


def delete_with_conversation(engine: Engine, actor: str, answer_id: str) -> int:
    """Delete an answer and its conversation, with an entry in the audit; return how many answers that were."""
    with engine.connect() as connection:
        found = connection.execute(sa.select(ANSWERS).where(ANSWERS.c.id == answer_id)).one_or_none()
    if found is None:
        return 0
    if not found.conversation:
        return _delete_audited(engine, actor, "answer.delete", answer_id, ANSWERS.c.id == answer_id)
    # Browsers make the ids of their conversations: another visitor's may have the same.
    theirs = (ANSWERS.c.conversation == found.conversation, ANSWERS.c.visitor == found.visitor)
    return _delete_audited(engine, actor, "conversation.delete", found.conversation, *theirs)


def _delete_audited(engine: Engine, actor: str, action: str, subject: str, *which: sa.ColumnElement[bool]) -> int:
    with engine.begin() as connection:
        if count := _delete(connection, *which):
            audit(connection, actor, action, subject, before={"answers": count})
    return count


def _delete(connection: Connection, *which: sa.ColumnElement[bool]) -> int:
    # Rows of other tables refer to an answer with ON DELETE CASCADE and are deleted with it.
    return connection.execute(ANSWERS.delete().where(*which)).rowcount


def _to_recorded(row: Row[Any]) -> RecordedAnswer:
    return RecordedAnswer(
        id=row.id,
        origin=Origin(row.face, row.conversation, row.visitor),
        asked_at=row.asked_at,
        language=row.language,
        answer=Answer.model_validate_json(row.answer),
        history=tuple(Turn.model_validate(turn) for turn in json.loads(row.history)),
        trail=json.loads(row.trail),
        draw=row.draw,
        rating=row.rating,
        rating_reason=row.rating_reason,
        rating_comment=row.rating_comment,
        rated_at=row.rated_at,
    )


def keep(
    records: AnswerRecords, settings: Settings, finished: Finished, origin: Origin, history: Sequence[Turn] = ()
) -> None:
    """Record an answer where the settings say so; a failure is logged, for the reader is answered all the same."""
    if not settings.keep_answers:
        return
    try:
        records.record(finished.answer, origin, history, finished.trace)
    except (FootnoteError, SQLAlchemyError) as error:
        logger.warning("an answer could not be put on record: %s", type(error).__name__)


class Retention:
    """A thread that deletes old answers: at once, then every hour.

    Args:
        records: The answers.
        days: How long they are kept.
    """

    def __init__(self, records: AnswerRecords, days: float) -> None:
        self._records = records
        self._days = days
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                self._records.delete_older_than(self._days)
            except (FootnoteError, SQLAlchemyError) as error:
                logger.warning("old answers could not be deleted now: %s", str(error).splitlines()[0])
            if self._closed.wait(_EVERY_SECONDS):
                return

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join()
