"""A question and the excerpts that may answer it, put to a language model, and its reply parsed.

The model is asked one thing in one form: reply Yes, the numbers of the sentences that state the answer, and the answer;
or No. The odds of the first word judge, the numbers select, the rest is the draft. All of it shares one prompt, whose
beginning is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import regex

from bot.language_model.session import ModelSession
from bot.stages.evidence.excerpts import Excerpt, number_excerpts
from prompts.instructions import instruction

_LONGEST_REPLY = 80  # tokens; a short sentence and its numbers, with room for a list
# A reply that begins like a sentence of the text goes on like it: so many words are enough to know.
_COPIED_WORDS = 7
_LONGEST_UNFINISHED = 160  # characters; what is longer and has no end was cut off

_YES = regex.compile(r"^(?:\s*Reply\s*:)?\s*(?:Yes\b|是(?=[\s,，。:：\[]))?[\s,.:，。：]*", regex.IGNORECASE)
_NO = regex.compile(r"^(?:\s*Reply\s*:)?\s*(?:No|否)\b", regex.IGNORECASE)
# A run of footnotes such as "[1], [3]" or "[1, 2] and [4]", and the spaces around it.
_NUMBERS = regex.compile(r"\s*(?:(?:[,，、]?\s*(?:and\s+)?)\[\d+(?:\s*[,，]\s*\d+)*\])+[,，、:：]?\s*")
_WORD = regex.compile(r"[\p{L}\p{N}]")
_SENTENCE_END = regex.compile(r"(?<=[.!?。！？])\s+")
_ENDS = regex.compile(r"[.!?。！？][\"'”’」』)）]*$")


@dataclass(frozen=True, slots=True)
class WrittenSentence:
    """One sentence as the model wrote it, and the excerpts it names as its source.

    Attributes:
        text: Empty where the excerpts themselves are the answer.
        excerpts: Empty where the model says that the answer is there, and neither what it is nor where.
    """

    text: str
    excerpts: tuple[Excerpt, ...]

    def shown(self) -> str:
        """Return the words that a reader would see, unverified."""
        return self.text or " ".join(excerpt.text for excerpt in self.excerpts)


@dataclass(frozen=True, slots=True)
class AnswerPrompt:
    """A question and some excerpts, put to a model."""

    session: ModelSession
    excerpts: tuple[Excerpt, ...]
    question: str

    def log_odds(self) -> float:
        """Return the log-odds that the excerpts state the answer.

        Kadavath et al., 2022, "Language Models (Mostly) Know What They Know": asked about one proposition, a model
        is better calibrated than when it has to decline by itself.
        """
        return self.session.log_odds(instruction("reading", "system"), self._material())

    def reply(self) -> tuple[WrittenSentence, ...]:
        """Return the answer sentence by sentence, unverified; nothing where the model replies No.

        Writing ends as soon as the model is seen to copy a sentence: that is quoted, which is faster and exact.
        """
        text = ""
        pieces = self.session.pieces(instruction("reading", "system"), self._material(), _LONGEST_REPLY)
        with closing(pieces):
            for piece in pieces:
                text += piece
                if self._copied(text) is not None or "\n" in text.strip():
                    break
        copied = self._copied(text)
        return (
            (WrittenSentence("", (copied,)),) if copied else parse_reply(text.strip().partition("\n")[0], self.excerpts)
        )

    def _copied(self, text: str) -> Excerpt | None:
        """Return the excerpt that a reply is repeating from its beginning, if it is."""
        body = _folded(_NUMBERS.sub(" ", _YES.sub("", text)))
        if body.count(" ") < _COPIED_WORDS:
            return None
        return next((one for one in self.excerpts if _folded(one.text).startswith(body)), None)

    def _material(self) -> str:
        fenced = self.session.fence.around(number_excerpts(self.excerpts))
        return instruction("reading", "material", excerpts=fenced, question=self.question)


def prime(session: ModelSession) -> None:
    """Have the model read the instructions that all questions share, so that the first question need not wait for it.

    The second prompt begins with other instructions, which the checking stage uses.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The call was cancelled.
    """
    AnswerPrompt(session, (), "Is anything said here?").log_odds()
    session.supports("Something is said.", ("Nothing is said.",))


def parse_reply(reply: str, excerpts: Sequence[Excerpt]) -> tuple[WrittenSentence, ...]:
    """Return the sentences of a reply, each standing on the excerpts that the reply names.

    Numbers may come before, after or within the sentences; those out of range are dropped. A reply that names none may
    be supported by any excerpt. A reply without words, or one that was cut off, is the excerpts themselves.

    Returns:
        Nothing for No or silence.
    """
    if _NO.match(reply) or not reply.strip():
        return ()
    numbers = dict.fromkeys(int(number) for run in _NUMBERS.findall(reply) for number in regex.findall(r"\d+", run))
    named = tuple(excerpts[number - 1] for number in numbers if 1 <= number <= len(excerpts))
    text = " ".join(_NUMBERS.sub(" ", _YES.sub("", reply)).split())
    text = regex.sub(r"\s+(?=[.!?。！？,，])", "", text)
    is_cut_off = len(text) > _LONGEST_UNFINISHED and not _ENDS.search(text)
    if is_cut_off or not _WORD.search(text):
        return (WrittenSentence("", named),)
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if _WORD.search(sentence)]
    return tuple(WrittenSentence(sentence, named or tuple(excerpts)) for sentence in sentences)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
