"""Verdicts of reviewers on an answer and its citations. They are only added; the latest of each reviewer counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bot.answer.answer import Answer
from bot.answer.errors import NewerVerdictError, ReviewError
from bot.staff.review.queue import held_by_another, is_free
from bot.storage.audit import audit
from bot.storage.review_items import Reason, change_reasons
from bot.storage.schema import ANSWERS, CITATION_VERDICTS, REVIEW_ITEMS, RIGHT_PASSAGES, VERDICTS
from index.document import Document, Span, hash_text

CitationVerdict = Literal["supports", "partly", "does_not", "wrong_place"]
AnswerVerdict = Literal["right", "incomplete", "wrong", "should_have_refused", "should_have_answered"]
CITATION_VERDICTS_IN_ORDER: tuple[CitationVerdict, ...] = get_args(CitationVerdict)

LONGEST = 4_000
LONGEST_COMMENT = 4_000
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class PickedPassage:
    """A place in a document that a person picked, and the words that were there then."""

    document_id: str
    span: Span
    quote: str


def pick(document: Document, span: Span) -> PickedPassage:
    """Return the passage at a place, without the white space around it.

    Raises:
        ReviewError: There are no words at the place, or more than `LONGEST` characters.
    """
    words = span.of(document.text)
    quote = words.strip()
    if not quote:
        raise ReviewError("Nothing was picked: select the words in the document that answer the question.")
    if len(quote) > LONGEST:
        raise ReviewError(f"A passage of {len(quote)} characters shows no one where to look: pick up to {LONGEST}.")
    start = span.start + words.index(quote)
    return PickedPassage(document.document_id, Span(start, start + len(quote)), quote)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a reviewer says of an answer.

    Attributes:
        citations: By the number of the citation; those that were not checked are left out.
        passages: Where the answer stands, picked in the documents.
    """

    verdict: AnswerVerdict
    citations: Mapping[int, CitationVerdict] = field(default_factory=dict)
    passages: tuple[PickedPassage, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An assessment on record.

    Attributes:
        index_fingerprint: State of the index when it was given.
    """

    id: int
    answer_id: str
    reviewer: str
    at: datetime
    assessment: Assessment
    index_fingerprint: str


def verdicts_for(kind: str) -> tuple[AnswerVerdict, ...]:
    """Return the verdicts that an answer of a kind can get."""
    if kind == "answer":
        return ("right", "incomplete", "wrong", "should_have_refused")
    return ("right", "should_have_answered", "wrong")


def record_verdict(
    engine: Engine,
    answer: Answer,
    assessment: Assessment,
    reviewer: str,
    index_fingerprint: str,
    *,
    shown: int | None = None,
) -> int:
    """Record a verdict and return its id; the item counts as judged then, unless the reviewers disagree.

    A repetition of the last verdict on the answer, by the same reviewer at the same index, is not recorded again.

    Args:
        engine: The database.
        answer: The answer.
        assessment: What the reviewer says of it.
        reviewer: Their account.
        index_fingerprint: The state of the index now.
        shown: The id of the reviewer's own last verdict that the page showed, 0 for none; not checked when None.

    Raises:
        NewerVerdictError: The reviewer gave another verdict meanwhile.
        ReviewError: It does not suit the answer, somebody else works on the answer, or it is gone.
    """
    _check(answer, assessment)
    now = datetime.now(UTC)
    this = REVIEW_ITEMS.c.answer_id == answer.id
    with engine.begin() as connection:
        closed = REVIEW_ITEMS.update().where(this, is_free(reviewer, now))
        if not connection.execute(closed.values(state="judged", assignee="", taken_until=None)).rowcount:
            raise held_by_another(connection, answer.id)
        # The update above locks the row: a second press of the button waits, and then finds the verdict of the first.
        before = read_verdicts(connection, VERDICTS.c.answer_id == answer.id)
        said = (reviewer, assessment, index_fingerprint)
        repeated = bool(before) and (before[-1].reviewer, before[-1].assessment, before[-1].index_fingerprint) == said
        if repeated:
            verdict_id = before[-1].id
        else:
            mine = next((one.id for one in reversed(before) if one.reviewer == reviewer), 0)
            if shown is not None and shown != mine:
                raise NewerVerdictError(
                    "You have saved another verdict on this answer since this page was opened, in another window "
                    "perhaps: nothing is saved yet. Press the button again to replace that verdict by what stands here."
                )
            verdict_id = _insert(connection, answer, assessment, reviewer, index_fingerprint, now)
        disputed = is_disputed(read_verdicts(connection, VERDICTS.c.answer_id == answer.id))
        state = "open" if disputed else "judged"
        change_reasons(connection, answer.id, Reason.DISPUTED, present=disputed, state=state)
        if repeated:
            return verdict_id
        audit(
            connection,
            reviewer,
            "review.judge",
            answer.id,
            after={
                "verdict": assessment.verdict,
                "citations": {str(number): one for number, one in assessment.citations.items()},
                "passages": [[one.document_id, one.span.start, one.span.end] for one in assessment.passages],
                "state": state,
            },
        )
    return verdict_id


def verdicts_of(engine: Engine, answer_id: str) -> tuple[Verdict, ...]:
    """Return all verdicts on an answer, the oldest first."""
    with engine.connect() as connection:
        return read_verdicts(connection, VERDICTS.c.answer_id == answer_id)


def latest_verdicts() -> sa.Subquery:
    """Return a query of the latest verdict on each answer, with the columns `answer_id` and `verdict`."""
    latest = sa.select(sa.func.max(VERDICTS.c.id)).group_by(VERDICTS.c.answer_id)
    return sa.select(VERDICTS.c.answer_id, VERDICTS.c.verdict).where(VERDICTS.c.id.in_(latest)).subquery()


def latest_of_each(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the latest verdict of each reviewer."""
    return tuple({verdict.reviewer: verdict for verdict in verdicts}.values())


def is_disputed(verdicts: Iterable[Verdict]) -> bool:
    """Return whether no verdict on the answer has more than half of those who gave one."""
    given = [verdict.assessment.verdict for verdict in latest_of_each(verdicts)]
    return bool(given) and max(given.count(one) for one in given) * 2 <= len(given)


def _check(answer: Answer, assessment: Assessment) -> None:
    if assessment.verdict not in verdicts_for(answer.kind):
        raise ReviewError(f"{assessment.verdict!r} is no verdict on {answer.kind!r}: choose one of those on the page.")
    unknown = set(assessment.citations) - {citation.number for citation in answer.citations}
    if unknown:
        raise ReviewError(f"The answer has no citation {min(unknown)}: reload the page.")
    if len(assessment.comment) > LONGEST_COMMENT:
        raise ReviewError(f"The comment is longer than {LONGEST_COMMENT} characters: shorten it.")


def _insert(
    connection: Connection, answer: Answer, assessment: Assessment, reviewer: str, fingerprint: str, now: datetime
) -> int:
    inserted = connection.execute(
        VERDICTS.insert().values(
            answer_id=answer.id,
            reviewer=reviewer,
            at=now,
            verdict=assessment.verdict,
            comment=assessment.comment,
            index_fingerprint=fingerprint,
        )
    ).inserted_primary_key
    assert inserted is not None
    verdict_id: int = inserted[0]
    hashes = {citation.number: hash_text(citation.quote) for citation in answer.citations}
    citations = [
        {"verdict_id": verdict_id, "number": number, "verdict": verdict, "passage_hash": hashes[number]}
        for number, verdict in assessment.citations.items()
    ]
    passages = [
        {
            "verdict_id": verdict_id,
            "position": position,
            "document_id": passage.document_id,
            "start": passage.span.start,
            "end": passage.span.end,
            "quote": passage.quote,
            "passage_hash": hash_text(passage.quote),
        }
        for position, passage in enumerate(assessment.passages)
    ]
    for table, rows in ((CITATION_VERDICTS, citations), (RIGHT_PASSAGES, passages)):
        if rows:
            connection.execute(table.insert(), rows)
    return verdict_id


def read_verdicts(connection: Connection, which: sa.ColumnElement[bool]) -> tuple[Verdict, ...]:
    """Return the verdicts that meet a condition, the oldest first."""
    rows = connection.execute(sa.select(VERDICTS).where(which).order_by(VERDICTS.c.id)).all()
    ids = sa.select(VERDICTS.c.id).where(which)
    citations: dict[int, dict[int, CitationVerdict]] = defaultdict(dict)
    for row in connection.execute(
        sa.select(CITATION_VERDICTS).where(CITATION_VERDICTS.c.verdict_id.in_(ids)).order_by(CITATION_VERDICTS.c.number)
    ):
        citations[row.verdict_id][row.number] = row.verdict
    passages: dict[int, list[PickedPassage]] = defaultdict(list)
    for row in connection.execute(
        sa.select(RIGHT_PASSAGES).where(RIGHT_PASSAGES.c.verdict_id.in_(ids)).order_by(RIGHT_PASSAGES.c.position)
    ):
        passages[row.verdict_id].append(PickedPassage(row.document_id, Span(row.start, row.end), row.quote))
    return tuple(
        Verdict(
            id=row.id,
            answer_id=row.answer_id,
            reviewer=row.reviewer,
            at=row.at,
            assessment=Assessment(row.verdict, citations[row.id], tuple(passages[row.id]), row.comment),
            index_fingerprint=row.index_fingerprint,
        )
        for row in rows
    )


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
                yield _verdict_row(verdict, answers[verdict.answer_id])


def _verdict_row(verdict: Verdict, row: sa.Row[Any]) -> dict[str, Any]:
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
