"""Answers that a person has approved: bound to their passages, withdrawn with a task for staff when those change."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from bot.answer.answer import Answer, Citation
from bot.answer.draft import to_citation
from bot.answer.errors import ApprovalError
from bot.stages.question.clean import clean_question, detect_language
from bot.storage.answer_changes import FindDocument, find_quote, nearest_passage, passage_hash
from bot.storage.answers import RecordedAnswer
from bot.storage.audit import audit
from bot.storage.schema import APPROVED, APPROVED_PASSAGES, TASKS
from index.document import Document, Span
from index.errors import DatabaseUnwritableError

logger = logging.getLogger(__name__)

BY_DOCUMENTS = "(documents)"  # who withdrew an answer whose passages changed; no account can have this name
WITHDRAWN = "approved_withdrawn"


@dataclass(frozen=True, slots=True)
class PassageChange:
    """A passage of an approved answer that is no longer in its document.

    Attributes:
        old: Its words.
        new: What in the document is most like them now; empty where nothing is, or the document is gone.
        is_gone: Whether the document is gone.
    """

    document_id: str
    title: str
    old: str
    new: str
    is_gone: bool


@dataclass(frozen=True, slots=True)
class StaffTask:
    """An approved answer was withdrawn because its passages changed: staff should look at it.

    Attributes:
        question: The one that the answer was approved for.
    """

    id: int
    approved_id: str
    question: str
    made_at: datetime
    changes: tuple[PassageChange, ...]


@dataclass(frozen=True, slots=True)
class Approved:
    """An answer that a person has approved.

    Attributes:
        question: The one it answers, standing alone.
        passages: By number of citation, the hash of its passage.
        withdrawn_by: Name of an account, or `BY_DOCUMENTS`; empty while the answer is shown.
    """

    id: str
    question: str
    language: str
    answer: Answer
    passages: Mapping[int, str]
    approved_by: str
    approved_at: datetime
    withdrawn_by: str
    withdrawn_at: datetime | None


def relocate(citation: Citation, expected: str, document: Document) -> Citation | None:
    """Return a citation with the place where its passage is now; None where it is no longer there.

    Args:
        citation: As it was approved.
        expected: Hash of the passage (`passage_hash`).
        document: As it is now.
    """
    found = (span for span in find_quote(citation, document) if passage_hash(document, span) == expected)
    span = next(found, None)
    return to_citation(document, span, citation.number) if span is not None else None


def open_tasks(engine: Engine) -> tuple[StaffTask, ...]:
    """Return the tasks that nobody has done, newest first."""
    columns = (TASKS, APPROVED.c.question)
    waiting = sa.select(*columns).join(APPROVED).where(TASKS.c.done_at.is_(None)).order_by(TASKS.c.id.desc())
    with engine.connect() as connection:
        return tuple(
            StaffTask(
                id=row.id,
                approved_id=row.approved_id,
                question=row.question,
                made_at=row.made_at,
                changes=tuple(PassageChange(**change) for change in json.loads(row.details)),
            )
            for row in connection.execute(waiting)
        )


def finish_task(engine: Engine, task_id: int, by: str) -> bool:
    """Note that a task is done; return False when it was already."""
    waiting = TASKS.update().where(TASKS.c.id == task_id, TASKS.c.done_at.is_(None))
    with engine.begin() as connection:
        if not connection.execute(waiting.values(done_at=datetime.now(UTC), done_by=by)).rowcount:
            return False
        audit(connection, by, "task.finish", str(task_id))
        return True


class ApprovedAnswers:
    """The table of approved answers.

    Args:
        engine: The database of the records, its tables made.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def approve(self, recorded: RecordedAnswer, by: str, find_document: FindDocument, question: str = "") -> Approved:
        """Approve a recorded answer for its question; an answer that is approved already stays as it is.

        Only answers can be approved: a refusal cites no passage, so no change of a document would withdraw it.

        Args:
            recorded: What was asked and answered.
            by: Name of the account.
            find_document: Returns the documents that the answer cites.
            question: The question it answers, where the reader's own words should not be kept.

        Raises:
            ApprovalError: It is no answer, or a passage has changed since it was given.
        """
        answer = recorded.answer
        if answer.kind != "answer":
            raise ApprovalError(
                "Only an answer with citations can be approved: nothing tells when a refusal is outdated."
            )
        hashes: dict[int, str] = {}
        for citation in answer.citations:
            document = find_document(citation.document_id)
            span = Span(citation.start, citation.end)
            if document is None or span.of(document.text) != citation.quote:
                raise ApprovalError(
                    f"The document {citation.title!r} has changed since this answer was given: "
                    "ask the question again and approve the new answer."
                )
            hashes[citation.number] = passage_hash(document, span)
        with self._engine.begin() as connection:
            known = sa.select(APPROVED).where(APPROVED.c.answer_id == recorded.id, APPROVED.c.withdrawn_at.is_(None))
            row = connection.execute(known).first()
            if row is None:
                question = clean_question(question) or answer.standalone_question
                row = self._insert(connection, recorded, question, by, hashes)
                audit(connection, by, "approved.approve", row.id, after={"answer": recorded.id})
            return _to_approved(row, hashes)

    @staticmethod
    def _insert(
        connection: Connection, recorded: RecordedAnswer, question: str, by: str, hashes: Mapping[int, str]
    ) -> Row[tuple[object, ...]]:
        approved_id = uuid4().hex
        connection.execute(
            APPROVED.insert().values(
                id=approved_id,
                answer_id=recorded.id,
                question=question,
                language=detect_language(question),
                answer=recorded.answer.model_dump_json(),
                approved_by=by,
                approved_at=datetime.now(UTC),
            )
        )
        rows = [
            {
                "approved_id": approved_id,
                "number": citation.number,
                "document_id": citation.document_id,
                "passage_hash": hashes[citation.number],
            }
            for citation in recorded.answer.citations
        ]
        connection.execute(APPROVED_PASSAGES.insert(), rows)
        return connection.execute(sa.select(APPROVED).where(APPROVED.c.id == approved_id)).one()

    def state(self) -> tuple[int, str]:
        """Return a value that changes whenever the answers that are shown do; cheaper than reading them."""
        query = sa.select(sa.func.count(), sa.func.max(APPROVED.c.approved_at)).where(APPROVED.c.withdrawn_at.is_(None))
        with self._engine.connect() as connection:
            count, latest = connection.execute(query).one()
        return count, str(latest)

    def shown(self) -> tuple[Approved, ...]:
        """Return the answers that are shown, newest first."""
        return self._select(APPROVED.c.withdrawn_at.is_(None))

    def all(self) -> tuple[Approved, ...]:
        """Return all answers that were ever approved, newest first."""
        return self._select()

    def find(self, approved_id: str) -> Approved | None:
        """Return an approved answer by its id, or None."""
        return next(iter(self._select(APPROVED.c.id == approved_id)), None)

    def of_answer(self, answer_id: str) -> Approved | None:
        """Return the approved answer that was made of a recorded one and is shown, or None."""
        return next(iter(self._select(APPROVED.c.answer_id == answer_id, APPROVED.c.withdrawn_at.is_(None))), None)

    def _select(self, *which: sa.ColumnElement[bool]) -> tuple[Approved, ...]:
        newest = sa.select(APPROVED).where(*which).order_by(APPROVED.c.approved_at.desc(), APPROVED.c.id)
        passages = sa.select(APPROVED_PASSAGES)
        if which:
            passages = passages.where(APPROVED_PASSAGES.c.approved_id.in_(sa.select(APPROVED.c.id).where(*which)))
        hashes: dict[str, dict[int, str]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(passages):
                hashes.setdefault(row.approved_id, {})[row.number] = row.passage_hash
            return tuple(_to_approved(row, hashes.get(row.id, {})) for row in connection.execute(newest))

    def relocated(self, approved: Approved, find_document: FindDocument) -> Answer | None:
        """Return the answer with its citations where their passages are now.

        Where a passage is no longer in its document, the answer is withdrawn, with a task for staff, and None is
        returned.
        """
        citations, changes = [], []
        for citation in approved.answer.citations:
            document = find_document(citation.document_id)
            expected = approved.passages.get(citation.number, "")
            found = relocate(citation, expected, document) if document is not None else None
            if found is not None:
                citations.append(found)
                continue
            near = nearest_passage(citation.quote, document) if document is not None else ""
            changes.append(PassageChange(citation.document_id, citation.title, citation.quote, near, document is None))
        if changes:
            try:
                self.withdraw(approved.id, BY_DOCUMENTS, changes)
            except DatabaseUnwritableError as error:  # the answer is not shown all the same
                logger.warning("an approved answer could not be withdrawn: %s", error)
            return None
        return approved.answer.model_copy(update={"citations": tuple(citations)})

    def withdraw(self, approved_id: str, by: str, changes: Sequence[PassageChange] = ()) -> bool:
        """Stop showing an approved answer; return False when it is withdrawn already.

        Args:
            approved_id: Which.
            by: Name of an account, or `BY_DOCUMENTS`.
            changes: What changed in the documents; makes a task for staff.
        """
        now = datetime.now(UTC)
        shown = APPROVED.update().where(APPROVED.c.id == approved_id, APPROVED.c.withdrawn_at.is_(None))
        with self._engine.begin() as connection:
            if not connection.execute(shown.values(withdrawn_at=now, withdrawn_by=by)).rowcount:
                return False
            after = {"shown": False, "changed": sorted({change.document_id for change in changes})}
            audit(connection, by, "approved.withdraw", approved_id, {"shown": True}, after)
            if changes:
                details = json.dumps([asdict(change) for change in changes], ensure_ascii=False)
                task = {"kind": WITHDRAWN, "approved_id": approved_id, "details": details, "made_at": now}
                connection.execute(TASKS.insert().values(**task))
        return True

    def check(self, find_document: FindDocument) -> int:
        """Withdraw every answer of which a passage has changed; return how many that were."""
        return sum(self.relocated(approved, find_document) is None for approved in self.shown())


def _to_approved(row: Row[tuple[object, ...]], passages: Mapping[int, str]) -> Approved:
    return Approved(
        id=row.id,
        question=row.question,
        language=row.language,
        answer=Answer.model_validate_json(row.answer),
        passages=passages,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
    )
