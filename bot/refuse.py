"""Refusals: what the documents do not say, and what they say nearby, labelled as such."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer import Citation, Refusal, RefusalReason
from bot.question import detect_language
from prompts.replies import reply

# Below this, not even the nearest passages are about the subject.
_NEAR = 0.3


def refuse(
    reason: RefusalReason,
    question: str,
    nearest: Sequence[Citation] = (),
    options: Sequence[str] = (),
    **values: object,
) -> Refusal:
    """Return a refusal in the language of the question; `values` fill the placeholders of its message."""
    message = reply(reason, detect_language(question), **values)
    return Refusal(reason=reason, message=message, nearest=tuple(nearest), options=tuple(options))


def reason_for(highest_similarity: float) -> RefusalReason:
    """Return whether the documents are silent on the question or on its whole subject."""
    return "not_in_documents" if highest_similarity >= _NEAR else "no_relevant_passage"
