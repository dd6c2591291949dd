"""The application as a visitor without a browser meets it: headers, closed doors, sources, feedback."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.testclient import TestClient

from bot.answer.errors import ServeError
from bot.storage.answers import AnswerRecords
from bot.storage.library import Contents
from bot.web.answer_service import ANSWERS_AT_ONCE, ThreadStream
from bot.web.app import build_app
from bot.web.http_server import open_port
from bot.web.page.links import citation_path, encode_id, place_path
from bot.web.page.stream import PageStream
from tests.browser.scripted import (
    FARE,
    FERRY,
    HOSTILE,
    HOSTILE_ID,
    LONG,
    ScriptedChatbot,
    answer,
    cite,
    page_stream,
    statements_for,
)
from tests.support.traversals import TRAVERSALS


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnswerRecords]:
    store = AnswerRecords(f"sqlite:///{tmp_path_factory.mktemp('data') / 'new' / 'footnote.db'}")
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(records: AnswerRecords) -> Iterator[TestClient]:
    with TestClient(build_app(ScriptedChatbot(), records), base_url="http://bot.example.org") as client:
        yield client


# Headers and closed doors


@pytest.mark.parametrize(
    "path", ["/", "/config", "/page/page.css", "/source/nothing", "/gradio_api/upload", "/nothing"]
)
def test_every_response_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    for rule in (
        "default-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "object-src 'none'",
    ):
        assert rule in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/upload_progress"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file/etc/passwd"),
        ("GET", "/gradio_api/proxy=https://remote.example"),
        ("POST", "/gradio_api/stream/x"),
        ("GET", "/gradio_api/stream/x/y/1/playlist.m3u8"),
        ("POST", "/gradio_api/vibe-edit"),
        ("GET", "/gradio_api/vibe-code"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/call/ask"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("GET", "/svelte/x"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("DELETE", "/feedback"),
        ("OPTIONS", "/gradio_api/queue/join"),
        ("PUT", "/"),
    ],
)
def test_routes_without_use_for_the_public_do_not_exist(client: TestClient, method: str, path: str) -> None:
    for host in ("bot.example.org", "localhost", "x/gradio_api/queue/join?", "a@b"):
        assert client.request(method, path, headers={"host": host}).status_code == 404


def test_foreign_pages_are_refused(client: TestClient) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        for path in ("/feedback", "/conversation", "/gradio_api/queue/join"):
            response = client.post(path, json={}, headers=headers)
            assert response.status_code == 403
            assert "access-control-allow-origin" not in response.headers
    reflected = client.get("/config", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in reflected.headers


def test_large_bodies_are_refused_declared_or_not(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(80):
            yield b"x" * 65_536

    assert client.post("/feedback", content=b"x" * 200_000).status_code == 413
    assert client.post("/conversation", content=pieces()).status_code == 413


def test_gradio_shows_no_api_and_no_footer(client: TestClient) -> None:
    config = client.get("/config").json()
    assert config["footer_links"] == []
    assert all(dependency["api_visibility"] == "private" for dependency in config["dependencies"])
    assert config["analytics_enabled"] is False
    assert client.get("/gradio_api/info").json()["named_endpoints"] == {}


# The page


def test_page_is_complete_before_any_script_runs(client: TestClient) -> None:
    html = client.get("/").text
    assert '<html lang="en">' in html
    assert "4 documents" in html
    assert "indexed today" in html
    assert "&lt;img src=x onerror=" in html
    assert "<img" not in html
    for address in re.findall(r'(?:src|href|data-composer)="(/(?:page|assets)/[^"]+)"', html):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("accepted", ["br, gzip", "gzip", "identity"])
def test_files_are_compressed_and_kept_for_as_long_as_they_are_the_same(client: TestClient, accepted: str) -> None:
    html = client.get("/", headers={"accept-encoding": accepted})
    assert html.headers.get("content-encoding", "") == ("" if accepted == "identity" else "gzip")
    for address in re.findall(r'"(/(?:page|assets)/[^"]+[.](?:js|css))"', html.text):
        headers = client.get(address, headers={"accept-encoding": accepted}).headers
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers.get("content-encoding", "identity") == accepted.split(",", maxsplit=1)[0]
        again = client.get(address, headers={"accept-encoding": accepted, "if-none-match": headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert client.get("/page/page.css").headers["cache-control"] == "no-cache"
    for path in ("/page/", "/page/../app.py", "/page/%2e%2e/app.py", "/page/000000000000/page.css", "/assets/nothing"):
        assert asyncio.run(_get_as_it_stands(client.app, path))[0] == 404


def test_language_is_chosen_by_browser_and_by_hand(client: TestClient) -> None:
    assert '<html lang="zh-Hant">' in client.get("/", headers={"accept-language": "zh-HK"}).text
    chosen = client.get("/?language=zh-Hans", follow_redirects=False)
    assert chosen.status_code == 303
    assert chosen.headers["location"] == "/"
    assert "language=zh-Hans" in chosen.headers["set-cookie"]
    assert client.get("/?language=xx").status_code == 200
    client.cookies.clear()


def test_empty_index_says_what_to_do(records: AnswerRecords) -> None:
    with TestClient(build_app(ScriptedChatbot(empty=True), records)) as client:
        html = client.get("/").text
    assert "No documents are indexed yet: run" in html
    assert "<code>footnote index FOLDER</code>" in html


class _TwinsChatbot(ScriptedChatbot):
    """Two of its documents have titles that look the same."""

    def contents(self, words: str = "", start: int = 0, count: int = 40) -> Contents:
        contents = super().contents(words, start, count)
        one, other, *rest = contents.documents
        twin = other._replace(title=f"{one.title}\u200b")
        return contents._replace(documents=(one, twin, *rest))


def test_documents_with_the_same_title_are_told_apart_by_their_files(
    client: TestClient, records: AnswerRecords
) -> None:
    assert 'class="file"' not in client.get("/").text
    chatbot = _TwinsChatbot()
    with TestClient(build_app(chatbot, records)) as twin_client:
        html = twin_client.get("/").text
    shown = re.findall(r'<span class="file" dir="auto">(.*?)</span>', html)
    assert set(shown) == {document.document_id for document in chatbot.library.contents().documents[:2]}


def test_examples_come_as_buttons(client: TestClient) -> None:
    assert client.get("/examples").text.count("data-ask") == 4


# Sources


def test_footnote_opens_the_exact_place(client: TestClient) -> None:
    citation = cite(1, FERRY, FARE)
    html = client.get(citation_path(citation)).text
    assert f'<mark id="cited">{FARE}</mark>' in html
    assert "page 1" in html
    fragment = client.get(citation_path(citation).replace("#", "&fragment=1#")).text
    assert f'<mark id="cited">{FARE}</mark>' in fragment
    assert "<html" not in fragment


async def _get_as_it_stands(app: Any, path: str) -> tuple[int, bytes]:
    """Ask for a path whose dots an ordinary client would have resolved itself."""
    messages: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    async def send(message: dict) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "root_path": ""}
    scope |= {"query_string": b"", "headers": [(b"host", b"bot.example.org")], "scheme": "http", "http_version": "1.1"}
    await app(scope, receive, send)
    return messages[0]["status"], b"".join(message.get("body", b"") for message in messages)


@pytest.mark.parametrize("place", ["/source/", "/page/", "/assets/", "/answer/", "/"])
def test_w4_only_documents_have_addresses(client: TestClient, place: str) -> None:
    """W4: strings that try to leave the documents find nothing, wherever a path of the public's ends in one."""
    assert len(TRAVERSALS) >= 100
    client.get("/config")  # once Gradio is there

    async def get_all() -> list[tuple[int, bytes]]:
        return [await _get_as_it_stands(client.app, place + attempt) for attempt in TRAVERSALS]

    found = asyncio.run(get_all())
    for attempt, (status, body) in zip(TRAVERSALS, found, strict=True):
        assert status == 404, attempt
        assert b"root:" not in body, attempt
        assert len(body) < 3_000, attempt


