"""From ranked sentences to a judged answer, with a language model: look, write, look again.

What the model cannot state from the excerpts is refused before anything is written when even a glance says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import regex

from bot.answer_type import AnswerType, holds_type
from bot.consult import Consultation, Reading
from bot.evidence import QuestionWords
from bot.excerpts import Excerpt, choose_excerpts
from bot.facts import missing_facts
from bot.judge import Calibration, Glance, Judged, Opinion, judge_glance, judge_opinion
from index.words import content_words

# Below this a glance is trusted: fewer than one in twenty would be answered rightly, and writing takes seconds.
_HOPELESS = 0.05

# A run of footnotes such as "[1], [3]" or "[1, 2] and [4]".
_FOOTNOTES = regex.compile(r"(?:[\s,，、]*(?:and\s+)?\[\d+(?:\s*[,，]\s*\d+)*\])+[,，、]?")
_FOOTNOTES_BEFORE_STOP = regex.compile(rf"({_FOOTNOTES.pattern})\s*([.!?。！？])")
# The labels of the examples in the prompt, which a small model sometimes repeats before it answers.
_LABELS = regex.compile(r"^(?:\s*(?:Stated|Answer)\s*:\s*(?:Yes\b[.,]?\s*(?=Answer\s*:))?)+", regex.IGNORECASE)
_WORD = regex.compile(r"[\p{L}\p{N}]")
_SENTENCE_END = regex.compile(r"(?<=[.!?。！？])\s+")


@dataclass(frozen=True, slots=True)
class Written:
    """One sentence as the model wrote it, and the excerpts it says it stands on."""

    text: str
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True)
class Deliberation:
    """What came of looking, writing and looking again.

    Attributes:
        excerpts: What the model was shown.
        confidence: Probability that the answer is right.
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
        timed: Measures a stage: `judge` for looking, `compose` for writing and looking at it.
        thorough: Write even when a glance says that it is hopeless; what the judge is fitted on.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    excerpts = choose_excerpts(ranked)
    reading = Reading(consultation, excerpts, question)
    with timed("judge"):
        glance = _glance(reading.states_answer(), question, ranked, excerpts)
        confidence = judge_glance(glance, calibration)
    if confidence < _HOPELESS and not thorough:
        return Deliberation(excerpts, confidence, glance)
    with timed("compose"):
        written = parse_written(reading.write(), excerpts)
        answer = " ".join(one.text for one in written)
        if not answer:
            return Deliberation(excerpts, 0.0, glance)
        opinion = _opinion(reading.is_right(answer), answer, question, asked.kind, excerpts)
    return Deliberation(excerpts, judge_opinion(glance, opinion, calibration), glance, opinion, written)


def parse_written(reply: str, excerpts: Sequence[Excerpt]) -> tuple[Written, ...]:
    """Return the sentences of a reply with the excerpts that their `[n]` markers name.

    Markers stand after the sentence's full stop or before it; both are understood. Numbers out of range are dropped.
    """
    text = _FOOTNOTES_BEFORE_STOP.sub(r"\2\1", _LABELS.sub("", " ".join(reply.split())))
    written: list[Written] = []
    start = 0
    for match in _FOOTNOTES.finditer(text):
        numbers = dict.fromkeys(int(number) for number in regex.findall(r"\d+", match.group()))
        named = tuple(excerpts[number - 1] for number in numbers if 1 <= number <= len(excerpts))
        sentences = _sentences(text[start : match.start()])
        written += [Written(sentence, ()) for sentence in sentences[:-1]]
        written += [Written(sentence, named) for sentence in sentences[-1:]]
        start = match.end()
    return (*written, *(Written(sentence, ()) for sentence in _sentences(text[start:])))


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(text.strip()) if _WORD.search(sentence)]


def _glance(states: float, question: str, ranked: Sequence[Judged], excerpts: Sequence[Excerpt]) -> Glance:
    texts = [excerpt.text for excerpt in excerpts]
    return Glance(
        states=states,
        subject_coverage=max(one.sentence.features.subject_coverage for one in ranked[: len(excerpts)]),
        strays=float(any(fact.kind in {"number", "date"} for fact in missing_facts(question, texts))),
    )


def _opinion(right: float, answer: str, question: str, kind: AnswerType, excerpts: Sequence[Excerpt]) -> Opinion:
    texts = [excerpt.text for excerpt in excerpts]
    shown = {word.key for text in (*texts, question) for word in content_words(text)}
    words = [word.key for word in content_words(answer)]
    asked = {word.key for word in content_words(question)}
    titles = list(dict.fromkeys(excerpt.title for excerpt in excerpts))
    return Opinion(
        right=right,
        grounded=sum(word in shown for word in words) / len(words) if words else 0.0,
        invents=float(bool(missing_facts(answer, texts, [*titles, question]))),
        answers_type=0.5 if kind is AnswerType.OTHER else float(holds_type(answer, kind)),
        adds=sum(word not in asked for word in words) / len(words) if words else 0.0,
    )
