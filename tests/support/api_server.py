"""The API of a real chatbot, served for real, with keys to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai

from bot.storage.api_keys import SCOPES, ApiKeys
from tests.browser.running import running

QUESTION = "How much is reserved for the AI research institute?"


@dataclass(frozen=True)
class ApiServer:
    """Where the API is, the table of keys, and one that opens everything."""

    address: str
    keys: ApiKeys
    key: str

    def http(self, key: str | None = None) -> httpx.Client:
        """Return a client that shows a key, the one for everything unless another is given; none when empty."""
        shown = self.key if key is None else key
        headers = {"authorization": f"Bearer {shown}"} if shown else {}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60, trust_env=False)

    def openai(self, key: str | None = None) -> openai.OpenAI:
        """Return OpenAI's own client."""
        return openai.OpenAI(
            base_url=f"{self.address}/v1",
            api_key=self.key if key is None else key,
            max_retries=0,
            timeout=60,
            http_client=openai.DefaultHttpxClient(trust_env=False),
        )


@contextmanager
def api_server(chatbot: Any, folder: Path) -> Iterator[ApiServer]:
    """Serve a chatbot, with the tables of the application in a folder."""
    url = f"sqlite:///{folder / 'served.db'}"
    with closing(ApiKeys(url)) as keys, running(chatbot, url, keys=keys) as address:
        yield ApiServer(address, keys, keys.add("everything", SCOPES))
