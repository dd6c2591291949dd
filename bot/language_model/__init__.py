"""What Footnote asks of a language model: how likely Yes is, and a short reply.

ModelUnavailableError       the model cannot be used now: the answer is made without it
    RequestRefusedError     the model works; it turned down this one request, for its length for example
CancelledError              the reader left: nobody waits for the reply any more
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from index.errors import FootnoteError


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request: what stays the same for every question comes first, so that its computation is reused.

    Attributes:
        system: Who the model is and what it has to do.
        user: The material and the question.
    """

    system: str
    user: str


class LanguageModel(Protocol):
    """A model that judges with one token and writes a few sentences, always at temperature 0.

    Every method may be called from several threads at once.

    Attributes:
        name: What an answer's provenance says, such as the file name of the weights or the id of a remote model.
    """

    @property
    def name(self) -> str:
        """What an answer's provenance says."""
        ...

    def log_odds(self, prompt: Prompt, cancel: threading.Event | None = None) -> float:
        """Return the natural logarithm of P(reply starts with Yes) / P(reply starts with No).

        Raises:
            ModelUnavailableError: The model is missing, unreachable, too slow, or talks nonsense.
            CancelledError: `cancel` was set.
        """
        ...

    def complete(
        self,
        prompt: Prompt,
        maximum_tokens: int,
        *,
        stop: Sequence[str] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[str]:
        """Yield the pieces of the reply. Closing the iterator early stops the model.

        Raises:
            ModelUnavailableError: While iterating; what was yielded before it is the beginning of a broken reply.
            CancelledError: `cancel` was set.
        """
        ...

    def ready(self) -> bool:
        """Return whether a call would be tried now: the weights are there, the last calls did not fail."""
        ...

    def warm_up(self) -> None:
        """Do now what the first call would have to wait for."""
        ...

    def close(self) -> None:
        """Let go of connections and processes. Calls under way end."""
        ...


class ModelUnavailableError(FootnoteError):
    """The language model cannot be used now. The message says what, where, and what to do."""


class RequestRefusedError(ModelUnavailableError):
    """The model turned down one request and would answer another."""


class CancelledError(Exception):
    """The reader left before the reply was complete."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may take, in seconds.

    Attributes:
        connect: Until the connection stands.
        first_token: Until the first piece of text, a second attempt included.
        between_tokens: From one piece of text to the next.
        total: The whole reply.
    """

    connect: float = 3.0
    first_token: float = 20.0
    between_tokens: float = 10.0
    total: float = 90.0
