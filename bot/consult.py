"""What the language model is asked about one question: does the text state it, write it, is it right."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from bot.excerpts import Excerpt, number_excerpts
from bot.language_model import LanguageModel, Prompt
from prompts.instructions import instruction

_LONGEST_WRITTEN = 80  # tokens; a short sentence and its footnotes, with room for a list
_LONGEST_LINE = 90
_SENTENCE_CHARACTERS = 1_200


@dataclass(frozen=True, slots=True)
class Consultation:
    """A language model, and the reader who may leave while it works."""

    model: LanguageModel
    cancel: threading.Event | None = None

    def prime(self) -> None:
        """Let the model read what all questions share, so that the first one does not wait for it."""
        Reading(self, (), "Is anything said here?").states_answer()

    def log_odds(self, system: str, user: str) -> float:
        """Return the log-odds of Yes against No; errors as in `LanguageModel`."""
        return self.model.log_odds(Prompt(system, user), self.cancel)

    def write(self, system: str, user: str, maximum_tokens: int, stop: Sequence[str] = ()) -> str:
        """Return the whole reply without white space around it; errors as in `LanguageModel`."""
        pieces = self.model.complete(Prompt(system, user), maximum_tokens, stop=stop, cancel=self.cancel)
        return "".join(pieces).strip()

    def write_line(self, system: str, user: str) -> str:
        """Return the first line of the reply, without quotation marks around it."""
        return self.write(system, user, _LONGEST_LINE, stop=("\n",)).strip('"“”「」 ')

    def supports(self, statement: str, sources: Sequence[str]) -> float:
        """Return the log-odds that the sources say the statement."""
        text = "\n".join(" ".join(source.split()) for source in sources)[:_SENTENCE_CHARACTERS]
        user = instruction("checking", "supports", sources=text, statement=statement)
        return self.log_odds(instruction("checking", "system"), user)


@dataclass(frozen=True, slots=True)
class Reading:
    """A question and the excerpts that may answer it, put to a model. Every request shares its beginning."""

    consultation: Consultation
    excerpts: tuple[Excerpt, ...]
    question: str

    def states_answer(self) -> float:
        """Return the log-odds that the excerpts state the answer.

        Kadavath et al., 2022, "Language Models (Mostly) Know What They Know": asked about one proposition, a model
        is better calibrated than when it has to decline by itself.
        """
        return self._log_odds(instruction("reading", "states"))

    def write(self) -> str:
        """Return an answer in one sentence with the numbers of the excerpts it claims to stand on, unverified."""
        return self.consultation.write(
            instruction("reading", "system"), self._material() + instruction("reading", "write"), _LONGEST_WRITTEN
        )

    def is_right(self, answer: str) -> float:
        """Return the log-odds that an answer is right by the excerpts."""
        return self._log_odds(instruction("reading", "right", answer=answer))

    def _material(self) -> str:
        numbered = number_excerpts(self.excerpts)
        return instruction("reading", "material", excerpts=numbered, question=self.question)

    def _log_odds(self, suffix: str) -> float:
        return self.consultation.log_odds(instruction("reading", "system"), self._material() + suffix)
