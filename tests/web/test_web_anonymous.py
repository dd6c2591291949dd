"""What somebody without a key reaches, by crawling the real route table and every event of the real Gradio app."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from bot.storage.answers import AnswerRecords
from bot.web.app import build_app
from bot.web.page.links import encode_id
from tests.browser.scripted import FERRY, ScriptedChatbot

# All that is there for the public. A route that a release of Gradio adds is not, until it stands here.
PUBLIC = {
    ("GET", "/"),
    ("GET", "/examples"),
    ("GET", "/model"),
    ("GET", "/readyz"),
    ("GET", "/healthz"),
    ("GET", "/documents"),
    ("POST", "/conversation"),
    ("POST", "/feedback"),
    ("POST", "/answer"),
    ("GET", "/answer/{token}"),
    ("POST", "/answer/{token}/remove"),
    ("GET", "/widget"),
    ("GET", "/widget.js"),
    ("GET", "/my-data"),
    ("DELETE", "/my-data"),
    ("DELETE", "/conversation/{conversation}"),
    ("GET", "/source/{segment}"),
    ("GET", "/page/"),
    ("GET", "/config"),
    ("GET", "/theme.css"),
    ("GET", "/robots.txt"),
    ("GET", "/assets/{path}"),
    ("GET", "/gradio_api/info"),
    ("GET", "/gradio_api/startup-events"),
    ("GET", "/gradio_api/heartbeat/{session_hash}"),
    ("GET", "/gradio_api/queue/data"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/cancel"),
    ("POST", "/gradio_api/reset"),
}
HOSTS = ("bot.example.org", "localhost", "127.0.0.1:7860", "x/gradio_api/queue/join?", "a@b", "/config#", "")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    records = AnswerRecords(f"sqlite:///{tmp_path_factory.mktemp('data') / 'footnote.db'}")
    chatbot = ScriptedChatbot()
    chatbot.settings = chatbot.settings.model_copy(update={"visitor_requests": "", "visitor_questions": ""})
    with TestClient(build_app(chatbot, records), base_url="http://bot.example.org") as client:
        client.get("/config")  # once Gradio is there
        yield client
    records.close()


def routes_of(app: object) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route, those of mounted applications included."""
    for route in app.routes:
        if hasattr(route, "original_router"):  # how FastAPI keeps an included router
            yield from routes_of(route.original_router)
        elif isinstance(route, Mount):
            inner = route.app.app if type(route.app).__name__ == "LazyApp" else route.app
            found = routes_of(inner) if hasattr(inner, "routes") else [("GET", "/")]
            for method, path in found:
                yield method, route.path.rstrip("/") + path
        elif isinstance(route, Route | APIRoute):
            for method in route.methods or ():
                yield method, re.sub(r":\w+(?=})", "", route.path)


def test_w1_w3_every_route_but_the_public_ones_is_closed_whatever_host_is_named(client: TestClient) -> None:
    """W1, W3: the route table is crawled; all but a known list answers 404, with malformed hosts too."""
    table = set(routes_of(client.app))
    assert len(table) > 60, "the crawl does not see Gradio's routes"
    assert ("POST", "/gradio_api/upload") in table
    assert {(method, path) for method, path in PUBLIC if not path.endswith("page/")} <= table
    for method, path in sorted(table):
        if (("GET" if method == "HEAD" else method), path) in PUBLIC:
            continue
        address = re.sub(r"{\w+}", "x", path)
        for host in HOSTS:
            response = client.request(method, address, headers={"host": host})
            assert response.status_code == 404, (method, path, host)
            assert response.text in ("", "Not found")


