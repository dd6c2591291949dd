"""An answer written by a language model from the excerpts it was shown, and what its reply left out.

A reply may name the places without the words, or the words without the places, or repeat a source with small changes:
these are turned into quotes, and a reply beside the question into no answer.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from bot.answer.answer import escape_markup
from bot.answer.draft import DocumentPlace, Documents, Draft, quote
from bot.language_model.session import ModelSession
from bot.stages.evidence.excerpts import Excerpt
from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.evidence.selection import QuestionWords
from bot.stages.judgement.answerability import AnswerFeatures, Calibration, Judgement, answer_row
from bot.stages.judgement.prompt import AnswerPrompt, WrittenSentence
from bot.stages.question.answer_type import AnswerType, may_answer, must_hold
from bot.stages.question.clean import asks_for_a_thing
from bot.text.facts import missing_facts
from index.text.words import content_words

_MOST_QUOTED = 2
# So many words, nearly all of them a sentence's own, are no answer in other words.
_COPIED_WORDS = 10
_COPIED_SHARE = 0.9


def complete_answer(
    written: tuple[WrittenSentence, ...],
    excerpts: Sequence[Excerpt],
    ranked: Sequence[ScoredSentence],
    asked: QuestionWords,
    question: str,
) -> tuple[WrittenSentence, ...]:
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
    found = tuple(one if one.excerpts or best is None else WrittenSentence(one.text, (best,)) for one in written)
    if asks_for_a_thing(question):
        known = {word.key for word in content_words(question)}
        found = tuple(
            WrittenSentence("", one.excerpts[:_MOST_QUOTED]) if _says_only(one.text, known) else one for one in found
        )
    found = tuple(WrittenSentence("", (source,)) if (source := _copied(one)) else one for one in found)
    if must_hold(question, asked.kind) and not _holds(found, asked, question):
        return ()
    return tuple(one for one in found if one.excerpts and not _is_beside(one, asked, question))


def _holds(written: Sequence[WrittenSentence], asked: QuestionWords, question: str) -> bool:
    return any(may_answer(excerpt.text, question, asked.kind) for one in written for excerpt in one.excerpts)


def _is_beside(one: WrittenSentence, asked: QuestionWords, question: str) -> bool:
    """Return whether nothing that a reply stands on holds a word of the question, or the kind of thing it asks for."""
    return not _holds([one], asked, question) and not any(
        asked.weight_of(excerpt.sentence.words | {word.key for word in content_words(excerpt.text)})
        for excerpt in one.excerpts
    )


def _says_only(text: str, known: Set[str]) -> bool:
    return bool(text) and all(word.key in known for word in content_words(text))


def _copied(one: WrittenSentence) -> Excerpt | None:
    """Return the excerpt that a long reply repeats, with few changes, if it does."""
    words = [word.key for word in content_words(one.text)]
    if len(words) < _COPIED_WORDS:
        return None
    for excerpt in one.excerpts:
        source = {word.key for word in content_words(excerpt.text)}
        if sum(word in source for word in words) >= _COPIED_SHARE * len(words):
            return excerpt
    return None


# What a question takes for granted, and its answer must stand beside: "Who won in 1974?" is not answered by who won in
# 1972, nor "What is not allowed?" by what is.
_TAKEN_FOR_GRANTED = frozenset(("number", "date", "time", "negation", "comparison"))


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a language model wrote.

    Attributes:
        confidence: Probability that the answer is right; 0 when the model declined to write one.
        sentences: The answer, unverified; empty when nothing was written.
        features: What is known of it; None when nothing was written.
    """

    confidence: float
    sentences: tuple[WrittenSentence, ...] = ()
    features: AnswerFeatures | None = None

    def drafts(self, documents: Documents) -> list[Draft]:
        """Return the sentences as drafts, and quotes where the model only named places."""
        drafts: list[Draft] = []
        for one in self.sentences:
            if one.text:
                drafts.append(Draft(escape_markup(one.text), document_places(one.excerpts, documents), "supported"))
            else:
                drafts += [quote(document, span) for document, span in document_places(one.excerpts, documents)]
        return drafts


def write_with_model(
    session: ModelSession,
    question: str,
    asked: QuestionWords,
    ranked: Sequence[ScoredSentence],
    judgement: Judgement,
    calibration: Calibration,
) -> ModelAnswer:
    """Return what the model writes from the excerpts that it judged.

    Args:
        session: The model.
        question: Standing alone, in the language of the excerpts.
        asked: Its words.
        ranked: Sentences of evidence, best first.
        judgement: Made by `judge_with_model`.
        calibration: Parameters of the judge.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    assert judgement.features is not None
    reply = AnswerPrompt(session, judgement.excerpts, question).reply()
    sentences = complete_answer(reply, judgement.excerpts, ranked, asked, question)
    if not sentences:
        return ModelAnswer(0.0)
    features = _describe(sentences, question, asked.kind)
    confidence = calibration.opinion.probability(answer_row(judgement.features, features))
    return ModelAnswer(confidence, sentences, features)


def document_places(excerpts: Sequence[Excerpt], documents: Documents) -> tuple[DocumentPlace, ...]:
    """Return the excerpts as places in their documents; those that are gone are left out."""
    found = ((documents.document(excerpt.document_id), excerpt) for excerpt in excerpts)
    return tuple(
        (document, excerpt.span)
        for document, excerpt in found
        if document is not None and " ".join(excerpt.span.of(document.text).split()) == excerpt.text
    )


def _describe(written: Sequence[WrittenSentence], question: str, kind: AnswerType) -> AnswerFeatures:
    answer = " ".join(one.shown() for one in written)
    cited = list(dict.fromkeys(excerpt for one in written for excerpt in one.excerpts))
    titles = list(dict.fromkeys(excerpt.title for excerpt in cited))
    missing = missing_facts(question, [excerpt.text for excerpt in cited], titles)
    return AnswerFeatures(
        departs=float(any(fact.kind in _TAKEN_FOR_GRANTED for fact in missing)),
        answers_type=0.5 if kind is AnswerType.OTHER else float(may_answer(answer, question, kind)),
    )
