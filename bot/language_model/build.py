"""Chooses the language model that the settings name, and keeps it within its tokens of a day."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from typing import cast

from limits import RateLimitItemPerDay
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from bot.language_model import LanguageModel, ModelUnavailableError, Prompt
from bot.language_model.weights import cache_folder
from bot.settings import Settings

# Close enough to what servers count: four letters of English, one or two ideographs.
_BYTES_OF_A_TOKEN = 4
_KEY = "language model"

logger = logging.getLogger(__name__)


def build_language_model(settings: Settings) -> LanguageModel | None:
    """Return the model, or None where answers are made without one. Nothing is started or sent yet.

    Raises:
        SettingsError: The settings of a remote model are missing or cannot be used.
    """
    model = _choose(settings)
    if model is None or not settings.model_tokens_per_day:
        return model
    return BudgetedModel(model, settings.model_tokens_per_day, settings.limits_storage)


def _choose(settings: Settings) -> LanguageModel | None:
    if settings.answerer == "local":
        from bot.language_model.local import LocalModel  # only where it is used

        return LocalModel(cache_folder(settings.model_cache), settings.gguf)
    if settings.answerer == "remote":
        from bot.language_model.remote import build_remote_model  # its libraries take seconds to import

        return build_remote_model(settings)
    return None


class BudgetedModel:
    """Implements `LanguageModel` with another one and a budget. A call that has begun is never cut off.

    Args:
        model: The model that works.
        tokens: How many tokens, of prompts and replies, may be spent in 24 hours.
        storage: Where they are counted: `memory://`, or a store that several machines share.

    Raises:
        ConfigurationError: The store cannot be used.
    """

    def __init__(self, model: LanguageModel, tokens: int, storage: str) -> None:
        self._model = model
        self._budget = RateLimitItemPerDay(tokens)
        self._counter = FixedWindowRateLimiter(cast(Storage, storage_from_string(storage, wrap_exceptions=True)))

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._model.name

    def log_odds(self, prompt: Prompt, cancel: threading.Event | None = None) -> float:
        """Return what the model says; see `LanguageModel.log_odds`."""
        self._begin(prompt)
        return self._model.log_odds(prompt, cancel)

    def complete(
        self, prompt: Prompt, maximum_tokens: int, *, stop: Sequence[str] = (), cancel: threading.Event | None = None
    ) -> Iterator[str]:
        """Yield what the model writes; see `LanguageModel.complete`."""
        self._begin(prompt)
        pieces = 0
        try:
            for piece in self._model.complete(prompt, maximum_tokens, stop=stop, cancel=cancel):
                pieces += 1
                yield piece
        finally:
            self._spend(pieces)

    def ready(self) -> bool:
        """Return whether the model is ready and something is left to spend."""
        return self._model.ready() and self._is_left()

    def warm_up(self) -> None:
        """Do what the model's first call would have to wait for."""
        self._model.warm_up()

    def close(self) -> None:
        """Let go of the model."""
        self._model.close()

    def _begin(self, prompt: Prompt) -> None:
        if not self._is_left():
            raise ModelUnavailableError(
                f"The {self._budget.amount} tokens of the day are spent: answers are quotations until they are back, "
                "unless you raise model_tokens_per_day."
            )
        self._spend(len(f"{prompt.system}{prompt.user}".encode()) // _BYTES_OF_A_TOKEN + 1)

    def _is_left(self) -> bool:
        try:
            return self._counter.test(self._budget, _KEY)
        except StorageError as error:
            logger.warning("tokens are not counted, the store of the limits cannot be used: %s", error)
            return True

    def _spend(self, tokens: int) -> None:
        try:
            self._counter.hit(self._budget, _KEY, cost=tokens)
        except StorageError as error:
            logger.warning("tokens are not counted, the store of the limits cannot be used: %s", error)
