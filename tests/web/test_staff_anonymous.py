"""What somebody without a session, or of another role, reaches of the staff's pages: by crawling the route table.

W1, W2, W3, W4 and W6 for the staff's side. A route that a part adds is crawled without being named here.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute
from starlette.routing import Mount
from starlette.testclient import TestClient

from bot.storage.answers import AnswerRecords, Origin
from bot.storage.schema import METADATA
from bot.web.staff.staff_page import PATH
from bot.web.staff.staff_site import PARTS
from tests.browser.scripted import ScriptedChatbot, answer, statements_for
from tests.support.staff_site import HOST, StaffSite
from tests.support.traversals import TRAVERSALS
from tests.web.test_web_anonymous import HOSTS

# What is there without a session. Everything else below /staff leads to the login page.
OPEN = {("GET", f"{PATH}/login"), ("POST", f"{PATH}/login"), ("GET", f"{PATH}/static/x")}
SECRET = "What does Mrs Wong pay?"
ANSWER = "a" * 32
FOREIGN = ("https://evil.example", "null", f"{HOST}.evil.example", "https://bot.example.org:1")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")) as records:
        yield records


@pytest.fixture
def site(records: AnswerRecords, tmp_path: Path) -> StaffSite:
    records.record(answer(ANSWER, SECRET, statements=statements_for("fare")), Origin("page", "c1", "v1"))
    chatbot = ScriptedChatbot()
    # The crawl asks more often than a reader may; and one other site may ask and embed the public page.
    free = {"visitor_requests": "", "data_dir": tmp_path, "allowed_origins": ("https://friend.example",)}
    chatbot.settings = chatbot.settings.model_copy(update=free)
    return StaffSite(chatbot, records)


def staff_app(site: StaffSite) -> object:
    """Return the application behind the guard."""
    (branch,) = (layer for layer in site.app.user_middleware if getattr(layer.kwargs.get("pages"), "path", "") == PATH)
    return branch.kwargs["pages"].app._app


def routes(app: object) -> Iterator[tuple[str, str]]:
    """Yield method and address of every route, with something in the place of each parameter."""
    for route in app.routes:
        if hasattr(route, "original_router"):  # how FastAPI keeps an included router
            prefix = route.include_context.prefix if hasattr(route, "include_context") else ""
            for method, path in routes(route.original_router):
                yield method, path if path.startswith(PATH) else prefix + path
        elif isinstance(route, Mount):
            yield "GET", f"{route.path}/x"
        elif isinstance(route, APIRoute):
            for method in route.methods:
                yield method, re.sub(r"{\w+(:\w+)?}", "x", route.path)


def everything(records: AnswerRecords) -> str:
    """Return all rows of all our tables."""
    with records.engine.connect() as connection:
        return repr([connection.execute(sa.select(table)).all() for table in METADATA.sorted_tables])


def test_w1_without_a_session_no_route_says_or_does_anything(site: StaffSite, records: AnswerRecords) -> None:
    table = set(routes(staff_app(site)))
    assert {("GET", f"{PATH}/{part.name}") for part in PARTS} <= table, "the crawl does not see the parts"
    assert len(table) > 15
    before = everything(records)
    client = site.browser().client
    turned_away = client.post(f"{PATH}/nowhere").text
    assert "Log in" in turned_away
    for method, path in sorted(table - OPEN):
        for host in HOSTS:
            given = client.request(method, path, headers={"host": host})
            assert given.status_code == (303 if method == "GET" else 401), (method, path, host)
            assert given.text == ("" if method == "GET" else turned_away)
            assert given.headers.get("location", f"{PATH}/login").startswith(f"{PATH}/login")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"):
        assert client.request(method, f"{PATH}/accounts").status_code == 404
    assert everything(records) == before


def test_w1_a_forged_session_is_none(site: StaffSite) -> None:
    client = site.browser().client
    for forged in ("", "x", "null", "0" * 64, "../../etc/passwd", "' OR 1=1 --", "A" * 3_000):
        for name in ("footnote-staff", "__Secure-footnote-staff", "footnote-visitor"):
            given = client.get(f"{PATH}/accounts", headers={"cookie": f"{name}={forged}"})
            assert (given.status_code, given.text) == (303, "")


def test_w1_the_public_page_and_gradio_know_nothing_of_staff(site: StaffSite) -> None:
    """W1: every fn_index of the real Gradio app, asked with a member of staff's cookie too, says nothing of theirs."""
    token = site.browser("anna").client.cookies["footnote-staff"]
    with TestClient(site.app, base_url=HOST, headers={"cookie": f"footnote-staff={token}"}) as client:
        config = client.get("/config").text
        for event in json.loads(config)["dependencies"]:
            session = f"s{event['id']}"
            asked = {"data": [f"{PATH}/accounts", {"turn": "t"}], "fn_index": event["id"], "session_hash": session}
            if client.post("/gradio_api/queue/join", json=asked).status_code == 200:
                heard = client.get("/gradio_api/queue/data", params={"session_hash": session}).text
                assert not [word for word in ("anna", "stefan", SECRET, "argon2") if word in heard]
        for public in (config, client.get("/").text, client.get("/my-data").text):
            assert not [word for word in ("/staff", "anna", SECRET) if word in public]