def test_changed_document_is_said_to_have_changed(client: TestClient) -> None:
    path = place_path(FERRY, 0, 10, check="0" * 16)
    html = client.get(path).text
    assert "This document has changed" in html
    assert "<mark" not in html


@pytest.mark.parametrize(
    "query",
    ["", "?start=x&end=y", "?start=-1&end=5", "?start=9&end=3", "?start=0&end=" + "9" * 40, "?start=1", "?end=²"],
)
def test_places_that_are_none_still_show_the_document(client: TestClient, query: str) -> None:
    response = client.get(f"/source/{encode_id(FERRY)}{query}")
    assert response.status_code == 200
    assert "Lantern Island" in response.text
    assert "<mark" not in response.text


def test_long_document_comes_as_a_window_and_whole_on_demand(client: TestClient) -> None:
    citation = cite(1, "long.txt", "Paragraph 80.")
    path = citation_path(citation)
    html = client.get(path).text
    assert "Paragraph 80." in html
    assert "Paragraph 1." not in html
    assert "Show the whole document" in html
    whole = client.get(path.replace("#", "&all=1#")).text
    assert "Paragraph 1." in whole
    assert "Paragraph 159." in whole
    assert len(LONG) > 60_000


def test_hostile_document_stays_text(client: TestClient) -> None:
    quote = HOSTILE.split("\n")[1]
    for path in (citation_path(cite(1, HOSTILE_ID, quote)), place_path(HOSTILE_ID, 0, 0)):
        html = client.get(path).text
        body = html.split("<main>")[1]
        assert "<script" not in body
        assert "<img" not in body
        assert "onload=" not in body.replace("onload=&#34;", "")
        assert "${alert(1)} {{7*7}}" in body
        assert "\u202e" not in html


# Conversations and feedback


