"""The last step of an answer: the values of the stages put together as an Answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
from bot.answer.timing import Stopwatch
from index.document import RetrievedChunk
from prompts.replies import prompts_hash

# A person has checked it. What can be wrong is that it answers another question, in one case of a hundred at most.
APPROVED_CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True)
class Maker:
    """Who judged or wrote something: what provenance says.

    Attributes:
        answerer: `extractive`, `local` or `remote`.
        language_model: Its name; None where no language model took part.
        model_missing: Whether one should have, and could not be used.
    """

    answerer: str = "extractive"
    language_model: str | None = None
    model_missing: bool = False


EXTRACTIVE = Maker()


@dataclass(frozen=True, slots=True)
class Assembly:
    """Makes the Answer to one question out of what the stages returned.

    Attributes:
        question_id: Becomes the answer's id.
        question: As asked, cleaned.
        standalone_question: As it was understood.
        stopwatch: Gives the timings.
        fingerprint: Of the index, looked up when the answer is made.
        embedding_model: For provenance.
        version: Of the software, for provenance.
        retrieved: What was found, best first.
    """

    question_id: str
    question: str
    standalone_question: str
    stopwatch: Stopwatch
    fingerprint: Callable[[], str]
    embedding_model: str
    version: str
    retrieved: tuple[RetrievedEntry, ...] = ()

    def understood_as(self, standalone_question: str) -> Assembly:
        """Return the same with the question as it was understood."""
        return replace(self, standalone_question=standalone_question)

    def with_retrieved(self, retrieved: Sequence[RetrievedChunk]) -> Assembly:
        """Return the same with what was retrieved."""
        return replace(self, retrieved=entries(retrieved))

    def answer(
        self, statements: Sequence[Statement], citations: Sequence[Citation], confidence: float, maker: Maker
    ) -> Answer:
        """Return an answer of verified statements; `maker` drafted them."""
        shown = tuple(statements)
        return self._make("answer", render_text(shown), confidence, maker, statements=shown, citations=tuple(citations))

    def refusal(self, refusal: Refusal, confidence: float = 0.0, maker: Maker = EXTRACTIVE) -> Answer:
        """Return a refusal; `maker` judged the evidence, where it came to that."""
        return self._make("refusal", refusal.message, confidence, maker, refusal=refusal)

    def small_talk(self, text: str) -> Answer:
        """Return a reply to a greeting or thanks."""
        return self._make("small_talk", text, 1.0, EXTRACTIVE)

    def approved(self, approval: Approval, answer: Answer) -> Answer:
        """Return an approved answer as the answer to this question.

        Its provenance is that of the answer that was approved, with the day of its approval and today's index.
        """
        today = {"index_fingerprint": self.fingerprint(), "approved": approval}
        return self._make(
            "answer",
            answer.text,
            APPROVED_CONFIDENCE,
            statements=answer.statements,
            citations=answer.citations,
            provenance=answer.provenance.model_copy(update=today),
        )

    def _make(
        self,
        kind: AnswerKind,
        text: str,
        confidence: float,
        maker: Maker = EXTRACTIVE,
        *,
        refusal: Refusal | None = None,
        statements: tuple[Statement, ...] = (),
        citations: tuple[Citation, ...] = (),
        provenance: Provenance | None = None,
    ) -> Answer:
        made_by = provenance or Provenance(
            version=self.version,
            index_fingerprint=self.fingerprint(),
            embedding_model=self.embedding_model,
            answerer=maker.answerer,
            language_model=maker.language_model,
            model_missing=maker.model_missing,
            prompts_hash=prompts_hash(),
        )
        return Answer(
            id=self.question_id,
            kind=kind,
            question=self.question,
            standalone_question=self.standalone_question,
            text=text,
            refusal=refusal,
            statements=statements,
            citations=citations,
            retrieved=self.retrieved,
            confidence=round(confidence, 4),
            timings_ms=self.stopwatch.milliseconds(),
            provenance=made_by,
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
