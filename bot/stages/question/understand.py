"""The first stage: from what was typed to a question that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.answer.conversation import Turn
from bot.answer.understanding import Understanding
from bot.language_model.session import OptionalModel
from bot.stages.question.follow_up import condense, rewrite
from bot.stages.question.imperative import as_question, find_questions


def understand(
    question: str, history: Sequence[Turn], model: OptionalModel, *, find_question: bool = True
) -> Understanding:
    """Return the question that a message asks, completed from the conversation.

    A long message is reduced to the sentences that ask, an imperative becomes a question, and a follow-up takes what it
    needs from the turns before: by rules, or by the language model where there is one.

    Args:
        question: Cleaned.
        history: The turns before it, oldest first.
        model: Rewrites follow-ups.
        find_question: Whether to look for the question in a long message or an imperative.
    """
    understood = condense(question, history)
    standalone = understood.standalone_question
    if find_question:
        asked = find_questions(question) if standalone == question else standalone
        understood = replace(understood, standalone_question=as_question(asked))
    return model.ask(lambda session: rewrite(understood, history, session), understood)
