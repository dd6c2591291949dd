"""The web application, served for real on a free port in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn

from bot.api_keys import ApiKeys
from bot.records.answers import AnswerRecords
from bot.web.app import build_app
from bot.web.pages import Pages
from bot.web.serve import address_of, open_port


@contextmanager
def running(
    chatbot: Any, database_url: str, port: int = 0, groups: Sequence[Pages] = (), keys: ApiKeys | None = None
) -> Iterator[str]:
    """Yield the address of an application around a chatbot, with groups of pages that other packages bring."""
    listener = open_port("127.0.0.1", port)
    records = AnswerRecords(database_url)
    configuration = uvicorn.Config(
        build_app(chatbot, records, groups, keys=keys),
        log_level="warning",
        timeout_graceful_shutdown=1,
        ws="none",
        proxy_headers=False,
    )
    server = uvicorn.Server(configuration)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        records.close()
