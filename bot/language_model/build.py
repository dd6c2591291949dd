"""Chooses the language model that the settings name."""

from __future__ import annotations

from bot.language_model import LanguageModel
from bot.language_model.weights import cache_folder
from bot.settings import Settings


def build_language_model(settings: Settings) -> LanguageModel | None:
    """Return the model, or None where answers are made without one. Nothing is started or sent yet.

    Raises:
        SettingsError: The settings of a remote model are missing or cannot be used.
    """
    model = _choose(settings)
    if model is None or not settings.model_tokens_per_day:
        return model
    from bot.language_model.budget import BudgetedModel  # only where it is used

    return BudgetedModel(model, settings.model_tokens_per_day, settings.limits_storage)


def _choose(settings: Settings) -> LanguageModel | None:
    if settings.answerer == "local":
        from bot.language_model.local import LocalModel  # only where it is used

        return LocalModel(cache_folder(settings.model_cache), settings.gguf)
    if settings.answerer == "remote":
        from bot.language_model.remote import build_remote_model  # its libraries take seconds to import

        return build_remote_model(settings)
    return None
