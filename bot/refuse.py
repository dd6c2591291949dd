"""Refusals: what the documents do not say, and what they say nearby, labelled as such."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer import Citation, Refusal, RefusalReason, escape_markup
from bot.question import detect_language
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
