"""The path of a question. `Chatbot._answer` reads top to bottom in the order things happen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.answer.answer import Answer, Approval, Citation, Refusal, SearchResult, Statement
from bot.answer.assembly import EXTRACTIVE, Assembly, Maker, entries
from bot.answer.conversation import Turn, recent_exchanges
from bot.answer.events import Event, EvidenceFound, Finished, StatementReady, Understood, as_events
from bot.answer.timing import StageTime, Stopwatch
from bot.answer.trace import Trace, TracedAnswer
from bot.answer.understanding import Understanding
from bot.language_model import CancelledError, LanguageModel, ModelUnavailableError
from bot.language_model.session import Deadline, Fence, ModelSession, OptionalModel
from bot.settings import Rule, Settings
from bot.staff.approved_recall import Recall
from bot.stages.checking.check import Checked, check, in_readers_language
from bot.stages.evidence.citations import cite
from bot.stages.evidence.document_date import document_date
from bot.stages.evidence.evidence import Evidence, gather_evidence
from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.evidence.retrieval import Retrieved, retrieve
from bot.stages.judgement.answerability import Calibration, Judgement, judge_by_words, judge_with_model
from bot.stages.judgement.premises import contradicted_premise
from bot.stages.judgement.prompt import prime
from bot.stages.judgement.refusals import (
    ask_back,
    refuse,
    refuse_collection,
    refuse_premise,
    refuse_unanswered,
    refuse_unsearched,
)
from bot.stages.question.clean import clean_question, detect_language
from bot.stages.question.small_talk import small_talk_kind
from bot.stages.question.suggestions import ExampleQuestions
from bot.stages.question.understand import understand
from bot.stages.writing.model_answer import ModelAnswer, write_with_model
from bot.stages.writing.write import Writer, Writing
from bot.storage.library import Library, Overview
from index.document import Document, hash_text
from index.embedding.embedder import Embedder
from index.errors import EmptyIndexError
from index.relations.precedence import Precedence
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue
from prompts.replies import reply

_SHOWN_PASSAGES = 6
_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything that is known about a question: what the judge is fitted on.

    Attributes:
        searched: The question in the language of the documents.
        ranked: Sentences of evidence, best first.
        judgement: How likely they answer.
        written: What the model wrote, however hopeless; None without a model.
    """

    searched: Understanding
    ranked: tuple[ScoredSentence, ...]
    judgement: Judgement
    written: ModelAnswer | None


