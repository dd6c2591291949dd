"""The path of a question. `Chatbot.stream` reads top to bottom in the order things happen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from bot.answer.answer import Answer, Citation, Refusal, SearchResult, Statement
from bot.answer.conversation import Turn
from bot.answer.draft import Draft
from bot.answer.events import Event, EvidenceFound, Finished, StatementReady, Understood, as_events
from bot.answer.inquiry import Inquiry, Stage
from bot.answer.trace import Trail
from bot.language_model import CancelledError, LanguageModel, ModelUnavailableError
from bot.language_model.session import Consultation, Fence, Patience
from bot.settings import Settings
from bot.staff.approved.recall import Recall, answer_approved
from bot.staff.document_audit import Suspicion, suspicious_documents
from bot.stages.checking.disagreement import Disagreements
from bot.stages.checking.verification import Footnotes, Verified
from bot.stages.evidence.citations import cite, places
from bot.stages.evidence.demotion import order_by_standing
from bot.stages.evidence.document_date import own_date
from bot.stages.evidence.sentences import QuestionWords, read_question, select_sentences
from bot.stages.judgement.answer_prompt import prime
from bot.stages.judgement.answerability import Calibration, Judged, rank_sentences
from bot.stages.judgement.premises import contradicted_premise
from bot.stages.judgement.refusals import (
    ask_back,
    decline_collection,
    decline_premise,
    decline_unanswered,
    decline_unsearched,
    refuse,
)
from bot.stages.question.clean import clean_question, detect_language
from bot.stages.question.follow_up import Understanding
from bot.stages.question.scope import Contents
from bot.stages.question.small_talk import small_talk_kind
from bot.stages.question.suggestions import ExampleQuestions
from bot.stages.question.understand import search, understand
from bot.stages.writing.comparison import other_side
from bot.stages.writing.compose import draft, in_language, verify, weigh
from bot.stages.writing.model_answer import Deliberation
from bot.stages.writing.quotes import choose_sentences
from bot.stages.writing.results import Results, entries
from index.document import Chunk, Document, Span, hash_text
from index.embedding.embedder import Embedder, Vectors
from index.errors import EmptyIndexError
from index.relations.precedence import Precedence
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue, DocumentSummary
from prompts.replies import reply

_SHOWN_PASSAGES = 6
_OFFERED_QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class Overview:
    """What the bot can answer from."""

    documents: tuple[DocumentSummary, ...]
    chunks: int
    indexed_at: datetime | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Examination:
    """A question as it was understood, its sentences of evidence, best first, and what the model made of them.

    Attributes:
        deliberation: None without a model.
    """

    understanding: Understanding
    ranked: tuple[Judged, ...]
    deliberation: Deliberation | None


class Chatbot:
    """Answers questions from an index.

    Args:
        settings: Thresholds and sizes.
        catalogue: The documents.
        retriever: Finds chunks.
        embedder: The model of the index.
        calibration: Parameters of the judge.
        version: Version of the software, for provenance.
        recall: Finds approved answers; None looks for none.
        language_model: Judges and writes; None quotes only. While it cannot be used, answers are quotes too.
        on_answer: Called with each answer and the stages it went through.
        on_close: Called when the chatbot is closed, to let go of what was made for it alone.
        comparing: The same model, less exact and quicker, to compare sentences with; `embedder` when not given.
        threshold: Gives the confidence that an answer needs now; the settings' when not given.
        secret: Goes into the fence around passages. Without one, the same question has the same fence in every process,
            which is what measuring wants.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        retriever: Retriever,
        embedder: Embedder,
        calibration: Calibration,
        version: str,
        recall: Recall | None = None,
        language_model: LanguageModel | None = None,
        on_answer: Callable[[Answer, Sequence[Stage]], None] = lambda _answer, _stages: None,
        on_close: Callable[[], None] = lambda: None,
        comparing: Embedder | None = None,
        threshold: Callable[[], float] | None = None,
        secret: str = "",
    ) -> None:
        self.settings = settings
        self._threshold = threshold or (lambda: settings.refusal_threshold)
        self._catalogue = catalogue
        self._retriever = retriever
        self._embedder = embedder
        self._comparing = comparing or embedder
        self._calibration = calibration
        self._results = Results(catalogue, embedder.model_id, settings.answerer, version)
        self._examples = ExampleQuestions(catalogue, self._quote)
        self._recall = recall
        self._language_model = language_model
        self._on_answer = on_answer
        self._on_close = on_close
        self._secret = secret

    def ask(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Answer:
        """Return the answer to a question.

        Args:
            question: As typed.
            history: The turns before it, oldest first.
            question_id: Becomes the answer's id; made from question, history and index when None.
        """
        return _last(self.stream(question, history, question_id=question_id))

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        question_id: str | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Yield the steps of an answer as they are done, `Finished` last. Nothing unverified is ever yielded.

        Args:
            question: As typed.
            history: The turns before it, oldest first.
            question_id: Becomes the answer's id; made from question, history and index when None.
            cancel: Set by the caller when the reader has left: the model is freed and the stream ends early.
        """
        inquiry = self._receive(question, history, question_id)
        inquiry.consultation = self._consultation(inquiry.question, cancel)
        try:
            for event in self._stream(inquiry, question, history):
                if isinstance(event, Finished):
                    self._on_answer(event.answer, inquiry.stages)
                    yield Finished(event.answer, self._trail(inquiry, event.answer))
                else:
                    yield event
        except CancelledError:
            return

    def _stream(self, inquiry: Inquiry, question: str, history: Sequence[Turn]) -> Iterator[Event]:
        if reply_at_once := self._reply_without_search(inquiry, question):
            yield Finished(reply_at_once)
            return

        understand(inquiry, history)
        standalone = inquiry.understanding.standalone_question
        yield Understood(standalone, standalone != inquiry.question)

        if approved := answer_approved(inquiry, self._recall, self._results):
            yield from as_events(approved)
            return

        try:
            understanding = search(inquiry, self._retriever, self.settings.top_k)
            with inquiry.timed("retrieve"):
                asked = self._read(understanding)
        except EmptyIndexError:
            yield Finished(self._results.refuse(inquiry, refuse("empty_index", inquiry.question)))
            return

        if refusal := ask_back(inquiry, history):
            yield Finished(self._results.refuse(inquiry, refusal))
            return

        with inquiry.timed("select"):
            precedence = self._precedence(inquiry, understanding)
            ranked = self._rank(inquiry, understanding, asked, precedence)
        passages = cite(self._catalogue, ranked[:_SHOWN_PASSAGES])
        yield EvidenceFound(passages)

        if refusal := self._decline(inquiry, understanding, ranked, passages):
            yield Finished(self._results.refuse(inquiry, refusal))
            return

        confidence, deliberation, dated = self._weigh(inquiry, understanding, asked, ranked)
        verified: list[Verified] = []
        if confidence >= inquiry.threshold:
            with inquiry.timed("compose"):
                drafts = [dated] if dated else self._draft(understanding, ranked, deliberation)
                inquiry.drafts = tuple(one.text for one in drafts)
            with inquiry.timed("verify"):
                footnotes = Footnotes()
                verified = verify(inquiry, drafts, understanding, deliberation, self._catalogue, footnotes)
                standalone = understanding.standalone_question
                contradicting = Disagreements(standalone, ranked, precedence, self._catalogue, self._comparing)
                verified = contradicting.add_to(verified, footnotes)
                inquiry.disagreements = sum(one.introduction is not None for one in verified)
        if not verified:
            refusal = decline_unanswered(inquiry, ranked, passages, self._offered(inquiry))
            yield Finished(self._results.refuse(inquiry, refusal, confidence))
            return

        statements, citations = list[Statement](), dict[int, Citation]()
        for one in verified:
            with inquiry.timed("compose"):
                statement = in_language(inquiry, one)
            statements.append(statement)
            citations.update({citation.number: citation for citation in one.citations})
            yield StatementReady(statement, one.citations)
        yield Finished(self._results.answer(inquiry, tuple(statements), tuple(citations.values()), confidence))

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
        inquiry.consultation = self._consultation(inquiry.question)
        understand(inquiry, history)
        search(inquiry, self._retriever, top_k or self.settings.top_k)
        return SearchResult(
            id=inquiry.question_id,
            standalone_question=inquiry.understanding.standalone_question,
            retrieved=entries(inquiry.retrieved),
            timings_ms=inquiry.timings_ms(),
        )

    def examine(self, question: str, history: Sequence[Turn] = ()) -> Examination:
        """Return everything that is known about a question before it is answered: what the judge is fitted on."""
        inquiry = self._receive(question, history, None)
        inquiry.consultation = self._consultation(inquiry.question)
        understand(inquiry, history)
        understanding = search(inquiry, self._retriever, self.settings.top_k)
        asked = self._read(understanding)
        ranked = self._rank(inquiry, understanding, asked, self._precedence(inquiry, understanding))
        _, deliberation = weigh(inquiry, understanding, asked, ranked, self._calibration, thorough=True)
        return Examination(understanding, tuple(ranked), deliberation)

    def trace(self, question: str, history: Sequence[Turn] = ()) -> Trail:
        """Answer a question and return what became of it at each stage."""
        inquiry = self._receive(question, history, None)
        inquiry.consultation = self._consultation(inquiry.question)
        return self._trail(inquiry, _last(self._stream(inquiry, question, history)))

    def chunk_spans(self, document_id: str) -> tuple[Span, ...]:
        """Return where the chunks of a document stand, in order; nothing for a document that is not there."""
        return tuple(chunk.span for chunk in self._catalogue.chunks_of(document_id))

    def document(self, document_id: str) -> Document | None:
        """Return an indexed document, or None."""
        return self._catalogue.document(document_id)

    def suspicious(self, stop: threading.Event | None = None) -> list[Suspicion]:
        """Return the documents that staff should look at; slow, see `suspicious_documents`."""
        return suspicious_documents(self._catalogue, self._retriever, stop)

    def chunks(self, chunk_ids: Sequence[str]) -> Mapping[str, Chunk]:
        """Return indexed chunks by id; ids that are gone are left out."""
        return self._catalogue.chunks(chunk_ids)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens of the embedding model's vocabulary a text has."""
        return len(self._embedder.tokenize(text))

    def overview(self) -> Overview:
        """Return what the bot can answer from."""
        indexed_at = self._catalogue.property("indexed_at")
        return Overview(
            documents=tuple(self._catalogue.summaries()),
            chunks=self._catalogue.count_chunks(),
            indexed_at=datetime.fromisoformat(indexed_at) if indexed_at else None,
            fingerprint=self._catalogue.property("fingerprint"),
        )

    def model_is_ready(self) -> bool:
        """Return whether a language model would be asked now."""
        return self._language_model is not None and self._language_model.ready()

    def is_indexed(self) -> bool:
        """Return whether there is an index to answer from."""
        return bool(self._catalogue.property("generation"))

    def contents(self, words: str = "", start: int = 0, count: int = 40) -> Contents:
        """Return some of the documents, those with all of the words in their title or id, however many there are."""
        found = self._catalogue.titles(words, start, count + 1)
        indexed_at = self._catalogue.property("indexed_at")
        return Contents(
            total=self._catalogue.count_documents(),
            documents=found[:count],
            more=len(found) > count,
            indexed_at=datetime.fromisoformat(indexed_at) if indexed_at else None,
        )

    def example_questions(self) -> tuple[str, ...]:
        """Return up to four questions that the documents answer; found once for each state of the index, then kept."""
        return self._examples.find()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts by the model of the index, one row each."""
        return self._embedder.embed(texts)

    def warm_up(self) -> None:
        """Load what the first question would otherwise wait for."""
        self._retriever.warm_up()  # first: an index of another model is said before that model is loaded
        for embedder in (self._embedder, self._comparing):
            embedder.embed(["warm up"])
        self._retriever.check_vectors()
        if self._recall is not None:
            self._recall.warm_up()
        if self._language_model is not None and self._language_model.ready():
            self._language_model.warm_up()
            # Loading a gigabyte must not keep the page from being served; quotes are ready before it.
            threading.Thread(target=self._prime, args=(self._language_model,), daemon=True).start()

    def close(self) -> None:
        """Release the index, the database, and a language model that was made for this chatbot."""
        self._on_close()
        self._retriever.close()
        self._catalogue.close()

    @staticmethod
    def _prime(model: LanguageModel) -> None:
        with suppress(ModelUnavailableError, CancelledError):
            prime(Consultation(model))

    # Steps ----------------------------------------------------------------------------------------------------------

    def _receive(self, raw: str, history: Sequence[Turn], question_id: str | None) -> Inquiry:
        question = clean_question(raw[: self.settings.maximum_question_characters + 1])
        made_from = (raw, *(f"{turn.role}:{turn.content}" for turn in history), self._catalogue.property("fingerprint"))
        understood = Understanding(question, question)
        return Inquiry(question_id or hash_text(*made_from)[:12], question, understood, self._threshold())

    def _trail(self, inquiry: Inquiry, answer: Answer) -> Trail:
        return Trail(
            standalone_question=inquiry.understanding.standalone_question,
            retrieved=tuple((one.chunk.document_id, one.chunk.span) for one in inquiry.retrieved),
            selected=inquiry.selected,
            threshold=inquiry.threshold,
            drafts=inquiry.drafts,
            dropped=inquiry.dropped,
            disagreements=inquiry.disagreements,
            answer=answer,
        )

    def _consultation(self, question: str, cancel: threading.Event | None = None) -> Consultation | None:
        model = self._language_model
        if model is None or not model.ready():
            return None
        fence = Fence(hash_text(self._secret, question, self._catalogue.property("fingerprint")))
        return Consultation(model, cancel and Patience(cancel, self.settings.model_patience), fence)

    def _quote(self, question: str) -> Answer:
        """Return the answer to a question without the language model: quick enough to try many."""
        return _last(self._stream(self._receive(question, (), None), question, ()))

    def _precedence(self, inquiry: Inquiry, understanding: Understanding) -> Precedence:
        found = {result.chunk.document_id for result in inquiry.retrieved}
        return Precedence(self._catalogue.relations(found), (inquiry.question, *understanding.wordings))

    def _rank(
        self, inquiry: Inquiry, understanding: Understanding, asked: QuestionWords, precedence: Precedence
    ) -> list[Judged]:
        """Return the sentences that may answer, best first."""
        model = self._calibration.sentence
        sentences = select_sentences(
            understanding, asked, inquiry.retrieved, self._comparing, lambda features: model.probability(features.row())
        )
        ranked = rank_sentences(sentences, model)
        return order_by_standing(ranked, precedence, understanding.standalone_question)

    def _read(self, understanding: Understanding) -> QuestionWords:
        return read_question(understanding, self._retriever.word_statistics(understanding.standalone_question))

    def _reply_without_search(self, inquiry: Inquiry, raw: str) -> Answer | None:
        if kind := small_talk_kind(inquiry.question):
            return self._results.small_talk(inquiry, reply(kind, detect_language(inquiry.question)))
        refusal = decline_unsearched(inquiry, raw, self.settings.maximum_question_characters)
        return self._results.refuse(inquiry, refusal) if refusal else None

    def _decline(
        self, inquiry: Inquiry, understanding: Understanding, ranked: Sequence[Judged], passages: Sequence[Citation]
    ) -> Refusal | None:
        """Return why the question cannot be answered whatever stands in the evidence, or None."""
        if refusal := decline_collection(inquiry, passages):
            return refusal
        if premise := contradicted_premise(understanding.standalone_question, ranked):
            quoted = cite(self._catalogue, [premise.sentence])
            return decline_premise(inquiry, premise, quoted, self._offered(inquiry))
        return None

    def _weigh(
        self, inquiry: Inquiry, understanding: Understanding, asked: QuestionWords, ranked: Sequence[Judged]
    ) -> tuple[float, Deliberation | None, Draft | None]:
        """Return how likely there is an answer, what the model made of the evidence, and the date that was asked for.

        A question for the document's own date needs no judgement: the line is there or it is not.
        """
        catalogue, standalone = self._catalogue, understanding.standalone_question
        if dated := own_date(standalone, inquiry.retrieved, catalogue, catalogue.count_documents):
            inquiry.selected = tuple((document.document_id, span) for document, span in dated.sources)
            return 1.0, None, dated
        confidence, deliberation = weigh(inquiry, understanding, asked, ranked, self._calibration)
        inquiry.selected = places(deliberation.excerpts if deliberation else choose_sentences(ranked))
        return confidence, deliberation, None

    def _draft(
        self, understanding: Understanding, ranked: Sequence[Judged], deliberation: Deliberation | None
    ) -> list[Draft]:
        drafts = list(draft(ranked, deliberation, self._catalogue))
        standalone = understanding.standalone_question
        return drafts + other_side(standalone, drafts, ranked, self._catalogue, self._comparing)

    def _offered(self, inquiry: Inquiry) -> list[str]:
        return [one for one in self._examples.kept() or () if one != inquiry.question][:_OFFERED_QUESTIONS]


def _last(events: Iterator[Event]) -> Answer:
    for event in events:
        if isinstance(event, Finished):
            return event.answer
    raise AssertionError("the stream ended without an answer")
