"""Every reason not to answer, and the refusal for each: what the documents do not say, and what they say nearby."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer.answer import Citation, Refusal, RefusalReason, escape_markup
from bot.answer.conversation import Turn
from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.judgement.premises import FalsePremise
from bot.stages.question.clarification import readings, unclear_reference
from bot.stages.question.clean import detect_language, has_words, is_about_own_instructions
from bot.stages.question.scope import is_about_the_collection
from index.document import RetrievedChunk
from prompts.replies import reply

# Below this, not even the nearest passages are about the subject.
_NEAR = 0.3
_NEAREST_PASSAGES = 3


def refuse(
    reason: RefusalReason,
    question: str,
    nearest: Sequence[Citation] = (),
    options: Sequence[str] = (),
    passages: Sequence[str] = (),
    wording: str = "",
    **values: object,
) -> Refusal:
    """Return a refusal in the language of the question.

    Args:
        reason: Why there is no answer.
        question: As asked.
        nearest: Passages that come nearest, to be shown.
        options: Questions that the documents do answer.
        passages: Texts that were searched; when all are in another script than the question, the reader is told.
        wording: Name of the message where it is not the one of the reason.
        values: Fill the placeholders of the message.
    """
    language = detect_language(question)
    message = reply(wording or reason, language, **values)
    if passages_in_another_script(question, passages):
        message = f"{message} {reply('other_language', language)}"
    # Words of the documents and of the question are among these.
    offered = tuple(escape_markup(option) for option in options)
    return Refusal(reason=reason, message=escape_markup(message), nearest=tuple(nearest), options=offered)


def reason_for(highest_similarity: float) -> RefusalReason:
    """Return whether the documents are silent on the question or on its whole subject."""
    return "not_in_documents" if highest_similarity >= _NEAR else "no_relevant_passage"


def passages_in_another_script(question: str, passages: Sequence[str]) -> bool:
    """Return whether the question is in Chinese and none of the passages is, or the other way round."""
    is_chinese = detect_language(question) != "en"
    return bool(passages) and all((detect_language(passage) != "en") != is_chinese for passage in passages)


def refuse_unsearched(question: str, raw: str, maximum_characters: int) -> Refusal | None:
    """Return why a message is not searched for, or None.

    Args:
        question: The message as it was cleaned.
        raw: As it was typed.
        maximum_characters: The longest message that is read.
    """
    if len(raw) > maximum_characters:
        return refuse("too_long", question, length=len(raw), maximum=maximum_characters)
    if not has_words(question):
        return refuse("needs_clarification", question)
    if is_about_own_instructions(question):
        return refuse("no_relevant_passage", question, wording="own_instructions")
    return None


def ask_back(question: str, history: Sequence[Turn], retrieved: Sequence[RetrievedChunk]) -> Refusal | None:
    """Return a question back when a pronoun could stand for several of the documents that were found, or None."""
    reference = unclear_reference(question, history)
    options = readings(question, reference, retrieved) if reference else ()
    if not options:
        return None
    return refuse("needs_clarification", question, options=options, wording="unclear_reference", reference=reference)


def refuse_collection(question: str, passages: Sequence[Citation]) -> Refusal | None:
    """Return why a question about all documents at once is not answered from a few of them, or None."""
    if not is_about_the_collection(question):
        return None
    return refuse("not_in_documents", question, passages[:_NEAREST_PASSAGES], wording="whole_collection")


def refuse_premise(
    question: str, premise: FalsePremise, quoted: Sequence[Citation], suggestions: Sequence[str]
) -> Refusal:
    """Return a refusal that shows what the documents say in the place of what the question takes for granted."""
    return refuse("false_premise", question, quoted, suggestions, premise=premise.text)


def refuse_unanswered(
    question: str,
    retrieved: Sequence[RetrievedChunk],
    ranked: Sequence[ScoredSentence],
    passages: Sequence[Citation],
    suggestions: Sequence[str],
) -> Refusal:
    """Return a refusal that shows what the documents say nearby, where they are about the subject at all.

    Args:
        question: As asked.
        retrieved: What was searched.
        ranked: Sentences of evidence.
        passages: The best of them, as citations.
        suggestions: Questions that the documents do answer.
    """
    reason = reason_for(max((one.sentence.features.similarity for one in ranked), default=0.0))
    nearest = passages[:_NEAREST_PASSAGES] if reason == "not_in_documents" else ()
    return refuse(reason, question, nearest, suggestions, [result.chunk.text for result in retrieved])
