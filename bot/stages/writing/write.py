"""The fourth stage: drafts of statements, by the language model that judged the evidence or by quoting."""

from __future__ import annotations

from dataclasses import dataclass

from bot.answer.draft import DocumentPlace, Documents, Draft
from bot.answer.timing import Stopwatch
from bot.answer.trace import Place
from bot.language_model.session import OptionalModel
from bot.stages.evidence.citations import places
from bot.stages.evidence.evidence import Evidence
from bot.stages.judgement.answerability import Calibration, Judgement, judge_by_words
from bot.stages.writing.model_answer import document_places, write_with_model
from bot.stages.writing.quotes import choose_sentences, quote_drafts

# Below this confidence nothing is written: fewer than one answer in twenty would be right, and writing takes seconds.
_HOPELESS = 0.05


@dataclass(frozen=True, slots=True)
class Writing:
    """Drafts, and how likely they are right.

    Attributes:
        drafts: In the order they are shown; empty below the threshold.
        confidence: Probability that the answer is right.
        selected: Places of the sentences they were made from.
        alternatives: Places that a repair may cite instead.
        by_model: Whether the language model judged and wrote; else words and quotes.
    """

    drafts: tuple[Draft, ...]
    confidence: float
    selected: tuple[Place, ...]
    alternatives: tuple[DocumentPlace, ...] = ()
    by_model: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the drafts of one chatbot.

    Attributes:
        documents: To quote from.
        calibration: Parameters of the judge.
    """

    documents: Documents
    calibration: Calibration

    def write(
        self,
        question: str,
        evidence: Evidence,
        judgement: Judgement,
        threshold: float,
        model: OptionalModel,
        stopwatch: Stopwatch,
    ) -> Writing:
        """Return drafts from the evidence: the language model's where it judged, else quotes.

        Args:
            question: Standing alone, in the language of the evidence.
            evidence: What may answer.
            judgement: How likely it does.
            threshold: The confidence below which nothing is drafted.
            model: Writes, if it made the judgement; where it fails meanwhile, words judge and quotes answer.
            stopwatch: Times the writing as `compose`.
        """
        if judgement.features is not None:
            with stopwatch.timed("compose"):
                written = self._written(question, evidence, judgement, threshold, model)
            if written is not None:
                return written
            judgement = judge_by_words(evidence.ranked, self.calibration)
        selected = places(choose_sentences(evidence.ranked))
        if judgement.confidence < threshold:
            return Writing((), judgement.confidence, selected)
        with stopwatch.timed("compose"):
            drafts = tuple(quote_drafts(evidence.ranked, self.documents))
        return Writing(drafts, judgement.confidence, selected)

    def _written(
        self, question: str, evidence: Evidence, judgement: Judgement, threshold: float, model: OptionalModel
    ) -> Writing | None:
        """Return what the model writes; None where it fails."""
        selected = places(judgement.excerpts)
        if judgement.confidence < _HOPELESS:
            return Writing((), judgement.confidence, selected, by_model=True)
        answer = model.ask(
            lambda session: write_with_model(
                session, question, evidence.asked, evidence.ranked, judgement, self.calibration
            ),
            None,
        )
        if answer is None:
            return None
        if answer.confidence < threshold:
            return Writing((), answer.confidence, selected, by_model=True)
        drafts = tuple(answer.drafts(self.documents))
        alternatives = document_places(judgement.excerpts, self.documents)
        return Writing(drafts, answer.confidence, selected, alternatives, by_model=True)
