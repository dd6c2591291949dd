"""The web application, served for real on a free port in a thread of the test."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI

from bot.storage.answers import AnswerRecords
from bot.storage.api_keys import ApiKeys
from bot.web.app import build_app
from bot.web.extensions import Pages
from bot.web.http_server import address_of, open_port


@dataclass(frozen=True)
class Served:
    """An application that is served: its address, and the event loop it runs in."""

    app: FastAPI
    url: str
    loop: asyncio.AbstractEventLoop


@contextmanager
def running(
    chatbot: Any, database_url: str, port: int = 0, groups: Sequence[Pages] = (), keys: ApiKeys | None = None
) -> Iterator[str]:
    """Yield the address of an application around a chatbot, with groups of pages that other packages bring."""
    with (
        closing(AnswerRecords(database_url)) as records,
        serving(build_app(chatbot, records, groups, keys=keys), port) as served,
    ):
        yield served.url


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[Served]:
    """Serve an application until the block ends."""
    listener = open_port("127.0.0.1", port)
    server = _Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, ws="none", proxy_headers=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield Served(app, address_of(listener), server.loop)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
