"""Many visitors at once, and very many one after the other (V1, V7)."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from index.sync import SyncReport
from tests.support.model_server import ModelServer, model_server
from tests.support.visitors import Asked, Visitor, quantile
from tests.support.web_machine import WebMachine

SEEDS = Path(__file__).parent.parent.parent / "seeds"
QUESTIONS = (
    "How much is reserved for the AI research institute?",
    "Who is planning the research institute?",
    "What does the Budget say about innovation?",
    "When was the Digital Policy Office set up?",
    "Which industries are mentioned?",
    "What is the Greater Bay Area?",
    "Who is the mayor of the moon?",
    "香港人工智能研究院獲預留多少撥款？",
)
REPLY = "Yes [1] The 2025-2026 Budget has also announced the reservation of money for the institute."
TOKENS_A_SECOND = 20
# Nobody asks without a break: an answer is read before the next question.
READING_SECONDS = (5.0, 25.0)
UNLIMITED = {
    "FOOTNOTE_VISITOR_QUESTIONS": "",
    "FOOTNOTE_VISITOR_REQUESTS": "",
    "FOOTNOTE_ALL_QUESTIONS": "",
    "FOOTNOTE_TRUSTED_PROXIES": "127.0.0.1",
}


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with model_server() as server:
        server.reply, server.behaviour, server.pause = REPLY, "slow", 1 / TOKENS_A_SECOND
        yield server


@pytest.fixture
def data(tmp_path: Path, index_folder: Callable[..., SyncReport]) -> Path:
    index_folder(SEEDS, tmp_path / "data")
    return tmp_path / "data"


def load_from(visitors: int, seconds: float, url: str) -> list[Asked]:
    """Let visitors ask, read and ask again for a while, and return what became of every question."""
    chance = random.Random(7)

    async def visit(number: int, end: float, client: httpx.AsyncClient) -> list[Asked]:
        visitor, asked = Visitor(client, f"203.0.{number // 250}.{number % 250}"), []
        await asyncio.sleep(chance.uniform(0, READING_SECONDS[1]))
        while time.monotonic() < end:
            asked.append(await visitor.ask(chance.choice(QUESTIONS)))
            await asyncio.sleep(chance.uniform(*READING_SECONDS))
        return asked

    async def run() -> list[Asked]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False, limits=limits) as client:
            await Visitor(client, "203.0.113.250").ask(QUESTIONS[0])  # the first waits for what is loaded late
            end = time.monotonic() + seconds
            groups = await asyncio.gather(*(visit(number, end, client) for number in range(visitors)))
            return [one for group in groups for one in group]

    return asyncio.run(run())


def measure(visitors: int, seconds: float, data: Path, model: ModelServer) -> dict[str, float]:
    remote = {"FOOTNOTE_ANSWERER": "remote", "FOOTNOTE_REMOTE_URL": model.url, "FOOTNOTE_REMOTE_MODEL": "m"}
    machine = WebMachine(data, UNLIMITED | remote)
    machine.start()
    try:
        machine.wait()
        asked = load_from(visitors, seconds, machine.address)
        load = os.getloadavg()[0]
    finally:
        machine.kill()
    wrong = [one for one in asked if not one.answered or one.error]
    assert not wrong, (len(wrong), wrong[0])
    first = [min(one.seen.values()) for one in asked]
    evidence = [one.seen["evidence"] for one in asked if "evidence" in one.seen]
    assert len(evidence) > 0.8 * len(asked)
    figures = {
        "visitors": visitors,
        "seconds": seconds,
        "questions": len(asked),
        "errors": len(wrong),
        "first text p50": statistics.median(first),
        "first text p95": quantile(first, 0.95),
        "evidence p50": statistics.median(evidence),
        "evidence p95": quantile(evidence, 0.95),
        "answer p95": quantile([one.seen["answer"] for one in asked], 0.95),
        "load of the machine": load,
    }
    print(json.dumps(figures))  # noqa: T201  # shown by -s, for docs/public-front.md
    return figures


def test_v1_fifty_visitors_for_a_minute(data: Path, model: ModelServer) -> None:
    """V1 in a minute: no error; the bounds leave room for a machine that others use too."""
    figures = measure(50, 60, data, model)
    assert figures["questions"] >= 50
    assert figures["first text p95"] <= 10
    assert figures["evidence p95"] <= 20


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_v1_fifty_visitors_for_ten_minutes(data: Path, model: ModelServer) -> None:
    """V1: 50 visitors, 10 minutes, 20 tokens a second: 0 errors, first text p95 1 s, evidence p95 2 s."""
    figures = measure(50, 600, data, model)
    assert figures["first text p95"] <= 1
    assert figures["evidence p95"] <= 2


# The soak


def soak(questions: int, sessions_at_once: int, data: Path, marks: int) -> list[dict[str, int]]:
    """Ask many questions, each in a session of its own and every tenth left, and return what the process holds."""
    temporary = data.parent / "temporary"
    temporary.mkdir()
    machine = WebMachine(data, UNLIMITED | {"TMPDIR": str(temporary), "GRADIO_TEMP_DIR": str(temporary / "gradio")})
    machine.start()
    held: list[dict[str, int]] = []

    async def one(client: httpx.AsyncClient, number: int) -> None:
        visitor, asked = Visitor(client, f"203.{number // 62_500}.{number // 250 % 250}.{number % 250}"), Asked()
        async for part in visitor.parts(QUESTIONS[number % len(QUESTIONS)], asked):
            if number % 10 == 0 and part["slot"] == "evidence":
                return  # the reader leaves
        assert asked.answered, asked

    async def run() -> None:
        process = Path("/proc") / str(machine.process_id)
        async with httpx.AsyncClient(base_url=machine.address, timeout=120, trust_env=False) as client:
            for mark in range(marks + 1):
                # Before the first mark everything that is made once is made.
                of_mark = range(mark * (questions // marks), (mark + 1) * (questions // marks)) if mark else range(100)
                pending = iter(of_mark)

                async def work(pending: Iterator[int] = pending) -> None:
                    for number in pending:
                        await one(client, number)

                await asyncio.gather(*(work() for _ in range(sessions_at_once)))
                await asyncio.sleep(2)
                gc.collect()
                pages = int((process / "statm").read_text().split()[1])
                files = sum(1 for path in temporary.rglob("*") if path.is_file())
                held.append(
                    {"rss": pages * 4096, "open files": len(list((process / "fd").iterdir())), "temporary files": files}
                )

    try:
        machine.wait()
        asyncio.run(run())
    finally:
        machine.kill()
    print(json.dumps(held))  # noqa: T201  # shown by -s, for docs/public-front.md
    return held


def assert_flat(held: list[dict[str, int]], questions: int, allowed_mb: float) -> None:
    growth = (held[-1]["rss"] - held[0]["rss"]) / 1e6
    assert growth / (questions / 1_000) < allowed_mb, held
    assert held[-1]["open files"] <= held[0]["open files"] + 10, held
    assert held[-1]["temporary files"] <= held[0]["temporary files"] + 2, held


def test_v7_three_hundred_questions_leave_nothing_behind(data: Path) -> None:
    """V7 in short: files and temporary folder flat, memory without a leak of megabytes a question."""
    assert_flat(soak(300, 4, data, 3), 300, allowed_mb=100)


@pytest.mark.slow
@pytest.mark.timeout(10_000)
def test_v7_twenty_thousand_questions_leave_nothing_behind(data: Path) -> None:
    """V7: 20,000 questions, each in a session of its own: memory below 1 MB in 1,000 questions, files flat."""
    assert_flat(soak(20_000, 4, data, 20), 20_000, allowed_mb=1)
