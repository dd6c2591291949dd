"""Visitors without a browser: they ask as the page does, each from an address of their own, and take the time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

# Generous: what is late is counted as late, not as a failure.
PATIENCE = 120.0


@dataclass
class Asked:
    """What became of a question, with seconds from sending it.

    Attributes:
        status: Of the request that asks; what it says when it is not 200.
        seen: When a part of each kind was there first.
        last: The last part: the answer or a fault.
        error: What went wrong on the way.
    """

    status: int = 0
    said: str = ""
    seen: dict[str, float] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def answered(self) -> bool:
        return self.last.get("slot") == "answer"


class Visitor:
    """Asks questions at an application that trusts its tests as a proxy.

    Args:
        client: Connected to the application.
        address: Where the visitor seems to come from.
    """

    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self._client = client
        self._headers = {"x-forwarded-for": address}

    async def ask(self, question: str, history: list[dict[str, str]] | None = None) -> Asked:
        """Ask, and listen until the answer is complete."""
        asked = Asked()
        try:
            async with asyncio.timeout(PATIENCE):
                async for _ in self.parts(question, asked, history):
                    pass
        except (httpx.HTTPError, TimeoutError) as error:
            asked.error = repr(error)
        return asked

    async def parts(
        self, question: str, asked: Asked, history: list[dict[str, str]] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the parts as they come; whoever stops reading has left."""
        session, begun = uuid4().hex[:11], time.perf_counter()
        said = {"turn": session, "language": "en", "history": history or []}
        joined = await self._client.post(
            "/gradio_api/queue/join",
            json={"data": [question, said], "fn_index": 0, "session_hash": session},
            headers=self._headers,
        )
        asked.status = joined.status_code
        if asked.status != 200:
            asked.said = joined.text
            return
        shown, value = 0, None
        async with self._client.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": session}, headers=self._headers
        ) as events:
            async for line in events.aiter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") in ("process_generating", "process_completed") and message["output"].get("data"):
                    value = _patched(value, message["output"]["data"][0], message["msg"])
                    for part in value["parts"][shown:]:
                        shown += 1
                        asked.seen.setdefault(part["slot"], time.perf_counter() - begun)
                        asked.last = part
                        yield part
                if message.get("msg") == "process_completed":
                    if not message["success"]:
                        asked.error = str(message["output"])
                    return
        asked.error = "the stream ended"


def _patched(value: Any, data: Any, message: str) -> Any:
    """Return a value after a message: the first is whole, later ones hold what changed, the last is whole again."""
    if message == "process_completed" or value is None or not isinstance(data, list):
        return data
    value = json.loads(json.dumps(value))
    for action, path, change in data:
        if not path:
            value = change
            continue
        parent = value
        for step in path[:-1]:
            parent = parent[step]
        if action == "append":
            parent[path[-1]] += change
        elif action == "add" and isinstance(parent, list):
            parent.insert(path[-1], change)
        elif action == "delete":
            del parent[path[-1]]
        else:
            parent[path[-1]] = change
    return value


def quantile(values: list[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(0, -(-int(share * 1000 * len(values)) // 1000) - 1)]