def test_w1_no_event_but_the_question_answers(client: TestClient) -> None:
    """W1: every fn_index is called as an anonymous visitor; one asks the chatbot, the others do nothing."""
    config = client.get("/config").json()
    events = [dependency["id"] for dependency in config["dependencies"]]
    assert len(events) > 3
    answered = []
    for index in [*events, -1, max(events) + 1, 10_000]:
        asked = {"data": ["What does it cost?", {"turn": "t"}], "fn_index": index, "session_hash": f"s{index}"}
        joined = client.post("/gradio_api/queue/join", json=asked)
        if joined.status_code != 200:
            assert joined.status_code == 400
            continue
        heard = client.get("/gradio_api/queue/data", params={"session_hash": f"s{index}"}).text
        messages = [json.loads(line.removeprefix("data: ")) for line in heard.splitlines() if line]
        done = next(message for message in messages if message["msg"] == "process_completed")
        if done["success"] and (done["output"] or {}).get("data"):
            answered.append(index)
            assert done["output"]["data"][0]["parts"][-1]["slot"] == "answer"
    assert answered == [0]
    assert all(word not in json.dumps(config) for word in ("/evaluate", "/staff", "data_dir", "sqlite"))


def test_w2_foreign_sites_change_nothing_and_read_nothing(client: TestClient) -> None:
    """W2: a foreign Origin on every route that changes state is refused, and no origin is ever reflected."""
    foreign = ("https://evil.example", "null", "http://bot.example.org.evil.example", "https://bot.example.org:1")
    changing = [path for method, path in sorted(set(routes_of(client.app))) if method not in ("GET", "HEAD")]
    assert {"/feedback", "/conversation", "/gradio_api/queue/join", "/gradio_api/cancel"} <= set(changing)
    for path in (re.sub(r"{\w+}", "x", path) for path in changing):
        for origin in foreign:
            response = client.post(path, json={}, headers={"origin": origin})
            assert response.status_code in (403, 404), (path, origin)
            assert "access-control-allow-origin" not in response.headers
            preflight = {"origin": origin, "access-control-request-method": "POST"}
            asked = client.options(path, headers=preflight)
            assert asked.status_code == 404
            assert "access-control-allow-origin" not in asked.headers
    for path in ("/", "/config", f"/source/{encode_id(FERRY)}", "/gradio_api/info"):
        headers = client.get(path, headers={"origin": "https://evil.example"}).headers
        assert not [name for name in headers if name.startswith("access-control-")]


def test_w2_a_named_site_may_ask_and_embed_and_nobody_else(tmp_path) -> None:
    """W2: `allowed_origins` opens the page to the sites it names, without cookies."""
    chatbot, friend = ScriptedChatbot(), "https://friend.example"
    chatbot.settings = chatbot.settings.model_copy(update={"allowed_origins": (friend,)})
    records = AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")
    with TestClient(build_app(chatbot, records), base_url="http://bot.example.org") as client:
        preflight = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        allowed = client.options("/conversation", headers={"origin": friend, **preflight})
        assert allowed.headers["access-control-allow-origin"] == friend
        assert "access-control-allow-credentials" not in allowed.headers
        assert (
            "access-control-allow-origin"
            not in client.options("/conversation", headers={"origin": "https://evil.example", **preflight}).headers
        )
        asked = client.post("/conversation", json={"answers": []}, headers={"origin": friend})
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == friend
        assert client.post("/conversation", json={}, headers={"origin": "https://evil.example"}).status_code == 403
        page = client.get("/").headers
        assert f"frame-ancestors 'self' {friend}" in page["content-security-policy"]
        assert "x-frame-options" not in page
    records.close()


def test_only_named_hosts_are_served_where_some_are_named(tmp_path) -> None:
    chatbot = ScriptedChatbot()
    chatbot.settings = chatbot.settings.model_copy(update={"allowed_hosts": ("bot.example.org",)})
    records = AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")
    with TestClient(build_app(chatbot, records), base_url="http://bot.example.org") as client:
        assert client.get("/").status_code == 200
        assert client.get("/", headers={"host": "other.example"}).status_code == 400
    records.close()


def test_nothing_is_shared_uploaded_recorded_or_fetched(client: TestClient) -> None:
    """What Gradio offers beyond a question is off in its own settings too, not only behind the gate."""
    config = client.get("/config").json()
    assert config.get("run_history") in (None, False)
    kinds = {component["type"] for component in config["components"]}
    assert kinds <= {"json", "row", "textbox", "button", "column", "state"}, kinds
    assert config.get("mcp_server") in (None, False)
    assert not config.get("is_space")
    assert config["analytics_enabled"] is False
