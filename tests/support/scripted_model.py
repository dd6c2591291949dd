"""A language model that says what a test tells it to: for what a real one cannot be steered to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from bot.language_model import CancelledError, ModelUnavailableError, Prompt

Reply = str | Exception


class ScriptedModel:
    """Implements `LanguageModel`. Every request is kept in `asked`.

    Args:
        write: The reply to a prompt that asks for words; a string, an error, or a function of the prompt.
        odds: The same for one that asks Yes or No.
        is_ready: What `ready` returns.
    """

    name = "scripted"

    def __init__(
        self,
        write: Reply | Callable[[Prompt], Reply] = "",
        odds: float | Exception | Callable[[Prompt], float | Exception] = 3.0,
        *,
        is_ready: bool = True,
    ) -> None:
        self._write = write
        self._odds = odds
        self._is_ready = is_ready
        self.asked: list[Prompt] = []
        self.closed = False

    def log_odds(self, prompt: Prompt, cancel: threading.Event | None = None) -> float:
        """Return or raise what the script says."""
        self._note(prompt, cancel)
        value = self._odds(prompt) if callable(self._odds) else self._odds
        if isinstance(value, Exception):
            raise value
        return value

    def complete(
        self, prompt: Prompt, maximum_tokens: int, *, stop: Sequence[str] = (), cancel: threading.Event | None = None
    ) -> Iterator[str]:
        """Yield what the script says, word by word."""
        del maximum_tokens, stop
        self._note(prompt, cancel)
        reply = self._write(prompt) if callable(self._write) else self._write
        if isinstance(reply, Exception):
            raise reply
        for word in reply.split(" "):
            if cancel is not None and cancel.is_set():
                raise CancelledError
            yield f"{word} "

    def ready(self) -> bool:
        """Return what the test chose."""
        return self._is_ready

    def warm_up(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Remember it."""
        self.closed = True

    def _note(self, prompt: Prompt, cancel: threading.Event | None) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError
        self.asked.append(prompt)


def unavailable() -> ModelUnavailableError:
    """Return the error of a model that is down."""
    return ModelUnavailableError("The language model is down: start it again.")
