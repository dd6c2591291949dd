"""From ranked sentences to a judged answer, with a language model: look, look at more where that helps, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from bot.answer_type import AnswerType, may_answer
from bot.consult import Consultation
from bot.evidence import QuestionWords
from bot.excerpts import Excerpt, choose_excerpts, widen
from bot.facts import missing_facts
from bot.judge import Calibration, Glance, Judged, Opinion, judge_glance, judge_opinion
from bot.reading import Reading, Written
from bot.whole_answer import complete_answer

# Below this a glance is trusted: fewer than one in twenty would be answered rightly, and writing takes seconds.
_HOPELESS = 0.05
# What a question takes for granted, and its answer must stand beside: "Who won in 1974?" is not answered by who won in
# 1972, nor "What is not allowed?" by what is.
_TAKEN_FOR_GRANTED = frozenset(("number", "date", "time", "negation", "comparison"))
# Log-odds above which no more is shown: two to one. Looking again takes as long as the first look.
_CONVINCED = 0.75


@dataclass(frozen=True, slots=True)
class Deliberation:
    """What came of looking and writing.

    Attributes:
        excerpts: What the model was shown.
        confidence: Probability that the answer is right; 0 when the model was to write one and declined.
        glance: What was known before writing.
        opinion: What was known after it; None when nothing was written.
        written: The answer, sentence by sentence, unverified; empty when nothing was written.
    """

    excerpts: tuple[Excerpt, ...]
    confidence: float
    glance: Glance
    opinion: Opinion | None = None
    written: tuple[Written, ...] = ()


def deliberate(
    consultation: Consultation,
    question: str,
    asked: QuestionWords,
    ranked: Sequence[Judged],
    calibration: Calibration,
    *,
    timed: Callable[[str], AbstractContextManager[None]] = lambda _stage: nullcontext(),
    thorough: bool = False,
) -> Deliberation:
    """Return a judged answer to a question from the best sentences.

    Args:
        consultation: The model.
        question: Standing alone, in the language of the excerpts.
        asked: Its words.
        ranked: Sentences of evidence, best first; at least one.
        calibration: Parameters of the judge.
        timed: Measures a stage: `judge` for looking, `compose` for writing.
        thorough: Write even when a glance says that it is hopeless; what the judge is fitted on.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    reading = Reading(consultation, choose_excerpts(ranked), question)
    with timed("judge"):
        states, is_wide = reading.states_answer(), False
        if states < _CONVINCED and len(wide := widen(reading.excerpts, ranked)) > len(reading.excerpts):
            reading, is_wide = Reading(consultation, wide, question), True
            states = max(states, reading.states_answer())
        glance = Glance(states, float(is_wide))
        confidence = judge_glance(glance, calibration)
    excerpts = reading.excerpts
    if confidence < _HOPELESS and not thorough:
        return Deliberation(excerpts, confidence, glance)
    with timed("compose"):
        written = complete_answer(reading.reply(), excerpts, ranked, asked, question)
        if not written:
            return Deliberation(excerpts, 0.0, glance)
        opinion = _opinion(written, question, asked.kind)
    return Deliberation(excerpts, judge_opinion(glance, opinion, calibration), glance, opinion, written)


def _opinion(written: Sequence[Written], question: str, kind: AnswerType) -> Opinion:
    answer = " ".join(one.shown() for one in written)
    cited = list(dict.fromkeys(excerpt for one in written for excerpt in one.excerpts))
    titles = list(dict.fromkeys(excerpt.title for excerpt in cited))
    missing = missing_facts(question, [excerpt.text for excerpt in cited], titles)
    return Opinion(
        departs=float(any(fact.kind in _TAKEN_FOR_GRANTED for fact in missing)),
        answers_type=0.5 if kind is AnswerType.OTHER else float(may_answer(answer, question, kind)),
    )
