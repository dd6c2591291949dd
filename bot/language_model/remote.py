"""A model on another server: what the settings must say, and whether somebody is there."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from bot.answer.errors import SettingsError
from bot.language_model.client import ChatClient
from bot.settings import Settings


def build_remote_model(settings: Settings) -> ChatClient:
    """Return the client of the server that the settings name; nothing is sent yet.

    Raises:
        SettingsError: The address or the model's name is missing or cannot be used.
    """
    return ChatClient(remote_url(settings), settings.remote_model, settings.remote_key.get_secret_value())


def remote_url(settings: Settings) -> str:
    """Return the checked base address.

    Raises:
        SettingsError: The address or the model's name is missing or cannot be used.
    """
    if not settings.remote_url or not settings.remote_model:
        missing = "remote_url" if not settings.remote_url else "remote_model"
        raise SettingsError(
            f"The answerer 'remote' needs the setting {missing!r}: set FOOTNOTE_{missing.upper()}, for example to "
            f"{'http://localhost:11434/v1' if missing == 'remote_url' else 'qwen2.5:7b'}."
        )
    try:
        parts = urlsplit(settings.remote_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError("The setting 'remote_url' is no http or https address: correct FOOTNOTE_REMOTE_URL.")
    if parts.username or parts.password or parts.query:
        # Addresses are shown in messages, keys never are.
        raise SettingsError(
            "The setting 'remote_url' holds a name, a password or a query: give the key as FOOTNOTE_REMOTE_KEY."
        )
    return settings.remote_url.rstrip("/")


def ask_who_is_there(settings: Settings, *, seconds: float = 3.0) -> str | None:
    """Return None when the server lists its models within the time, else what is wrong, in a few words.

    Raises:
        SettingsError: The settings cannot be used.
    """
    key = settings.remote_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx.get(f"{remote_url(settings)}/models", headers=headers, timeout=seconds)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"cannot be reached ({type(error).__name__})"
    return None if answer.is_success else f"answered with the status {answer.status_code}"
