"""The embedding model and the language model: there, whole, and answering."""

from __future__ import annotations

from bot.doctor.finding import Check, State
from bot.doctor.model_server import check_model_server
from bot.errors import SettingsError
from bot.language_model.fetch import is_verified
from bot.language_model.weights import DEFAULT_WEIGHTS, cache_folder, find_weights
from bot.settings import Settings
from index.embedding.compiled import is_compiled
from index.embedding.model_folder import find_model, identify
from index.errors import FootnoteError


def check_embedding_model(settings: Settings) -> Check:
    """Look for the model, and for the form of it that is fast."""
    name = "embedding model"
    try:
        folder = find_model(settings.embedding_model)
        model_id = identify(settings.embedding_model, folder)
    except FootnoteError as error:
        return Check(name=name, state="failed", message=str(error))
    if settings.embedding_runtime == "torch":
        return Check(name=name, state="ok", message=f"{model_id}, run by PyTorch")
    if is_compiled(model_id, cache_folder(settings.model_cache)):
        return Check(name=name, state="ok", message=f"{model_id}, compiled")
    message = f"{model_id} is not compiled yet: the first `footnote index` does it, which takes a minute"
    return Check(name=name, state="warning", message=message)


def check_language_model(settings: Settings, *, deep: bool) -> Check:
    """Missing weights are a warning: answers are then extractive, and say so."""
    name = "language model"
    if settings.answerer == "extractive":
        return Check(name=name, state="ok", message="none: the answerer is extractive")
    try:
        state, message = (
            check_model_server(settings) if settings.answerer == "remote" else _weights(settings, deep=deep)
        )
    except SettingsError as error:
        return Check(name=name, state="failed", message=str(error))
    except FootnoteError as error:
        return Check(name=name, state="warning", message=str(error))
    return Check(name=name, state=state, message=message)


def _weights(settings: Settings, *, deep: bool) -> tuple[State, str]:
    cache = cache_folder(settings.model_cache)
    path = find_weights(cache, settings.gguf)
    if not deep or path != cache / DEFAULT_WEIGHTS.file_name:
        return "ok", str(path)
    if is_verified(path, DEFAULT_WEIGHTS):
        return "ok", f"{path}, its SHA-256 is right"
    return "failed", f"{str(path)!r} has another SHA-256: delete it and run `footnote model fetch`"
