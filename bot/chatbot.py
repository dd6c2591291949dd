"""The path of a question. `Chatbot.stream` reads top to bottom in the order things happen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bot.answer import Answer, AnswerKind, Citation, Provenance, Refusal, RetrievedEntry, Statement, render_text
from bot.answerers import Answerer
from bot.condense import Understanding, condense
from bot.conversation import Turn
from bot.events import Event, EvidenceFound, Finished, StatementReady, Understood
from bot.evidence import QuestionWords, read_question, select_sentences
from bot.examples import choose_examples
from bot.judge import Calibration, Judged, judge, rank_sentences
from bot.question import clean_question, detect_language, has_words
from bot.refuse import reason_for, refuse
from bot.search_result import SearchResult
from bot.settings import Settings
from bot.small_talk import small_talk_kind
from bot.verify import Footnotes, to_citation, verify
from index.catalogue import Catalogue, DocumentSummary
from index.document import Document, RetrievedChunk, hash_text
from index.embedder import Embedder
from index.errors import EmptyIndexError
from index.retriever import Retriever
from prompts.replies import prompts_hash, reply

_SHOWN_PASSAGES = 6
_EXAMPLE_DOCUMENTS = 12
_NEAREST_PASSAGES = 3
_OFFERED_QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class Overview:
    """What the bot can answer from."""

    documents: tuple[DocumentSummary, ...]
    chunks: int
    indexed_at: datetime | None
    fingerprint: str


@dataclass(slots=True)
class _Inquiry:
    """One question on its way through: what is known so far."""

    question_id: str
    question: str
    understanding: Understanding
    retrieved: list[RetrievedChunk] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.timings[stage] = round(1000 * (time.perf_counter() - begin), 1)


class Chatbot:
    """Answers questions from an index.

    Args:
        settings: Thresholds and sizes.
        catalogue: The documents.
        retriever: Finds chunks.
        embedder: The model of the index; also compares sentences.
        answerer: Writes the statements.
        calibration: Parameters of the judge.
        version: Version of the software, for provenance.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        retriever: Retriever,
        embedder: Embedder,
        answerer: Answerer,
        calibration: Calibration,
        version: str,
    ) -> None:
        self.settings = settings
        self._catalogue = catalogue
        self._retriever = retriever
        self._embedder = embedder
        self._answerer = answerer
        self._calibration = calibration
        self._version = version

    def ask(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Answer:
        """Return the answer to a question.

        Args:
            question: As typed.
            history: The turns before it, oldest first.
            question_id: Becomes the answer's id; made from question, history and index when None.
        """
        for event in self.stream(question, history, question_id=question_id):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("the stream ended without an answer")

    def stream(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Iterator[Event]:
        """Yield the steps of an answer as they are done, `Finished` last. Nothing unverified is ever yielded."""
        inquiry = self._receive(question, history, question_id)
        if reply_at_once := self._reply_without_search(inquiry, question):
            yield Finished(reply_at_once)
            return

        with inquiry.timed("condense"):
            inquiry.understanding = condense(inquiry.question, history)
        understanding = inquiry.understanding
        yield Understood(understanding.standalone_question, understanding.standalone_question != inquiry.question)

        try:
            with inquiry.timed("retrieve"):
                inquiry.retrieved = self._retriever.retrieve(understanding.wordings, self.settings.top_k)
                asked = self._read(understanding)
        except EmptyIndexError:
            yield Finished(self._refuse(inquiry, refuse("empty_index", inquiry.question)))
            return

        with inquiry.timed("select"):
            sentences = select_sentences(understanding, asked, inquiry.retrieved, self._embedder)
            ranked = rank_sentences(sentences, self._calibration)
        passages = self._cite(ranked[:_SHOWN_PASSAGES])
        yield EvidenceFound(passages)

        with inquiry.timed("judge"):
            confidence = judge(ranked, self._calibration)
        if confidence < self.settings.refusal_threshold:
            yield Finished(self._refuse(inquiry, self._refusal_near(inquiry, ranked, passages), confidence))
            return

        footnotes, statements, citations = Footnotes(), list[Statement](), dict[int, Citation]()
        with inquiry.timed("compose"):
            for draft in self._answerer.compose(understanding, ranked, self._catalogue):
                if (verified := verify(draft, footnotes)) is None:
                    continue
                statement, cited = verified
                statements.append(statement)
                citations.update({citation.number: citation for citation in cited})
                yield StatementReady(statement, cited)
        if not statements:
            yield Finished(self._refuse(inquiry, self._refusal_near(inquiry, ranked, passages), confidence))
            return
        yield Finished(self._answer(inquiry, tuple(statements), tuple(citations.values()), confidence))

    def search(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        question_id: str | None = None,
        top_k: int | None = None,
    ) -> SearchResult:
        """Return what a question retrieves, without an answer.

        Raises:
            EmptyIndexError: Nothing has been indexed yet.
        """
        inquiry = self._receive(question, history, question_id)
        with inquiry.timed("condense"):
            inquiry.understanding = condense(inquiry.question, history)
        with inquiry.timed("retrieve"):
            wordings = inquiry.understanding.wordings
            inquiry.retrieved = self._retriever.retrieve(wordings, top_k or self.settings.top_k)
        return SearchResult(
            id=inquiry.question_id,
            standalone_question=inquiry.understanding.standalone_question,
            retrieved=_entries(inquiry.retrieved),
            timings_ms=_total(inquiry),
        )

    def evidence(self, question: str, history: Sequence[Turn] = ()) -> list[Judged]:
        """Return the sentences found for a question with their features, best first: what the judge is fitted on."""
        inquiry = self._receive(question, history, None)
        inquiry.understanding = condense(inquiry.question, history)
        retrieved = self._retriever.retrieve(inquiry.understanding.wordings, self.settings.top_k)
        asked = self._read(inquiry.understanding)
        return rank_sentences(
            select_sentences(inquiry.understanding, asked, retrieved, self._embedder), self._calibration
        )

    def document(self, document_id: str) -> Document | None:
        """Return an indexed document, or None."""
        return self._catalogue.document(document_id)

    def overview(self) -> Overview:
        """Return what the bot can answer from."""
        indexed_at = self._catalogue.property("indexed_at")
        return Overview(
            documents=tuple(self._catalogue.summaries()),
            chunks=self._catalogue.count_chunks(),
            indexed_at=datetime.fromisoformat(indexed_at) if indexed_at else None,
            fingerprint=self._catalogue.property("fingerprint"),
        )

    def example_questions(self) -> tuple[str, ...]:
        """Return up to four questions that the documents answer; found once for each state of the index, then kept."""
        kept = self._kept_examples()
        if kept is None:
            summaries = self._catalogue.summaries()
            some = summaries[:: max(1, len(summaries) // _EXAMPLE_DOCUMENTS)][:_EXAMPLE_DOCUMENTS]
            kept = choose_examples([self._catalogue.chunks_of(summary.document_id) for summary in some], self.ask)
            found = {"fingerprint": self._catalogue.property("fingerprint"), "questions": kept}
            self._catalogue.set_properties({"examples": json.dumps(found, ensure_ascii=False)})
        return kept

    def warm_up(self) -> None:
        """Load what the first question would otherwise wait for."""
        self._embedder.embed(["warm up"])
        self._retriever.warm_up()

    def close(self) -> None:
        """Release the index and the database."""
        self._retriever.close()
        self._catalogue.close()

    # Steps ----------------------------------------------------------------------------------------------------------

    def _receive(self, raw: str, history: Sequence[Turn], question_id: str | None) -> _Inquiry:
        question = clean_question(raw[: self.settings.maximum_question_characters + 1])
        made_from = (raw, *(f"{turn.role}:{turn.content}" for turn in history), self._catalogue.property("fingerprint"))
        return _Inquiry(question_id or hash_text(*made_from)[:12], question, Understanding(question, question))

    def _reply_without_search(self, inquiry: _Inquiry, raw: str) -> Answer | None:
        maximum = self.settings.maximum_question_characters
        if len(raw) > maximum:
            refusal = refuse("too_long", inquiry.question, length=len(raw), maximum=maximum)
            return self._refuse(inquiry, refusal)
        if not has_words(inquiry.question):
            return self._refuse(inquiry, refuse("needs_clarification", inquiry.question))
        if kind := small_talk_kind(inquiry.question):
            text = reply(kind, detect_language(inquiry.question))
            return self._finish(inquiry, "small_talk", text, confidence=1.0)
        return None

    def _read(self, understanding: Understanding) -> QuestionWords:
        return read_question(understanding, self._retriever.word_statistics(understanding.standalone_question))

    def _cite(self, ranked: Sequence[Judged]) -> tuple[Citation, ...]:
        documents: dict[str, Document | None] = {}
        citations: list[Citation] = []
        for one in ranked:
            sentence = one.sentence
            document_id = sentence.chunk.document_id
            if document_id not in documents:
                documents[document_id] = self._catalogue.document(document_id)
            document = documents[document_id]
            if document is not None and sentence.span.of(document.text) == sentence.text:
                citations.append(to_citation(document, sentence.span, len(citations) + 1))
        return tuple(citations)

    def _kept_examples(self) -> tuple[str, ...] | None:
        found = json.loads(self._catalogue.property("examples") or "{}")
        current = found.get("fingerprint") == self._catalogue.property("fingerprint")
        return tuple(found["questions"]) if found and current else None

    def _refusal_near(self, inquiry: _Inquiry, ranked: Sequence[Judged], passages: Sequence[Citation]) -> Refusal:
        reason = reason_for(max((one.sentence.features.similarity for one in ranked), default=0.0))
        nearest = passages[:_NEAREST_PASSAGES] if reason == "not_in_documents" else ()
        options = [one for one in self._kept_examples() or () if one != inquiry.question][:_OFFERED_QUESTIONS]
        searched = [result.chunk.text for result in inquiry.retrieved]
        return refuse(reason, inquiry.question, nearest, options, searched)

    # Results --------------------------------------------------------------------------------------------------------

    def _answer(
        self, inquiry: _Inquiry, statements: tuple[Statement, ...], citations: tuple[Citation, ...], confidence: float
    ) -> Answer:
        return self._finish(
            inquiry,
            "answer",
            render_text(statements),
            statements=statements,
            citations=citations,
            confidence=confidence,
        )

    def _refuse(self, inquiry: _Inquiry, refusal: Refusal, confidence: float = 0.0) -> Answer:
        return self._finish(inquiry, "refusal", refusal.message, refusal=refusal, confidence=confidence)

    def _finish(
        self,
        inquiry: _Inquiry,
        kind: AnswerKind,
        text: str,
        *,
        refusal: Refusal | None = None,
        statements: tuple[Statement, ...] = (),
        citations: tuple[Citation, ...] = (),
        confidence: float,
    ) -> Answer:
        return Answer(
            id=inquiry.question_id,
            kind=kind,
            question=inquiry.question,
            standalone_question=inquiry.understanding.standalone_question,
            text=text,
            refusal=refusal,
            statements=statements,
            citations=citations,
            retrieved=_entries(inquiry.retrieved),
            confidence=round(confidence, 4),
            timings_ms=_total(inquiry),
            provenance=Provenance(
                version=self._version,
                index_fingerprint=self._catalogue.property("fingerprint"),
                embedding_model=self._embedder.model_id,
                answerer=self._answerer.name,
                language_model=self._answerer.language_model,
                prompts_hash=prompts_hash(),
            ),
        )


def _entries(retrieved: Sequence[RetrievedChunk]) -> tuple[RetrievedEntry, ...]:
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


def _total(inquiry: _Inquiry) -> dict[str, float]:
    return {**inquiry.timings, "total": round(1000 * (time.perf_counter() - inquiry.started), 1)}
