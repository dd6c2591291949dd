"""An inquiry to the Answer object, with what produced it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer.answer import (
    Answer,
    AnswerKind,
    Approval,
    Citation,
    Provenance,
    Refusal,
    RetrievedEntry,
    Statement,
    render_text,
)
from bot.answer.inquiry import Inquiry
from index.document import RetrievedChunk
from index.store.catalogue import Catalogue
from prompts.replies import prompts_hash

# A person has checked it; what can be wrong is that it answers another question, in one case of a hundred at most.
APPROVED_CONFIDENCE = 0.99


class Results:
    """Makes the Answers of one chatbot.

    Args:
        catalogue: Names the state of the index.
        embedding_model: For provenance.
        answerer: Who answers while its language model can be used; else the answer is extractive and says so.
        version: Version of the software.
    """

    def __init__(self, catalogue: Catalogue, embedding_model: str, answerer: str, version: str) -> None:
        self._catalogue = catalogue
        self._embedding_model = embedding_model
        self._answerer = answerer
        self._version = version

    def answer(
        self, inquiry: Inquiry, statements: tuple[Statement, ...], citations: tuple[Citation, ...], confidence: float
    ) -> Answer:
        """Return an answer of verified statements."""
        text = render_text(statements)
        return self._finish(inquiry, "answer", text, confidence, statements=statements, citations=citations)

    def refuse(self, inquiry: Inquiry, refusal: Refusal, confidence: float = 0.0) -> Answer:
        """Return a refusal."""
        return self._finish(inquiry, "refusal", refusal.message, confidence, refusal=refusal)

    def small_talk(self, inquiry: Inquiry, text: str) -> Answer:
        """Return a reply to a greeting or thanks."""
        return self._finish(inquiry, "small_talk", text, 1.0)

    def approved(self, inquiry: Inquiry, approval: Approval, answer: Answer) -> Answer:
        """Return an approved answer as the answer to this question.

        What produced it is what produced it then, and the day of its approval stands beside that; the index is today's,
        where its passages still stand.
        """
        provenance = answer.provenance.model_copy(
            update={"index_fingerprint": self._catalogue.property("fingerprint"), "approved": approval}
        )
        return Answer(
            id=inquiry.question_id,
            kind="answer",
            question=inquiry.question,
            standalone_question=inquiry.understanding.standalone_question,
            text=answer.text,
            refusal=None,
            statements=answer.statements,
            citations=answer.citations,
            retrieved=(),
            confidence=APPROVED_CONFIDENCE,
            timings_ms=inquiry.timings_ms(),
            provenance=provenance,
        )

    def _finish(
        self,
        inquiry: Inquiry,
        kind: AnswerKind,
        text: str,
        confidence: float,
        *,
        refusal: Refusal | None = None,
        statements: tuple[Statement, ...] = (),
        citations: tuple[Citation, ...] = (),
    ) -> Answer:
        consultation = inquiry.consultation
        return Answer(
            id=inquiry.question_id,
            kind=kind,
            question=inquiry.question,
            standalone_question=inquiry.understanding.standalone_question,
            text=text,
            refusal=refusal,
            statements=statements,
            citations=citations,
            retrieved=entries(inquiry.retrieved),
            confidence=round(confidence, 4),
            timings_ms=inquiry.timings_ms(),
            provenance=Provenance(
                version=self._version,
                index_fingerprint=self._catalogue.property("fingerprint"),
                embedding_model=self._embedding_model,
                answerer=self._answerer if consultation else "extractive",
                language_model=consultation.model.name if consultation else None,
                prompts_hash=prompts_hash(),
            ),
        )


def entries(retrieved: Sequence[RetrievedChunk]) -> tuple[RetrievedEntry, ...]:
    """Return what was retrieved as an Answer records it."""
    return tuple(
        RetrievedEntry(
            chunk_id=result.chunk.chunk_id,
            document_id=result.chunk.document_id,
            start=result.chunk.span.start,
            end=result.chunk.span.end,
            rank=result.rank,
            score=round(result.score, 4),
        )
        for result in retrieved
    )
