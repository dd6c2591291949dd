"""A language model as one question uses it: its deadline, the fence around what documents say, and doing without it."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from bot.language_model import CancelledError, LanguageModel, ModelUnavailableError, Prompt
from prompts.instructions import instruction

Value = TypeVar("Value")

logger = logging.getLogger(__name__)

# No vowels: no word of a language. Few, because each costs a slow machine a moment.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Fence:
    """Spotlighting: what documents say stands between two lines of letters, drawn for each question.

    A passage that closed its own fence would speak in our place, so letters that it holds are drawn again. It makes a
    model less likely to obey a document (Hines et al., 2024, "Defending Against Indirect Prompt Injection Attacks With
    Spotlighting", arXiv 2403.14720); what the model wrote is verified all the same.

    The same seed makes the same fence, so that a server that keeps the state of a shared beginning need not read the
    passages again, and so that a measured answer can be made again.

    Attributes:
        seed: What nobody who writes a document knows: a secret, the question, the state of the index.
    """

    seed: str

    def around(self, text: str) -> str:
        """Return the text between two lines that stand nowhere in it."""
        mark = next(mark for mark in self._marks() if mark not in text.upper())
        return f"{mark}\n{text}\n{mark}"

    def _marks(self) -> Iterator[str]:
        for number in count():
            digest = hashlib.sha256(f"{number}:{self.seed}".encode("utf-8", "surrogatepass")).digest()
            yield "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_LENGTH])


class Deadline(threading.Event):
    """Is set once the reader has left or has waited long enough; given to a model in place of the reader's event.

    Args:
        left: Set when the reader has left.
        seconds: How long the reader waits, counted from now.
    """

    def __init__(self, left: threading.Event, seconds: float) -> None:
        super().__init__()
        self._left = left
        self._end = time.monotonic() + seconds

    def is_set(self) -> bool:
        """Return whether nobody waits any more."""
        return self._left.is_set() or time.monotonic() > self._end

    def is_over(self) -> bool:
        """Return whether there is a reader still, who has waited long enough."""
        return self.is_set() and not self._left.is_set()


def is_over(cancel: threading.Event | None) -> bool:
    """Return whether a call was cancelled because it took too long, and not because the reader left."""
    return isinstance(cancel, Deadline) and cancel.is_over()


_LONGEST_LINE = 90  # tokens
_SENTENCE_CHARACTERS = 1_200


@dataclass(frozen=True, slots=True)
class ModelSession:
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


class OptionalModel:
    """The language model of one question. After a failure it is not asked again for this question.

    Args:
        session: None where there is no model.
    """

    def __init__(self, session: ModelSession | None = None) -> None:
        self._session = session

    def ask(self, request: Callable[[ModelSession], Value], otherwise: Value) -> Value:
        """Return what the model replies to a request, or `otherwise` without a model or where it fails.

        Raises:
            CancelledError: The reader left.
        """
        if self._session is None:
            return otherwise
        try:
            return request(self._session)
        except ModelUnavailableError as error:
            logger.warning("answering without the language model: %s", error)
            self._session = None
            return otherwise
