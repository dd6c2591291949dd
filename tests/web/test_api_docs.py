"""The examples of docs/api.md, run as they are written: only addresses and folders differ."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, get_default_environment, stdio_client

from bot.answer.answer import Answer
from bot.chatbot import Chatbot
from tests.support.api_server import QUESTION, ApiServer, api_server

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def server(seed_chatbot: Chatbot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(seed_chatbot, tmp_path_factory.mktemp("api")) as served:
        yield served


@pytest.fixture
def place(seed_data: Path, tmp_path: Path) -> Path:
    (tmp_path / "data").symlink_to(seed_data)
    return tmp_path


def run(command: list[str], server: ApiServer, place: Path) -> str:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "FOOTNOTE_KEY": server.key,
        "FOOTNOTE_ANSWERER": "extractive",
    }
    command = [part.replace("http://127.0.0.1:7860", server.address) for part in command]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_shell_commands_work_when_copied_in_order(seed_chatbot: Chatbot, place: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with api_server(seed_chatbot, place) as own:
        commands = [
            f"export FOOTNOTE_DATABASE_URL=sqlite:///{place / 'served.db'}",
            "unset FOOTNOTE_KEY",
            *examples("sh"),
        ]
        printed = run(["bash", "-euc", "\n".join(commands)], own, place)
    assert "What is the AI research institute for?" in printed
    assert '"kind":"refusal"' not in printed.replace('": "', '":"')
    assert '"total":' in printed.splitlines()[-1]


@pytest.mark.parametrize("example", examples("python"))
def test_python(example: str, server: ApiServer, place: Path) -> None:
    printed = run([sys.executable, "-c", example], server, place)
    assert "billion" in printed or "Hong Kong" in printed


def test_configuration_of_a_client(seed_data: Path) -> None:
    (example,) = examples("json")
    described = json.loads(example)["mcpServers"]["footnote"]
    assert described["command"] == "/path/to/.venv/bin/footnote"
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-c", "from bot.cli import main; main()"]
        + [str(seed_data) if part == "/path/to/data" else part for part in described["args"]],
        env={**get_default_environment(), "PYTHONPATH": str(ROOT), "FOOTNOTE_ANSWERER": "extractive"},
    )

    async def use() -> Answer:
        async with Client(stdio_client(parameters)) as client:
            return Answer.model_validate((await client.call_tool("answer", {"question": QUESTION})).structured_content)

    assert "1 billion" in asyncio.run(use()).text
