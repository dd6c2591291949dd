"""What a model left out of its reply: where the answer stands, or the answer itself.

From ranked sentences to a judged answer, with a language model: look, look at more where that helps, write.

Drafts from what a language model wrote: each sentence with the places it claims to stand on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from bot.answer.answer import escape_markup
from bot.answer.draft import Documents, Draft, quote
from bot.language_model.session import Consultation
from bot.stages.evidence.excerpts import Excerpt, choose_excerpts, widen
from bot.stages.evidence.sentences import QuestionWords
from bot.stages.judgement.answer_prompt import Reading, Written
from bot.stages.judgement.answerability import Calibration, Glance, Judged, Opinion, judge_glance, judge_opinion
from bot.stages.question.answer_type import AnswerType, may_answer, must_hold
from bot.stages.question.clean import asks_for_a_thing
from bot.text.facts import missing_facts
from index.document import Document, Span
from index.text.words import content_words

_MOST_QUOTED = 2
# So many words, nearly all of them a sentence's own, are no answer in other words.
_COPIED_WORDS = 10
_COPIED_SHARE = 0.9


def complete_answer(
    written: tuple[Written, ...],
    excerpts: Sequence[Excerpt],
    ranked: Sequence[Judged],
    asked: QuestionWords,
    question: str,
) -> tuple[Written, ...]:
    """Return what the model replied with what it left out, as quotes.

    A reply that says only that the answer is there stands on the likeliest sentence. One that only turns the question
    round ("What did she win?" "She won.") gives way to the sentences that it names, and one that copies most of a long
    sentence to the whole of it, whose end may be what was asked for. What stands on a sentence that holds neither a
    word of the question nor the kind of thing it asks for is no answer; nor is any where "when" gets no time and "how
    many" no number.

    Args:
        written: The reply.
        excerpts: What the model was shown.
        ranked: Sentences of evidence, best first; the excerpts were made of the first of them.
        asked: The words of the question.
        question: Standing alone.
    """
    if not written:
        return ()
    best = next((one for judged in ranked for one in excerpts if one.sentence is judged.sentence), None)
    found = tuple(one if one.excerpts or best is None else Written(one.text, (best,)) for one in written)
    if asks_for_a_thing(question):
        known = {word.key for word in content_words(question)}
        found = tuple(Written("", one.excerpts[:_MOST_QUOTED]) if _says_only(one.text, known) else one for one in found)
    found = tuple(Written("", (source,)) if (source := _copied(one)) else one for one in found)
    if must_hold(question, asked.kind) and not _holds(found, asked, question):
        return ()
    return tuple(one for one in found if one.excerpts and not _is_beside(one, asked, question))


def _holds(written: Sequence[Written], asked: QuestionWords, question: str) -> bool:
    return any(may_answer(excerpt.text, question, asked.kind) for one in written for excerpt in one.excerpts)


def _is_beside(one: Written, asked: QuestionWords, question: str) -> bool:
    """Return whether nothing that a reply stands on holds a word of the question, or the kind of thing it asks for."""
    return not _holds([one], asked, question) and not any(
        asked.weight_of(excerpt.sentence.words | {word.key for word in content_words(excerpt.text)})
        for excerpt in one.excerpts
    )


def _says_only(text: str, known: Set[str]) -> bool:
    return bool(text) and all(word.key in known for word in content_words(text))


def _copied(one: Written) -> Excerpt | None:
    """Return the excerpt that a long reply repeats, with few changes, if it does."""
    words = [word.key for word in content_words(one.text)]
    if len(words) < _COPIED_WORDS:
        return None
    for excerpt in one.excerpts:
        source = {word.key for word in content_words(excerpt.text)}
        if sum(word in source for word in words) >= _COPIED_SHARE * len(words):
            return excerpt
    return None


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


def write_drafts(deliberation: Deliberation, documents: Documents) -> Iterator[Draft]:
    """Yield the written sentences as drafts that have yet to be verified, and quotes where the model only pointed."""
    for one in deliberation.written:
        if one.text:
            yield Draft(escape_markup(one.text), places_of(one.excerpts, documents), "supported")
            continue
        for document, span in places_of(one.excerpts, documents):
            yield quote(document, span)


def places_of(excerpts: Sequence[Excerpt], documents: Documents) -> tuple[tuple[Document, Span], ...]:
    """Return the excerpts as places in their documents; those that are gone are left out."""
    found = ((documents.document(excerpt.document_id), excerpt) for excerpt in excerpts)
    return tuple(
        (document, excerpt.span)
        for document, excerpt in found
        if document is not None and " ".join(excerpt.span.of(document.text).split()) == excerpt.text
    )
