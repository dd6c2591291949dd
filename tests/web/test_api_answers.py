"""Answers, search and documents by HTTP, against the real application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.answer.answer import Answer
from bot.chatbot import Chatbot
from bot.storage.answers import AnswerRecords
from bot.web.search import FoundChunks
from tests.support.api_server import QUESTION, ApiServer, api_server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def server(seed_chatbot: Chatbot, folder: Path) -> Iterator[ApiServer]:
    with api_server(seed_chatbot, folder) as served:
        yield served


def test_answer_object(server: ApiServer, seed_chatbot: Chatbot, folder: Path) -> None:
    with server.http() as client:
        answer = Answer.model_validate(client.get("/api/answer", params={"question": QUESTION}).json())
        assert answer.kind == "answer"
        for citation in answer.citations:
            place = {"document_id": citation.document_id, "start": citation.start, "end": citation.end}
            assert client.get("/api/document", params=place).json()["text"] == citation.quote
    with closing(AnswerRecords(f"sqlite:///{folder / 'served.db'}")) as records:
        kept = records.find(answer.id)
    assert kept is not None
    assert (kept.origin.face, kept.answer) == ("api", answer)


def test_history_makes_a_follow_up_whole(server: ApiServer) -> None:
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "HK$1 billion. [1]"}]
    asked = {"question": "When will it begin operations?", "history": history}
    with server.http() as client:
        answer = Answer.model_validate(client.post("/api/answer", json=asked).json())
        found = FoundChunks.model_validate(client.post("/api/search", json={**asked, "top_k": 2}).json())
    assert "institute" in answer.standalone_question.lower()
    assert found.standalone_question == answer.standalone_question
    assert len(found.retrieved) == 2


def test_search_brings_the_words_of_each_place(server: ApiServer, seed_chatbot: Chatbot) -> None:
    with server.http() as client:
        found = FoundChunks.model_validate(client.get("/api/search", params={"question": QUESTION, "top_k": 4}).json())
        assert client.get("/api/search", params={"question": QUESTION, "top_k": 101}).status_code == 400
    assert [one.rank for one in found.retrieved] == [1, 2, 3, 4]
    for one in found.retrieved:
        document = seed_chatbot.document(one.document_id)
        assert document is not None
        assert document.text[one.start : one.end] == one.text
        assert document.title == one.title


def test_documents_come_a_page_at_a_time(server: ApiServer, seed_chatbot: Chatbot) -> None:
    known = [summary.document_id for summary in seed_chatbot.overview().documents]
    listed: list[str] = []
    with server.http() as client:
        while len(listed) < len(known):
            page = client.get("/api/documents", params={"limit": 2, "offset": len(listed)}).json()
            assert page["total"] == len(known)
            assert page["documents"]
            assert "source" not in page["documents"][0]
            listed += [one["document_id"] for one in page["documents"]]
        assert client.get("/api/documents", params={"offset": len(known)}).json()["documents"] == []
    assert listed == known


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(None, None, slice(None)), (5, None, slice(5, None)), (7, 3, slice(0)), (9**9, None, slice(0))],
)
def test_part_of_a_document(
    server: ApiServer, seed_chatbot: Chatbot, start: int | None, end: int | None, expected: slice
) -> None:
    document = seed_chatbot.document(seed_chatbot.overview().documents[0].document_id)
    assert document is not None
    given = {"document_id": document.document_id, "start": start, "end": end}
    with server.http() as client:
        asked = {name: value for name, value in given.items() if value is not None}
        shown = client.get("/api/document", params=asked).json()
    assert shown["text"] == document.text[expected]
    assert shown["characters"] == len(document.text)
    assert shown["end"] - shown["start"] == len(shown["text"])


def test_what_is_not_there_is_said_in_one_shape(server: ApiServer) -> None:
    with server.http() as client:
        missing = client.get("/api/document", params={"document_id": "../../etc/passwd"})
        unknown = client.get("/api/users")
        other_method = client.delete("/api/documents")
        without_question = client.get("/api/answer")
        from_elsewhere = client.post("/api/answer", json={"question": "a"}, headers={"origin": "https://evil.example"})
    assert missing.json()["error"]["code"] == "document_not_found"
    assert without_question.json()["error"]["param"] == "question"
    statuses = [one.status_code for one in (missing, unknown, other_method, without_question, from_elsewhere)]
    assert statuses == [404, 404, 405, 400, 403]
    for response in (missing, unknown, other_method, without_question, from_elsewhere):
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_empty_index_is_a_refusal_of_answers_and_an_error_of_search(open_chatbot, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with api_server(open_chatbot(tmp_path / "data"), tmp_path) as served, served.http() as client:
        answered = client.get("/api/answer", params={"question": QUESTION})
        searched = client.get("/api/search", params={"question": QUESTION})
    assert answered.json()["refusal"]["reason"] == "empty_index"
    assert searched.status_code == 503
    assert "footnote index" in searched.json()["error"]["message"]
