"""Refusals: what the documents do not say, and what they say nearby, labelled as such.

Every reason not to answer, in the order they are looked for: what came in, what was found, what it is worth.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer.answer import Citation, Refusal, RefusalReason, escape_markup
from bot.answer.conversation import Turn
from bot.answer.inquiry import Inquiry
from bot.stages.judgement.answerability import Judged
from bot.stages.judgement.premises import FalsePremise
from bot.stages.question.clarification import readings, unclear_reference
from bot.stages.question.clean import detect_language, has_words, is_about_own_instructions
from bot.stages.question.scope import is_about_the_collection
from prompts.replies import reply

# Below this, not even the nearest passages are about the subject.
_NEAR = 0.3


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


_NEAREST_PASSAGES = 3


def decline_unsearched(inquiry: Inquiry, raw: str, maximum_characters: int) -> Refusal | None:
    """Return why a message is not searched for, or None.

    Args:
        inquiry: The message as it was cleaned.
        raw: As it was typed.
        maximum_characters: The longest message that is read.
    """
    question = inquiry.question
    if len(raw) > maximum_characters:
        return refuse("too_long", question, length=len(raw), maximum=maximum_characters)
    if not has_words(question):
        return refuse("needs_clarification", question)
    if is_about_own_instructions(question):
        return refuse("no_relevant_passage", question, wording="own_instructions")
    return None


def ask_back(inquiry: Inquiry, history: Sequence[Turn]) -> Refusal | None:
    """Return a question back when a pronoun could stand for several of the documents that were found, or None."""
    reference = unclear_reference(inquiry.question, history)
    options = readings(inquiry.question, reference, inquiry.retrieved) if reference else ()
    if not options:
        return None
    return refuse(
        "needs_clarification", inquiry.question, options=options, wording="unclear_reference", reference=reference
    )


def decline_collection(inquiry: Inquiry, passages: Sequence[Citation]) -> Refusal | None:
    """Return why a question about all documents at once is not answered from a few of them, or None."""
    if not is_about_the_collection(inquiry.question):
        return None
    return refuse("not_in_documents", inquiry.question, passages[:_NEAREST_PASSAGES], wording="whole_collection")


def decline_premise(
    inquiry: Inquiry, premise: FalsePremise, quoted: Sequence[Citation], offered: Sequence[str]
) -> Refusal:
    """Return a refusal that shows what the documents say in the place of what the question takes for granted."""
    return refuse("false_premise", inquiry.question, quoted, offered, premise=premise.text)


def decline_unanswered(
    inquiry: Inquiry, ranked: Sequence[Judged], passages: Sequence[Citation], offered: Sequence[str]
) -> Refusal:
    """Return a refusal that shows what the documents say nearby, where they are about the subject at all.

    Args:
        inquiry: The question and what was retrieved for it.
        ranked: Sentences of evidence.
        passages: The best of them, as citations.
        offered: Questions that the documents do answer.
    """
    reason = reason_for(max((one.sentence.features.similarity for one in ranked), default=0.0))
    nearest = passages[:_NEAREST_PASSAGES] if reason == "not_in_documents" else ()
    searched = [result.chunk.text for result in inquiry.retrieved]
    return refuse(reason, inquiry.question, nearest, offered, searched)
