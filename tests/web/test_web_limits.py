"""One visitor who asks too much is told so, and the others hardly notice (W5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from bot.answer.errors import SettingsError
from bot.settings import load_settings
from bot.storage.answers import AnswerRecords
from bot.web.app import build_app
from bot.web.rate_limits import caller_of
from tests.browser.running import running
from tests.browser.scripted import ScriptedChatbot
from tests.support.visitors import Asked, Visitor, quantile

JOIN = "/gradio_api/queue/join"
QUESTION = {"data": ["hello", {"turn": "t"}], "fn_index": 0, "session_hash": "s"}


def chatbot_with(delay: float = 0.0, **settings: object) -> ScriptedChatbot:
    chatbot = ScriptedChatbot(delay)
    chatbot.settings = load_settings({"answerer": "extractive", **settings})
    return chatbot


@pytest.fixture
def open_client(tmp_path: Path):
    """Opens an application, with requests coming from 127.0.0.1."""
    with ExitStack() as opened:

        def open_one(**settings: object) -> TestClient:
            records = AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")
            opened.callback(records.close)
            app = build_app(chatbot_with(**settings), records)
            return opened.enter_context(TestClient(app, client=("127.0.0.1", 50_000)))

        yield open_one


OpenClient = Callable[..., TestClient]


def join(client: TestClient, forwarded: str = "", **headers: str) -> httpx.Response:
    headers |= {"x-forwarded-for": forwarded} if forwarded else {}
    return client.post(JOIN, json=QUESTION, headers=headers)


def test_w5_too_many_questions_get_a_sentence_with_the_time_to_wait(open_client: OpenClient) -> None:
    """W5: the flooder is told so, in their language, with how long to wait."""
    client = open_client(visitor_questions="3/minute")
    assert [join(client).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    away = join(client)
    assert 1 <= int(away.headers["retry-after"]) <= 60
    assert away.json()["detail"].startswith("You have asked a lot in a short time; try again in ")
    assert away.json()["detail"].endswith((" seconds.", " second."))
    assert "您在短時間內提問太多" in join(client, **{"accept-language": "zh-HK"}).json()["detail"]
    assert "您在短时间内提问太多" in join(client, **{"accept-language": "zh-CN"}).json()["detail"]
    assert client.get("/").status_code == 200, "reading goes on"


def test_w5_a_forwarded_address_is_believed_of_a_trusted_proxy_only(open_client: OpenClient) -> None:
    """W5: a spoofed X-Forwarded-For is no help, with a proxy or without."""
    direct = open_client(visitor_questions="2/minute")
    assert [join(direct, f"198.51.100.{n}").status_code for n in range(4)] == [200, 200, 429, 429]
    proxied = open_client(visitor_questions="2/minute", trusted_proxies="127.0.0.1")
    # What the visitor wrote stands before what the proxy added.
    assert [join(proxied, f"198.51.100.{n}, 203.0.113.7").status_code for n in range(4)] == [200, 200, 429, 429]
    assert join(proxied, "203.0.113.8").status_code == 200
    assert join(proxied, "127.0.0.1, 203.0.113.7").status_code == 429
    elsewhere = open_client(visitor_questions="2/minute", trusted_proxies="10.0.0.0/8")
    assert [join(elsewhere, f"198.51.100.{n}").status_code for n in range(3)] == [200, 200, 429]


def test_questions_of_all_and_requests_of_one_are_counted_too(open_client: OpenClient) -> None:
    client = open_client(all_questions="2/minute", trusted_proxies="127.0.0.1")
    assert [join(client, f"203.0.113.{n}").status_code for n in range(3)] == [200, 200, 429]
    assert "Many people are asking" in join(client, "203.0.113.9").json()["detail"]
    client = open_client(visitor_requests="2/minute")
    assert [client.get("/robots.txt").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/page/page.css").status_code == 200, "files of the page are free"


def test_addresses_of_one_household_are_one_visitor() -> None:
    def visitor(host: str) -> str:
        return caller_of({"type": "http", "client": (host, 1)})

    assert visitor("2001:db8:1:2::1") == visitor("2001:db8:1:2:ffff::9")
    assert visitor("2001:db8:1:2::1") != visitor("2001:db8:1:3::1")
    assert visitor("::ffff:203.0.113.7") == visitor("203.0.113.7") != visitor("203.0.113.8")
    assert visitor("fe80::1%eth0") == visitor("fe80::2")
    assert caller_of({"type": "http", "client": None}) == ""


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("visitor_questions", "many"),
        ("all_questions", "3 per fortnight"),
        ("limits_storage", "nonsense://x"),
        ("limits_storage", "memory"),
    ],
)
def test_a_limit_that_is_none_is_named(open_client: OpenClient, setting: str, value: str) -> None:
    with pytest.raises(SettingsError, match=setting):
        open_client(**{setting: value})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("trusted_proxies", "*"),
        ("trusted_proxies", "nginx"),
        ("allowed_origins", "*"),
        ("allowed_origins", "https://a.example/path"),
        ("allowed_origins", "a.example"),
    ],
)
def test_who_is_trusted_is_named_exactly(setting: str, value: str) -> None:
    with pytest.raises(SettingsError, match=setting):
        load_settings({setting: value})


def test_a_store_that_is_away_does_not_take_the_page_with_it(open_client: OpenClient, monkeypatch) -> None:
    client = open_client()
    from limits.aio.storage.memory import MemoryStorage
    from limits.errors import StorageError

    async def away(*_: object, **__: object) -> int:
        raise StorageError(OSError("connection refused"))

    monkeypatch.setattr(MemoryStorage, "incr", away)
    assert join(client).status_code == 200


# The flood


Running = Callable[[ScriptedChatbot], AbstractContextManager[str]]


async def _readers(url: str, count: int, rounds: int) -> list[Asked]:
    """Let readers ask one question after the other, each at their own pace, and return what became of them."""

    async def one(client: httpx.AsyncClient, number: int) -> list[Asked]:
        visitor, done = Visitor(client, f"203.0.113.{number}"), []
        for _ in range(rounds):
            done.append(await visitor.ask("What does it cost?"))
            await asyncio.sleep(0.4)
        return done

    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        return [asked for each in await asyncio.gather(*(one(client, n) for n in range(count))) for asked in each]


async def _flood(url: str, questions: int, seconds: float) -> list[int]:
    """Send questions and bodies of 50 MB as one visitor who claims to be many, and return the statuses."""

    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:

        async def question(number: int) -> int:
            await asyncio.sleep(seconds * number / questions)
            claim = {"x-forwarded-for": f"198.51.100.{number % 250}, 192.0.2.1"}
            asked = {**QUESTION, "data": ["What does it cost?", {"turn": "t"}], "session_hash": f"f{number}"}
            return (await client.post(JOIN, json=asked, headers=claim)).status_code

        async def body(number: int) -> int:
            await asyncio.sleep(seconds * number / 5)

            async def pieces():
                for _ in range(50):
                    yield b"x" * 1_000_000

            length = {"content-length": "50000000"} if number % 2 else {}
            headers = {"x-forwarded-for": "192.0.2.1", "content-type": "application/json", **length}
            try:
                return (await client.post(JOIN, content=pieces(), headers=headers)).status_code
            except httpx.WriteError:
                return 413  # the server hung up while we were still sending

        return await asyncio.gather(*(question(n) for n in range(questions)), *(body(n) for n in range(5)))


def test_w5_a_flood_makes_the_others_wait_twice_as_long_at_most(tmp_path: Path) -> None:
    """W5: 200 questions in 10 s and 50 MB bodies; the flooder gets 429 and 413, the readers their answers."""
    chatbot = chatbot_with(delay=0.15, trusted_proxies="127.0.0.1")

    async def compare(url: str) -> tuple[list[Asked], list[Asked], list[int]]:
        alone = await _readers(url, count=3, rounds=6)
        flood = asyncio.create_task(_flood(url, questions=200, seconds=10))
        await asyncio.sleep(1)
        beside = await _readers(url, count=3, rounds=6)
        return alone, beside, await flood

    with running(chatbot, f"sqlite:///{tmp_path / 'footnote.db'}") as url:
        httpx.get(f"{url}/config", timeout=60, trust_env=False)
        alone, beside, statuses = asyncio.run(compare(url))
    assert all(asked.answered for asked in (*alone, *beside))
    assert set(statuses) <= {200, 413, 429}
    assert statuses.count(413) >= 3  # of a flooder's bodies without a length some are turned away unread
    assert statuses.count(200) <= 30
    waits = [[asked.seen["answer"] for asked in group] for group in (alone, beside)]
    assert quantile(waits[1], 0.5) <= 2 * quantile(waits[0], 0.5), waits
    assert max(waits[1]) <= 2 * max(waits[0]) + 0.5, waits
