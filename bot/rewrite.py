"""A follow-up rewritten by a language model where plain means are unsure, and what keeps the model from answering.

A small model asked to rewrite "Who asked?" may answer it, or change a question that needed nothing. So it is asked only
about questions that lean on the conversation, and its line is used only when it is still the same question.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer_type import AnswerType, expected_type
from bot.condense import Understanding, stands_alone
from bot.consult import Consultation
from bot.conversation import Turn, recent_turns
from index.words import content_words, iterate_words
from prompts.instructions import instruction

_TURNS = 4
_TURN_CHARACTERS = 240
_LONGEST = 300
_SPEAKERS = {"user": "Reader", "assistant": "Answer"}


def rewrite(understanding: Understanding, history: Sequence[Turn], consultation: Consultation) -> Understanding:
    """Return the question with what the model says it takes from the conversation, or as it was.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    if not history or stands_alone(understanding.question):
        return understanding
    turns = recent_turns(history)[-_TURNS:]
    conversation = "\n".join(f"{_SPEAKERS[turn.role]}: {_shorten(turn.content)}" for turn in turns)
    line = consultation.write_line(
        instruction("conversation", "system"),
        instruction(
            "conversation",
            "standalone",
            conversation=consultation.fence.around(conversation),
            question=understanding.question,
        ),
    )
    if not is_same_question(understanding.question, line, [turn.content for turn in turns]):
        return understanding
    return Understanding(understanding.question, line, understanding.context or understanding.standalone_question)


def is_same_question(question: str, rewritten: str, said: Sequence[str]) -> bool:
    """Return whether a rewritten question asks what the question asks, with words of the conversation filled in.

    It must end as a question, ask for the same kind of thing, keep what the question says, and add only words that were
    said before.
    """
    if not rewritten.endswith(("?", "？")) or len(rewritten) > _LONGEST:
        return False
    kind = expected_type(question)
    if kind not in (AnswerType.OTHER, expected_type(rewritten)):
        return False
    kept = {word.key for word in iterate_words(rewritten)}
    own = {word.key for word in content_words(question)}
    if len(own & kept) < 0.7 * len(own):
        return False
    known = own | {word.key for text in said for word in iterate_words(text)}
    added = [word.key for word in content_words(rewritten) if word.key not in known]
    return len(added) <= 1 and bool(content_words(rewritten))


def _shorten(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _TURN_CHARACTERS else f"{folded[:_TURN_CHARACTERS]}…"
