"""From what was typed to what is asked of the documents: follow-ups completed, other languages translated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.answer.conversation import Turn, recent_exchanges
from bot.answer.inquiry import Inquiry
from bot.stages.question.follow_up import Understanding, condense, rewrite
from bot.stages.question.imperative import as_question, focus
from bot.stages.question.translation import documents_language, is_foreign, translate_question
from index.search.retriever import Retriever


def understand(inquiry: Inquiry, history: Sequence[Turn]) -> None:
    """Find the question in a long message or an order, and complete a follow-up from the conversation.

    By plain means, and by the model where these are unsure.
    """
    inquiry.exchanges = recent_exchanges(history)
    with inquiry.timed("condense"):
        plain = condense(inquiry.question, history)
        alone = plain.standalone_question
        asked = focus(inquiry.question) if alone == inquiry.question else alone
        plain = replace(plain, standalone_question=as_question(asked))
        inquiry.understanding = inquiry.consult(lambda model: rewrite(plain, history, model), plain)


def search(inquiry: Inquiry, retriever: Retriever, limit: int) -> Understanding:
    """Retrieve for a question, and return it in the language of the documents.

    Where it is in another, it is translated and both wordings are searched for. Without a model it stays as it is.

    Args:
        inquiry: Takes what was retrieved.
        retriever: Finds chunks.
        limit: Chunks to find.

    Raises:
        EmptyIndexError: Nothing has been indexed yet.
    """
    understanding = inquiry.understanding
    with inquiry.timed("retrieve"):
        inquiry.retrieved = retriever.retrieve(understanding.wordings, limit, inquiry.exchanges)
    question = understanding.standalone_question
    language = documents_language([result.chunk.text for result in inquiry.retrieved])
    if language is None or not is_foreign(question, language):
        return understanding
    with inquiry.timed("condense"):
        translated = inquiry.consult(lambda model: translate_question(question, language, model), "")
    if not translated:
        return understanding
    # A translation has lost some of the question's words, so what was said before would outweigh what is asked now. A
    # question that leans on it has it filled in.
    with inquiry.timed("retrieve"):
        inquiry.retrieved = retriever.retrieve((translated, question), limit)
    return Understanding(translated, translated)
