"""Readers who leave: their place is free, the model is told to stop, and nothing is left behind (V2)."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from bot.chatbot import Chatbot
from bot.language_model.remote import RemoteModel
from bot.storage.answers import AnswerRecords
from bot.web.app import build_app
from tests.browser.running import Served, serving
from tests.support.model_server import ModelServer, model_server
from tests.support.visitors import Asked, Visitor

READERS, ROUNDS = 10, 10
# What is promised holds for the middle of the rounds; one of them may meet a busy machine.
SLOT_SECONDS, UPSTREAM_SECONDS, PATIENCE = 1.0, 2.0, 10.0


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


@pytest.fixture
def served(
    tmp_path: Path, model: ModelServer, index_folder: Callable[..., object], open_chatbot: Callable[..., Chatbot]
) -> Iterator[Served]:
    """The application over a small index, with the model on a server that a test makes hang."""
    (tmp_path / "town.txt").write_text("The town\n\nThe first ferry leaves Mui Wo at 5:55 am.\n")
    index_folder(tmp_path / "town.txt", tmp_path / "data")
    client = RemoteModel(model.url, "m")
    limits = {"visitor_questions": "", "visitor_requests": "", "all_questions": "", "trusted_proxies": ("127.0.0.1",)}
    chatbot = open_chatbot(tmp_path / "data", client, answerer="remote", **limits)
    records = AnswerRecords(chatbot.settings.catalogue_url())
    with serving(build_app(chatbot, records)) as served:
        yield served
    client.close()
    records.close()


async def wait_until(is_so: Callable[[], bool]) -> float:
    """Return how many seconds it took; what takes longer than our patience fails later, by its figure."""
    begun = time.monotonic()
    while not is_so() and time.monotonic() - begun < PATIENCE:
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


@pytest.mark.parametrize("behaviour", ["hang", "hang midway"])
def test_v2_a_hundred_readers_leave_and_nothing_of_them_stays(
    served: Served, model: ModelServer, behaviour: str
) -> None:
    """V2: before the first token and in mid-answer: slot free within 1 s, upstream closed within 2 s, 0 tasks left."""
    service = served.app.state.answer_service
    model.behaviour = "error"

    async def leave(client: httpx.AsyncClient, number: int, waiting: asyncio.Barrier) -> None:
        visitor = Visitor(client, f"203.0.113.{number}")
        async with aclosing(visitor.parts("When does the first ferry leave?", Asked())) as parts:
            async for part in parts:
                if part["slot"] == "evidence":
                    break
            while model.open_requests < READERS:
                await asyncio.sleep(0.02)
            await waiting.wait()

    async def rounds() -> tuple[list[float], list[float]]:
        slots, upstream = [], []
        async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:
            await Visitor(client, "203.0.113.99").ask("When does the first ferry leave?")
            model.behaviour = behaviour
            before = len(asyncio.all_tasks(served.loop))
            for _ in range(ROUNDS):
                barrier = asyncio.Barrier(READERS)
                async with asyncio.timeout(60):
                    await asyncio.gather(*(leave(client, number, barrier) for number in range(READERS)))
                slots.append(await wait_until(lambda: service.count() == (0, 0) and service.free_slots == 16))
                upstream.append(slots[-1] + await wait_until(lambda: not model.open_requests))
            await wait_until(lambda: len(asyncio.all_tasks(served.loop)) <= before)
            assert len(asyncio.all_tasks(served.loop)) <= before
        return slots, upstream

    slots, upstream = asyncio.run(rounds())
    assert statistics.median(slots) <= SLOT_SECONDS, slots
    assert statistics.median(upstream) <= UPSTREAM_SECONDS, upstream
    assert max(upstream) < PATIENCE
    model.behaviour = "error"

    async def one_more() -> Asked:
        async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:
            return await Visitor(client, "203.0.113.98").ask("When does the first ferry leave?")

    assert asyncio.run(one_more()).answered
