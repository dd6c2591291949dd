"""Footnote as a model: OpenAI's own client against the real application."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import httpx
import openai
import pytest

from bot.answer.answer import Answer
from bot.chatbot import Chatbot
from bot.web.answer_service import ANSWERS_AT_ONCE
from tests.browser.scripted import ScriptedChatbot
from tests.support.api_server import QUESTION, ApiServer, api_server


@pytest.fixture(scope="module")
def server(seed_chatbot: Chatbot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(seed_chatbot, tmp_path_factory.mktemp("api")) as served:
        yield served


def ask(server: ApiServer, *messages: tuple[str, str], **options: object) -> object:
    said = [{"role": role, "content": content} for role, content in messages]
    return server.openai().chat.completions.create(model="footnote", messages=said, **options)


def check_annotations(text: str, annotations: list, server: ApiServer) -> None:
    assert annotations
    for annotation in annotations:
        cited = annotation["url_citation"]
        assert annotation["type"] == "url_citation"
        assert text[cited["start_index"] : cited["end_index"]].strip("[]").isdecimal()
        assert cited["url"].startswith(f"{server.address}/source/")
        page = httpx.get(cited["url"], trust_env=False)
        assert page.status_code == 200
        assert "<mark" in page.text
        assert cited["title"] in unescape(page.text)


def test_answer_is_a_message_with_footnotes(server: ApiServer) -> None:
    completion = ask(server, ("system", "Answer in verse."), ("user", QUESTION))
    [choice] = completion.choices
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    assert "1 billion" in choice.message.content
    assert "[1]" in choice.message.content
    answer = Answer.model_validate(completion.footnote)
    assert answer.text == choice.message.content
    assert answer.kind == "answer"
    check_annotations(choice.message.content, [one.model_dump() for one in choice.message.annotations or ()], server)
    assert completion.usage.prompt_tokens > 5
    assert completion.usage.completion_tokens > 5
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


def test_stream_brings_the_same_text_statement_by_statement(server: ApiServer) -> None:
    chunks = list(ask(server, ("user", QUESTION), stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    annotations = [
        one for chunk in chunks if chunk.choices for one in getattr(chunk.choices[0].delta, "annotations", None) or ()
    ]
    whole = Answer.model_validate(next(chunk.footnote for chunk in chunks if hasattr(chunk, "footnote")))
    assert text == whole.text
    assert len([chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]) == len(whole.statements)
    check_annotations(text, annotations, server)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason] == [
        "stop"
    ]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 10
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


@pytest.mark.parametrize("stream", [False, True])
def test_refusal_is_a_message_like_any_other(server: ApiServer, stream: bool) -> None:
    question = ("user", "Who won the 1998 football world cup?")
    if stream:
        chunks = list(ask(server, question, stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        answer = Answer.model_validate(chunks[-1].footnote)
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert all(chunk.usage is None for chunk in chunks)
    else:
        completion = ask(server, question)
        text, answer = completion.choices[0].message.content, Answer.model_validate(completion.footnote)
        assert completion.choices[0].finish_reason == "stop"
        assert completion.choices[0].message.annotations == []
    assert answer.kind == "refusal"
    assert text == answer.text


def test_earlier_messages_are_the_history(server: ApiServer) -> None:
    completion = ask(
        server,
        ("user", QUESTION),
        ("assistant", "HK$1 billion is reserved for the Hong Kong Artificial Intelligence Research Institute. [1]"),
        ("user", "When will it begin operations?"),
    )
    assert "institute" in completion.footnote["standalone_question"].lower()


def test_parts_of_text_are_read_as_one(server: ApiServer) -> None:
    parts = [
        {"type": "text", "text": "How much is reserved"},
        {"type": "text", "text": "for the AI research institute?"},
    ]
    completion = server.openai().chat.completions.create(
        model="footnote", messages=[{"role": "user", "content": parts}], temperature=0.3, max_tokens=5, seed=1
    )
    assert "1 billion" in completion.choices[0].message.content


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "Be brief."}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
    ],
)
def test_what_cannot_be_done_is_refused_in_openais_shape(server: ApiServer, parameters: dict, name: str) -> None:
    asked = {"model": "footnote", "messages": [{"role": "user", "content": QUESTION}], **parameters}
    with pytest.raises(openai.BadRequestError) as caught:
        server.openai().chat.completions.create(**asked)
    assert caught.value.param == name
    assert caught.value.type == "invalid_request_error"
    assert caught.value.code in ("unsupported_value", "invalid_value")


def test_models(server: ApiServer) -> None:
    assert [model.id for model in server.openai().models.list()] == ["footnote"]
    assert server.openai().models.retrieve("footnote").owned_by == "footnote"
    with pytest.raises(openai.NotFoundError, match="only one is 'footnote'"):
        server.openai().chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "Hi"}])


def test_body_that_is_no_json_or_too_large_is_refused_in_the_same_shape(server: ApiServer) -> None:
    with server.http() as client:
        headers = {"content-type": "application/json"}
        broken = client.post("/v1/chat/completions", content=b"{", headers=headers)
        large = client.post("/v1/chat/completions", content=b" " * 1_100_000, headers=headers)
        elsewhere = client.get("/v1/embeddings")
    assert [response.status_code for response in (broken, large, elsewhere)] == [400, 413, 404]
    for response in (broken, large, elsewhere):
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


@pytest.fixture
def slow(tmp_path) -> Iterator[tuple[ScriptedChatbot, ApiServer]]:
    chatbot = ScriptedChatbot(delay=0.2)
    with api_server(chatbot, tmp_path) as served:
        yield chatbot, served


def test_fault_in_mid_stream_ends_it_with_an_error(slow: tuple[ScriptedChatbot, ApiServer]) -> None:
    _, served = slow
    with pytest.raises(openai.APIError, match="footnote doctor"):
        list(ask(served, ("user", "broken"), stream=True))
    with pytest.raises(openai.APIError, match="fault of the server"):
        list(ask(served, ("user", "crash"), stream=True))
    with pytest.raises(openai.InternalServerError):
        ask(served, ("user", "broken"))


@pytest.mark.parametrize("stream", [False, True])
def test_caller_who_leaves_frees_its_place(slow: tuple[ScriptedChatbot, ApiServer], stream: bool) -> None:
    chatbot, served = slow
    body = {"model": "footnote", "stream": stream, "messages": [{"role": "user", "content": "What is the fare?"}]}
    with served.http() as client:
        for left in range(1, ANSWERS_AT_ONCE + 2):  # one place more than there are
            if stream:
                with client.stream("POST", "/v1/chat/completions", json=body) as response:
                    assert json.loads(next(response.iter_lines()).removeprefix("data: "))["object"]
            else:
                with pytest.raises(httpx.ReadTimeout):
                    client.post("/v1/chat/completions", json=body, timeout=0.3)
            deadline = time.monotonic() + 10
            while chatbot.closed_streams < left:
                assert time.monotonic() < deadline, "the place was not freed"
                time.sleep(0.02)
        started = time.monotonic()
        assert client.post("/v1/chat/completions", json=body).status_code == 200
        assert time.monotonic() - started < 10


def test_programs_and_readers_stand_in_one_line(tmp_path: Path) -> None:
    chatbot = ScriptedChatbot(delay=1)
    asked = {"data": ["What does it cost?", {"turn": "t", "language": "en"}], "fn_index": 0, "session_hash": "reader"}
    body = {"model": "footnote", "messages": [{"role": "user", "content": "What is the fare?"}]}

    with api_server(chatbot, tmp_path) as served, served.http("") as reader, ThreadPoolExecutor() as pool:

        def ask_with(key: str) -> int:
            with served.http(key) as client:
                return client.post("/v1/chat/completions", json=body).status_code

        reader.get("/config")  # what is behind the page is loaded
        keys = [served.keys.add(f"program {number}", ["answer"]) for number in range(ANSWERS_AT_ONCE)]
        answered = [pool.submit(ask_with, key) for key in keys]
        while len(chatbot.histories) < ANSWERS_AT_ONCE:
            time.sleep(0.01)
        reader.post("/gradio_api/queue/join", json=asked).raise_for_status()
        with reader.stream("GET", "/gradio_api/queue/data", params={"session_hash": "reader"}) as events:
            heard = "".join(events.iter_lines())
        assert "You are number 1 in line" in heard
        assert [future.result() for future in answered] == [200] * ANSWERS_AT_ONCE
