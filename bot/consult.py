"""A language model as one question uses it: asked in prompts, and let go when the reader leaves."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.fence import Fence
from bot.language_model import CancelledError, LanguageModel, ModelUnavailableError, Prompt
from bot.language_model.patience import is_over
from prompts.instructions import instruction

_LONGEST_LINE = 90  # tokens
_SENTENCE_CHARACTERS = 1_200


@dataclass(frozen=True, slots=True)
class Consultation:
    """A language model, the reader who may leave while it works, and the fence around what documents say."""

    model: LanguageModel
    cancel: threading.Event | None = None
    fence: Fence = field(default_factory=lambda: Fence(""))

    def log_odds(self, system: str, user: str) -> float:
        """Return the log-odds of Yes against No; errors as in `LanguageModel`."""
        with self._bounded():
            return self.model.log_odds(Prompt(system, user), self.cancel)

    def pieces(
        self, system: str, user: str, maximum_tokens: int, stop: Sequence[str] = ()
    ) -> Generator[str, None, None]:
        """Yield the pieces of the reply; closing it early stops the model. Errors as in `LanguageModel`."""
        with self._bounded():
            yield from self.model.complete(Prompt(system, user), maximum_tokens, stop=stop, cancel=self.cancel)

    def write_line(self, system: str, user: str) -> str:
        """Return the first line of the reply, without quotation marks around it."""
        line = "".join(self.pieces(system, user, _LONGEST_LINE, stop=("\n",)))
        return line.strip().strip('"“”「」 ')

    def supports(self, statement: str, sources: Sequence[str]) -> float:
        """Return the log-odds that the sources say the statement."""
        text = "\n".join(" ".join(source.split()) for source in sources)[:_SENTENCE_CHARACTERS]
        user = instruction("checking", "supports", sources=self.fence.around(text), statement=statement)
        return self.log_odds(instruction("checking", "system"), user)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Turn a call that took longer than a reader waits into a model that cannot be used."""
        try:
            yield
        except CancelledError:
            if is_over(self.cancel):
                raise ModelUnavailableError(
                    f"The language model {self.model.name!r} took longer than a reader waits: lower "
                    "answers_at_once, or raise model_patience."
                ) from None
            raise