def test_w2_foreign_sites_change_nothing_and_read_nothing(site: StaffSite, records: AnswerRecords) -> None:
    """W2: with a logged-in admin's cookie, which a browser would not even send."""
    anna = site.browser("anna")
    token = anna.token()
    before = everything(records)
    for method, path in sorted(set(routes(staff_app(site)))):
        for origin in (*FOREIGN, "https://friend.example"):
            if method == "POST":
                fields = {"token": token, "name": "anna", "role": "staff", "answer": ANSWER, "visitor": "v1"}
                sent = anna.client.post(path, data=fields, headers={"origin": origin})
                assert sent.status_code == 403, (path, origin)
                cross = {"sec-fetch-site": "cross-site"}
                assert anna.client.post(path, data=fields, headers=cross).status_code == 403
            answered = anna.client.options(path, headers={"origin": origin, "access-control-request-method": method})
            assert answered.status_code == 404
            assert not [name for name in answered.headers if name.startswith("access-control")]
    assert everything(records) == before
    for origin in (*FOREIGN, "https://friend.example"):
        headers = anna.get(f"{PATH}/accounts", headers={"origin": origin}).headers
        assert not [name for name in headers if name.startswith("access-control")]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_w2_every_form_needs_its_token(site: StaffSite, records: AnswerRecords) -> None:
    anna = site.browser("anna")
    before = everything(records)
    for method, path in sorted(set(routes(staff_app(site))) - OPEN):
        if method == "POST":
            fields = {"name": "zoe", "role": "staff", "password": "x" * 12, "answer": ANSWER, "visitor": "v1"}
            assert anna.client.post(path, data=fields).status_code == 403, path
    assert everything(records) == before


def test_roles_reach_their_own_parts_and_no_other(site: StaffSite, records: AnswerRecords) -> None:
    table = sorted(set(routes(staff_app(site))))
    for name, role in (("stefan", "staff"), ("eve", "evaluator")):
        browser = site.browser(name)
        token = browser.token()
        before = everything(records)
        for part in PARTS:
            if role in part.roles:
                assert f'href="{PATH}/{part.name}"' in browser.get(f"{PATH}/me").text
                continue
            for method, path in table:
                if path == f"{PATH}/{part.name}" or path.startswith(f"{PATH}/{part.name}/"):
                    sent = browser.client.request(method, path, headers={"x-footnote-token": token})
                    assert sent.status_code == 403, (name, method, path)
                    assert SECRET not in sent.text
            assert f'href="{PATH}/{part.name}"' not in browser.get(f"{PATH}/me").text
        assert everything(records) == before


def test_w4_traversal_reaches_nothing(site: StaffSite) -> None:
    """W4: with a session and without one, below every part."""
    anna, nobody = site.browser("anna"), site.browser()
    for attempt, place in zip(TRAVERSALS, itertools.cycle(("static", "documents", "privacy", "accounts", "audit"))):
        path = f"{PATH}/{place}/{attempt}"
        given = anna.get(path)
        assert given.status_code in (303, 307, 400, 404, 405), path
        assert "root:" not in given.text
        assert nobody.get(path).status_code in (303, 404, 400)


def test_w6_a_password_is_in_no_answer_and_no_entry(site: StaffSite, records: AnswerRecords) -> None:
    browser, password = site.browser(), "hunter2-hunter2"
    for sent in (
        browser.log_in("anna", password),
        site.browser("anna").send(f"{PATH}/accounts", name="z", role="no such role", password=password),
        site.browser("anna").send(f"{PATH}/accounts", name="z", role="staff", password=password),
    ):
        assert password not in sent.text
        assert password not in str(sent.headers)
    assert password not in everything(records)
