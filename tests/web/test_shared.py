"""Links to answers: made and taken back by their readers only, shown with what the documents say now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bot.storage.answers import AnswerRecords, Origin
from bot.storage.shared_links import SharedAnswers
from bot.web.app import build_app
from bot.web.page.language import visitor_of
from index.document import Document
from tests.browser.scripted import FARE, FERRY, REPORT, ScriptedChatbot, answer, statements_for

GIVEN = answer("a" * 32, "What is the fare?", statements=statements_for("fare"))


class EditedChatbot(ScriptedChatbot):
    """Its report can be replaced."""

    text: str | None = REPORT

    def document(self, document_id: str) -> Document | None:
        document = super().document(document_id)
        if document is None or document_id != FERRY:
            return document
        return None if self.text is None else replace(document, text=self.text, pages=())


@pytest.fixture
def records(tmp_path: Path) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")) as records:
        yield records


@pytest.fixture
def chatbot() -> EditedChatbot:
    return EditedChatbot()


@pytest.fixture
def client(records: AnswerRecords, chatbot: EditedChatbot) -> Iterator[TestClient]:
    with TestClient(build_app(chatbot, records), base_url="http://bot.example.org") as client:
        client.get("/")
        records.record(GIVEN, Origin("page", "c", visitor_of(client.cookies)))
        yield client


def share(client: TestClient) -> str:
    return client.post("/answer", json={"id": GIVEN.id}).json()["path"]


def test_a_link_shows_the_answer_with_its_sources_to_whoever_has_it(client: TestClient) -> None:
    path = share(client)
    assert len(path.removeprefix("/answer/")) >= 24
    assert share(client) == path
    own = client.get(path).text
    assert "Take the link back" in own
    assert "Back to the conversation" in own
    source = re.search(r'href="(/source/[^"]+)"', own)[1]
    assert "Back to the conversation" in client.get(source).text
    client.cookies.clear()
    shown = client.get(path)
    for foreign in (shown, client.get(source), client.get("/answer/x"), client.get("/source/x")):
        assert "Back to the conversation" not in foreign.text
        assert "Ask a question of your own" in foreign.text
    assert FARE in shown.text
    assert "still says so, word for word" in shown.text
    assert "Take the link back" not in shown.text
    assert shown.headers["x-robots-tag"] == "noindex, nofollow"
    assert "script-src 'none'" in shown.headers["content-security-policy"]
    assert "<script" not in shown.text


def test_only_its_reader_makes_a_link_or_takes_it_back(client: TestClient) -> None:
    path = share(client)
    own = dict(client.cookies)
    for cookies in ({}, {"footnote-visitor": "somebody else"}):
        client.cookies.clear()
        client.cookies.update(cookies)
        assert client.post("/answer", json={"id": GIVEN.id}).status_code == 404
        assert client.post(f"{path}/remove").status_code == 404
    client.cookies.clear()
    client.cookies.update(own)
    assert client.post("/answer", json={"id": "b" * 32}).status_code == 404
    assert client.post(f"{path}/remove", headers={"origin": "https://evil.example"}).status_code == 403
    taken_back = client.post(f"{path}/remove")
    assert taken_back.status_code == 404
    assert "no answer at this address" in taken_back.text
    assert share(client) != path


def test_a_link_goes_with_its_conversation(client: TestClient) -> None:
    path = share(client)
    assert client.delete("/conversation/c").status_code == 204
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"A new first line.\n{REPORT}", "now stand elsewhere"),
        (REPORT.replace("HK$8.20", "HK$9.20"), "no longer in it"),
        (None, "no longer here"),
    ],
)
def test_a_link_says_what_has_changed_since(
    client: TestClient, chatbot: EditedChatbot, text: str | None, said: str
) -> None:
    path = share(client)
    chatbot.text = text
    shown = client.get(path).text
    assert "The documents have changed since" in shown
    assert said in shown
    assert FARE in shown


def test_an_unknown_link_is_no_answer(records: AnswerRecords, client: TestClient) -> None:
    shared = SharedAnswers(records)
    assert shared.find("") is None
    assert shared.share(GIVEN.id, "") is None
    assert not shared.take_back("", "")
    for path in ("/answer/", "/answer/x", "/answer/%00", "/answer/" + "x" * 3_000):
        assert client.get(path).status_code == 404