@dataclass(frozen=True, slots=True)
class _Request:
    """One question as it was received, and what goes with it through all stages."""

    raw: str
    question: str
    history: Sequence[Turn]
    threshold: float
    model: OptionalModel
    stopwatch: Stopwatch
    assembly: Assembly


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
        on_close: Called when the chatbot is closed, to release what was made for it alone.
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
        on_answer: Callable[[Answer, Sequence[StageTime]], None] = lambda _answer, _stages: None,
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
        self._library = Library(catalogue, retriever, embedder)
        self._comparing = comparing or embedder
        self._calibration = calibration
        self._version = version
        self._writer = Writer(catalogue, calibration)
        self._examples = ExampleQuestions(catalogue, self._ask_without_model)
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
        return _last(self.stream(question, history, question_id=question_id)).answer

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
        request = self._receive(question, history, question_id, self._language_model, cancel)
        try:
            for event in self._answer(request):
                if isinstance(event, Finished):
                    self._on_answer(event.answer, request.stopwatch.stages)
                yield event
        except CancelledError:
            return

    def _answer(self, request: _Request) -> Iterator[Event]:
        """Yield the events of one answer: question, evidence, judgement, writing, checking."""
        question, model, stopwatch, assembly = request.question, request.model, request.stopwatch, request.assembly
        trace = Trace(question, question, request.threshold)

        if answer := self._answer_at_once(request):
            yield Finished(answer, trace)
            return

        with stopwatch.timed("condense"):
            understanding = self._understand(request)
        assembly = assembly.understood_as(understanding.standalone_question)
        trace = trace.understood_as(understanding.standalone_question)
        yield Understood(understanding.standalone_question, understanding.standalone_question != question)

        if approved := self._recall_approved(understanding, assembly, model, stopwatch):
            yield from as_events(approved, trace)
            return

        exchanges = recent_exchanges(request.history)
        try:
            retrieved = retrieve(understanding, exchanges, self._retriever, self.settings.top_k, model, stopwatch)
        except EmptyIndexError:
            yield Finished(assembly.refusal(refuse("empty_index", question)), trace)
            return
        assembly = assembly.with_retrieved(retrieved.chunks)
        trace = trace.with_retrieved(retrieved.searched.standalone_question, retrieved.chunks)

        if self._uses("clarification") and (refusal := ask_back(question, request.history, retrieved.chunks)):
            yield Finished(assembly.refusal(refusal), trace)
            return

        evidence = self._gather(question, retrieved, stopwatch)
        passages = cite(self._catalogue, evidence.ranked[:_SHOWN_PASSAGES])
        yield EvidenceFound(passages)

        if refusal := self._refuse_by_rule(question, retrieved, evidence, passages):
            yield Finished(assembly.refusal(refusal), trace)
            return

        writing = self._write_document_date(retrieved)
        maker = EXTRACTIVE
        if writing is None:
            writing = self._judge_and_write(request, retrieved, evidence)
            maker = self._maker(writing, evidence)
        trace = replace(trace, selected=writing.selected, drafts=tuple(draft.text for draft in writing.drafts))

        with stopwatch.timed("verify"):
            checked = self._check(retrieved, writing, evidence, model)
        trace = replace(trace, dropped=checked.dropped, disagreements=checked.disagreements)
        if not checked.statements:
            suggestions = self._suggestions(question)
            refusal = refuse_unanswered(question, retrieved.chunks, evidence.ranked, passages, suggestions)
            yield Finished(assembly.refusal(refusal, writing.confidence, maker), trace)
            return

        statements, citations = list[Statement](), dict[int, Citation]()
        for verified in checked.statements:
            with stopwatch.timed("compose"):
                statement = in_readers_language(question, verified, model)
            statements.append(statement)
            citations.update({citation.number: citation for citation in verified.citations})
            yield StatementReady(statement, verified.citations)
        yield Finished(assembly.answer(statements, list(citations.values()), writing.confidence, maker), trace)

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
        request = self._receive(question, history, question_id, self._language_model)
        understanding, retrieved = self._retrieve(request, top_k or self.settings.top_k)
        return SearchResult(
            id=request.assembly.question_id,
            standalone_question=understanding.standalone_question,
            retrieved=entries(retrieved.chunks),
            timings_ms=request.stopwatch.milliseconds(),
        )

    def examine(self, question: str, history: Sequence[Turn] = ()) -> Examination:
        """Return everything that is known about a question before it is answered: what the judge is fitted on."""
        request = self._receive(question, history, None, self._language_model)
        _, retrieved = self._retrieve(request, self.settings.top_k)
        evidence = self._gather(request.question, retrieved, request.stopwatch)
        searched = retrieved.searched.standalone_question
        judgement = self._judge(searched, evidence, request.model, request.stopwatch)
        written = None
        if judgement.features is not None:
            written = request.model.ask(
                lambda session: write_with_model(
                    session, searched, evidence.asked, evidence.ranked, judgement, self._calibration
                ),
                None,
            )
        return Examination(retrieved.searched, evidence.ranked, judgement, written)

    def trace(self, question: str, history: Sequence[Turn] = ()) -> TracedAnswer:
        """Answer a question, unrecorded, and return the answer with what each stage made of it."""
        finished = _last(self._answer(self._receive(question, history, None, self._language_model)))
        assert finished.trace is not None
        return TracedAnswer(finished.answer, finished.trace)

    @property
    def library(self) -> Library:
        """The documents that are answered from."""
        return self._library

    def document(self, document_id: str) -> Document | None:
        """Return an indexed document, or None."""
        return self.library.document(document_id)

    def overview(self) -> Overview:
        """Return what the bot can answer from."""
        return self.library.overview()

    def model_is_ready(self) -> bool:
        """Return whether a language model would be asked now."""
        return self._language_model is not None and self._language_model.ready()

    def example_questions(self) -> tuple[str, ...]:
        """Return up to four questions that the documents answer; found once for each state of the index, then kept."""
        return self._examples.find()

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
            prime(ModelSession(model))

    # Steps ----------------------------------------------------------------------------------------------------------

    def _receive(
        self,
        raw: str,
        history: Sequence[Turn],
        question_id: str | None,
        language_model: LanguageModel | None,
        cancel: threading.Event | None = None,
    ) -> _Request:
        question = clean_question(raw[: self.settings.maximum_question_characters + 1])
        fingerprint = self._catalogue.property("fingerprint")
        made_from = (raw, *(f"{turn.role}:{turn.content}" for turn in history), fingerprint)
        session = None
        if language_model is not None and language_model.ready():
            fence = Fence(hash_text(self._secret, question, fingerprint))
            session = ModelSession(language_model, cancel and Deadline(cancel, self.settings.model_patience), fence)
        stopwatch = Stopwatch()
        assembly = Assembly(
            question_id=question_id or hash_text(*made_from)[:12],
            question=question,
            standalone_question=question,
            stopwatch=stopwatch,
            fingerprint=lambda: self._catalogue.property("fingerprint"),
            embedding_model=self._embedder.model_id,
            version=self._version,
        )
        return _Request(raw, question, history, self._threshold(), OptionalModel(session), stopwatch, assembly)

    def _answer_at_once(self, request: _Request) -> Answer | None:
        """Return the reply to a message that is not searched for."""
        if kind := small_talk_kind(request.question):
            return request.assembly.small_talk(reply(kind, detect_language(request.question)))
        refusal = refuse_unsearched(request.question, request.raw, self.settings.maximum_question_characters)
        return request.assembly.refusal(refusal) if refusal else None

    def _recall_approved(
        self, understanding: Understanding, assembly: Assembly, model: OptionalModel, stopwatch: Stopwatch
    ) -> Answer | None:
        """Return the answer that a person has approved for the question, where its passages still stand."""
        if self._recall is None:
            return None
        with stopwatch.timed("recall"):
            found = self._recall.find(understanding.standalone_question, model.ask)
        if found is None:
            return None
        approved, answer = found
        return assembly.approved(Approval(id=approved.id, date=approved.approved_at.date()), answer)

    def _uses(self, rule: Rule) -> bool:
        return rule not in self.settings.rules_off

    def _understand(self, request: _Request) -> Understanding:
        return understand(request.question, request.history, request.model, find_question=self._uses("imperative"))

    def _retrieve(self, request: _Request, limit: int) -> tuple[Understanding, Retrieved]:
        with request.stopwatch.timed("condense"):
            understanding = self._understand(request)
        exchanges = recent_exchanges(request.history)
        return understanding, retrieve(
            understanding, exchanges, self._retriever, limit, request.model, request.stopwatch
        )

    def _gather(self, question: str, retrieved: Retrieved, stopwatch: Stopwatch) -> Evidence:
        searched = retrieved.searched
        with stopwatch.timed("retrieve"):
            statistics = self._retriever.word_statistics(searched.standalone_question)
        with stopwatch.timed("select"):
            found = {result.chunk.document_id for result in retrieved.chunks}
            precedence = Precedence(self._catalogue.relations(found), (question, *searched.wordings))
            return gather_evidence(
                retrieved,
                statistics,
                precedence,
                self._comparing,
                self._calibration.sentence,
                demote_copies=self._uses("demotion"),
            )

    def _judge(self, question: str, evidence: Evidence, model: OptionalModel, stopwatch: Stopwatch) -> Judgement:
        with stopwatch.timed("judge"):
            judgement = None
            if evidence.ranked:
                judgement = model.ask(
                    lambda session: judge_with_model(session, question, evidence.ranked, self._calibration), None
                )
            return judgement or judge_by_words(evidence.ranked, self._calibration)

    def _judge_and_write(self, request: _Request, retrieved: Retrieved, evidence: Evidence) -> Writing:
        question = retrieved.searched.standalone_question
        judgement = self._judge(question, evidence, request.model, request.stopwatch)
        return self._writer.write(question, evidence, judgement, request.threshold, request.model, request.stopwatch)

    def _write_document_date(self, retrieved: Retrieved) -> Writing | None:
        """Return the document's own date where that is asked for: it needs no judgement, it is there or it is not."""
        if not self._uses("document_date"):
            return None
        draft = document_date(
            retrieved.searched.standalone_question, retrieved.chunks, self._catalogue, self._catalogue.count_documents
        )
        if draft is None:
            return None
        return Writing((draft,), 1.0, tuple((document.document_id, span) for document, span in draft.sources))

    def _refuse_by_rule(
        self, question: str, retrieved: Retrieved, evidence: Evidence, passages: Sequence[Citation]
    ) -> Refusal | None:
        """Return why the question cannot be answered whatever the evidence says, or None."""
        if self._uses("collection") and (refusal := refuse_collection(question, passages)):
            return refusal
        if not self._uses("premise"):
            return None
        premise = contradicted_premise(retrieved.searched.standalone_question, evidence.ranked)
        if premise is None:
            return None
        return refuse_premise(question, premise, cite(self._catalogue, [premise.sentence]), self._suggestions(question))

    def _check(self, retrieved: Retrieved, writing: Writing, evidence: Evidence, model: OptionalModel) -> Checked:
        question = retrieved.searched.standalone_question
        return check(
            question,
            writing.drafts,
            writing.alternatives,
            evidence,
            self._catalogue,
            self._comparing,
            model,
            name_disagreements=self._uses("disagreement"),
        )

    def _maker(self, writing: Writing, evidence: Evidence) -> Maker:
        """Return who judged the evidence and drafted from it."""
        if writing.by_model and self._language_model is not None:
            return Maker(self.settings.answerer, self._language_model.name)
        return Maker(model_missing=self.settings.answerer != "extractive" and bool(evidence.ranked))

    def _ask_without_model(self, question: str) -> Answer:
        """Return the answer to a question without the language model: quick enough to try many."""
        return _last(self._answer(self._receive(question, (), None, None))).answer

    def _suggestions(self, question: str) -> list[str]:
        return [one for one in self._examples.kept() or () if one != question][:_SUGGESTIONS]


def _last(events: Iterator[Event]) -> Finished:
    for event in events:
        if isinstance(event, Finished):
            return event
    raise AssertionError("the stream ended without an answer")