def test_stored_answers_are_checked_before_they_are_shown(client: TestClient) -> None:
    good = answer("q", "What is the fare?", statements=statements_for("fare")).model_dump(mode="json")
    forged = good | {"text": "Nothing [9]"}
    hostile = json.loads(json.dumps(good).replace("The fare for adults", "<script>alert(1)</script>"))
    shown = client.post("/conversation", json={"answers": [good, forged, {"x": 1}]}).json()
    assert "HK$8.20" in shown[0]["body"]
    assert "could not be shown" in shown[1]["body"]
    assert "could not be shown" in shown[2]["body"]
    assert "<script" not in json.dumps(client.post("/conversation", json={"answers": [hostile]}).json())
    assert client.post("/conversation", json={"answers": [good] * 201}).status_code == 422


def test_feedback_is_kept(client: TestClient, records: AnswerRecords) -> None:
    shown = answer("answer-1", "What is the fare?", statements=statements_for("fare"))
    given = {"answer": shown.model_dump(mode="json"), "verdict": "down", "reason": "wrong", "comment": "c" * 1_500}
    assert client.post("/feedback", json=given).status_code == 204
    newest = records.latest()[0]
    assert (newest.id, newest.rating, newest.rating_reason) == ("answer-1", "down", "wrong")
    assert len(newest.rating_comment) == 1_000
    assert newest.answer == shown
    assert newest.origin.face == "reported"


@pytest.mark.parametrize(
    "change", [{"verdict": "sideways"}, {"reason": "other"}, {"answer": {}}, {"comment": "c" * 5_000}, {"extra": 1}]
)
def test_feedback_that_is_none_is_refused(client: TestClient, records: AnswerRecords, change: dict) -> None:
    before = len(records.latest())
    shown = answer("answer-1", "q", statements=statements_for("fare")).model_dump(mode="json")
    assert client.post("/feedback", json={"answer": shown, "verdict": "up"} | change).status_code == 422
    assert len(records.latest()) == before


# Questions


def _ask(stream: PageStream, question: str, **request: object) -> list[dict]:
    async def collect() -> list[dict]:
        return [value async for value in stream.ask(question, {"turn": "t", **request})]

    return asyncio.run(collect())


def test_parts_arrive_in_order_and_accumulate(records: AnswerRecords) -> None:
    values = _ask(page_stream(ScriptedChatbot(), records), "What does it cost?")
    assert [part["slot"] for part in values[-1]["parts"]] == [
        "status", "status", "evidence", "statement", "statement", "answer",
    ]  # fmt: skip
    for earlier, later in pairwise(values):
        assert later["parts"][: len(earlier["parts"])] == earlier["parts"]
    assert values[-1]["parts"][-1]["answer"]["kind"] == "answer"


def test_history_reaches_the_chatbot_bounded(records: AnswerRecords) -> None:
    chatbot = ScriptedChatbot()
    history = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    _ask(page_stream(chatbot, records), "And when?", history=history)
    assert [(turn.role, turn.content) for turn in chatbot.histories[0]] == [("user", "x"), ("assistant", "y")]
    for unusable in (history * 20, [{"role": "system", "content": "x"}]):
        (value,) = _ask(page_stream(chatbot, records), "And when?", history=unusable)
        assert value["turn"] == "t"
        assert "begin a new conversation" in value["parts"][0]["html"]
    assert len(chatbot.histories) == 1


def test_faults_are_sentences_in_the_readers_language(records: AnswerRecords) -> None:
    stream = page_stream(ScriptedChatbot(), records)
    assert "footnote doctor" in _ask(stream, "broken")[-1]["parts"][-1]["html"]
    crashed = _ask(stream, "crash", language="zh-Hant")[-1]["parts"][-1]
    assert crashed["slot"] == "fault"
    assert "回答時出了問題" in crashed["html"]
    assert "scripted" not in crashed["html"]


def test_a_reader_who_leaves_frees_the_thread_and_the_place(records: AnswerRecords) -> None:
    chatbot = ScriptedChatbot(delay=0.3)
    stream = page_stream(chatbot, records)

    async def leave_early() -> None:
        for _ in range(3 * ANSWERS_AT_ONCE):
            values = stream.ask("What does it cost?", {"turn": "t"})
            await anext(values)
            await anext(values)
            await values.aclose()
        values = stream.ask("What does it cost?", {"turn": "t"})
        async for value in values:
            last = value
        assert last["parts"][-1]["slot"] == "answer"

    asyncio.run(asyncio.wait_for(leave_early(), 30))
    assert chatbot.closed_streams == len(chatbot.histories)


def test_a_silent_chatbot_still_gives_a_sign_twice_a_second() -> None:
    release = threading.Event()

    def silent() -> Iterator[int]:
        release.wait(5)
        yield 1

    async def watch() -> list[int | None]:
        from concurrent.futures import ThreadPoolExecutor

        stream = ThreadStream(lambda _left: silent(), ThreadPoolExecutor(1), lambda: None)
        seen = []
        async for item in stream.read():
            seen.append(item)
            if len(seen) == 2:
                release.set()
        return seen

    assert asyncio.run(watch())[:3] == [None, None, 1]


# Serving


def test_port_in_use_is_said_in_one_line() -> None:
    with open_port("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=rf"Port {port} .* in use: .*--port"):
            open_port("127.0.0.1", port)


def test_address_of_another_machine_is_said_in_one_line() -> None:
    with pytest.raises(ServeError, match="--host"):
        open_port("192.0.2.1", 0)
