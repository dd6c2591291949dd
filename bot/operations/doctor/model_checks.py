"""The server of a remote model: does it answer, and does it say how sure it is?

The embedding model and the language model: there, whole, and answering.
"""

from __future__ import annotations

import asyncio

from bot.answer.errors import SettingsError
from bot.language_model.fetch import is_verified
from bot.language_model.weights import DEFAULT_WEIGHTS, cache_folder, find_weights
from bot.operations.doctor.finding import Check, State
from bot.settings import Settings
from index.embedding.model_files import find_model, identify, is_compiled
from index.errors import FootnoteError

_SECONDS = 20.0
_ADVICE = "check the server, FOOTNOTE_REMOTE_URL and FOOTNOTE_REMOTE_KEY"


def check_model_server(settings: Settings) -> tuple[State, str]:
    """Ask the server for its models, then for one word with its probability.

    Raises:
        SettingsError: The settings of the remote model cannot be used.
    """
    from bot.language_model.endpoint import EndpointError  # takes seconds to import
    from bot.language_model.remote import ask_who_is_there, remote_url

    where = f"{settings.remote_model!r} at {remote_url(settings)}"
    if problem := ask_who_is_there(settings):
        return "warning", f"{where} {problem}: {_ADVICE}"
    try:
        if asyncio.run(_says_how_sure(settings, remote_url(settings))):
            return "ok", f"{where}, with log-probabilities"
    except (EndpointError, TimeoutError) as error:
        return "warning", f"{where} {error or 'is too slow'}: {_ADVICE}"
    return "warning", (
        f"{where} gives no log-probabilities, so its plain Yes or No is all there is to judge by: choose a server that "
        "does, such as llama.cpp or vLLM"
    )


async def _says_how_sure(settings: Settings, url: str) -> bool:
    from bot.language_model import (
        Limits,
        Prompt,
    )
    from bot.language_model.endpoint import ChatEndpoint, EndpointError

    key = settings.remote_key.get_secret_value()
    endpoint = ChatEndpoint(url, settings.remote_model, key, Limits(), trust_environment=True)
    prompt = Prompt("Answer Yes or No.", "Is water wet?")
    try:
        async with asyncio.timeout(_SECONDS):
            try:
                words = await endpoint.first_words(prompt, maximum_tokens=1, top_logprobs=5)
            except EndpointError as error:
                if error.status not in (400, 422, 501):  # refuses what it is asked for, not the asking
                    raise
                words = await endpoint.first_words(prompt, maximum_tokens=1, top_logprobs=0)
        return bool(words.tokens)
    finally:
        await endpoint.close()


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
