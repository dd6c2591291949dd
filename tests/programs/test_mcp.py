"""The MCP server as a program meets it: by the SDK's own client."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, get_default_environment, stdio_client
from mcp.client.streamable_http import streamable_http_client

from bot.answer.answer import Answer
from bot.storage.answers import AnswerRecords
from bot.storage.api_keys import SCOPES, ApiKeys
from bot.web.search import FoundChunks
from tests.support.api_server import QUESTION

PROGRAM = "from bot.cli import main; main()"
ROOT = Path(__file__).parent.parent.parent


def by_stdio(data_dir: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=["-c", PROGRAM, "mcp", "--data-dir", str(data_dir), "--answerer", "extractive"],
        cwd=ROOT,
        env={**get_default_environment(), "PYTHONPATH": str(ROOT)},
    )


def test_client_finds_tools_answers_and_documents(seed_data: Path) -> None:
    async def use() -> None:
        async with Client(stdio_client(by_stdio(seed_data))) as client:
            assert client.server_info.name == "footnote"
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == {"answer", "search"}
            assert "statements" in tools["answer"].output_schema["properties"]

            called = await client.call_tool("answer", {"question": QUESTION})
            assert not called.is_error
            answer = Answer.model_validate(called.structured_content)
            assert "1 billion" in answer.text
            assert called.content[0].text.startswith(answer.text)
            assert f"[1] {answer.citations[0].title}" in called.content[0].text

            history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": answer.text}]
            followed = await client.call_tool("answer", {"question": "When will it open?", "history": history})
            assert "institute" in followed.structured_content["standalone_question"].lower()

            refused = await client.call_tool("answer", {"question": "Who won the 1998 football world cup?"})
            assert not refused.is_error
            assert refused.structured_content["kind"] == "refusal"

            found = FoundChunks.model_validate(
                (await client.call_tool("search", {"question": QUESTION, "top_k": 3})).structured_content
            )
            assert [one.rank for one in found.retrieved] == [1, 2, 3]

            listed = json.loads((await client.read_resource("footnote://documents")).contents[0].text)
            cited = next(one for one in listed if one["document_id"] == answer.citations[0].document_id)
            text = (await client.read_resource(cited["uri"])).contents[0].text
            assert text[answer.citations[0].start : answer.citations[0].end] == answer.citations[0].quote

            wrong = await client.call_tool("search", {"question": QUESTION, "top_k": 1_000})
            assert wrong.is_error

    asyncio.run(use())
    with closing(AnswerRecords(f"sqlite:///{seed_data / 'footnote.db'}")) as records:
        assert {one.answer.question for one in records.latest() if one.origin.face == "mcp"} >= {QUESTION}


def test_an_empty_index_is_said_in_a_sentence(tmp_path: Path) -> None:
    async def use() -> None:
        async with Client(stdio_client(by_stdio(tmp_path))) as client:
            answered = await client.call_tool("answer", {"question": QUESTION})
            assert answered.structured_content["refusal"]["reason"] == "empty_index"
            searched = await client.call_tool("search", {"question": QUESTION})
            assert searched.is_error
            assert "footnote index" in searched.content[0].text

    asyncio.run(use())


@pytest.fixture
def by_http(seed_data: Path) -> Iterator[str]:
    arguments = ["mcp", "--http", "--port", "0", "--data-dir", str(seed_data), "--answerer", "extractive"]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if address := re.search(r"http://\S+/mcp", line):
                yield address[0]
                break
        process.terminate()


def test_by_http_behind_a_key(by_http: str, seed_data: Path) -> None:
    with closing(ApiKeys(f"sqlite:///{seed_data / 'footnote.db'}")) as keys:
        key, narrow = keys.add("mcp", SCOPES), keys.add("mcp narrow", ["answer"])

    async def use(shown: str) -> str:
        headers = {"authorization": f"Bearer {shown}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False, timeout=60) as http,
            Client(streamable_http_client(by_http, http_client=http)) as client,
        ):
            called = await client.call_tool("answer", {"question": QUESTION})
            return called.content[0].text

    assert "1 billion" in asyncio.run(use(key))
    for shown, status in (("footnote_wrong", 401), (narrow, 403)):
        refused = httpx2.post(by_http, json={}, headers={"authorization": f"Bearer {shown}"}, trust_env=False)
        assert refused.status_code == status
