"""Every reason not to answer, in the order they are looked for: what came in, what was found, what it is worth."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer import Citation, Refusal
from bot.clarify import readings, unclear_reference
from bot.conversation import Turn
from bot.inquiry import Inquiry
from bot.judge import Judged
from bot.own_instructions import is_about_own_instructions
from bot.premise import FalsePremise
from bot.question import has_words
from bot.refuse import reason_for, refuse
from bot.whole_collection import is_about_the_collection

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
