"""The server of a remote model: does it answer, and does it say how sure it is?"""

from __future__ import annotations

import asyncio

from bot.doctor.finding import State
from bot.settings import Settings

_SECONDS = 20.0
_ADVICE = "check the server, FOOTNOTE_REMOTE_URL and FOOTNOTE_REMOTE_KEY"


def check_model_server(settings: Settings) -> tuple[State, str]:
    """Ask the server for its models, then for one word with its probability.

    Raises:
        SettingsError: The settings of the remote model cannot be used.
    """
    from bot.language_model.endpoint import EndpointError  # noqa: PLC0415  # takes seconds to import
    from bot.language_model.remote import ask_who_is_there, remote_url  # noqa: PLC0415

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
    from bot.language_model import Prompt  # noqa: PLC0415
    from bot.language_model.endpoint import ChatEndpoint, EndpointError  # noqa: PLC0415
    from bot.language_model.limits import Limits  # noqa: PLC0415

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
