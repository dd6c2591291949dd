"""What the page waits for: nothing heavy, and not the question box."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from bot.web.app import LazyApp

# Each takes from half a second to several to import.
HEAVY = "chromadb gradio llama_index matplotlib nltk openai openvino pandas scipy sklearn torch transformers"


def run(program: str) -> str:
    """Return what a program prints in a fresh interpreter."""
    root = Path(__file__).parent.parent.parent
    return subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_page_needs_nothing_heavy() -> None:
    program = "import sys, bot.cli, bot.build, bot.web.app, bot.web.http_server; print(*sys.modules)"
    loaded = {name.split(".")[0] for name in run(program).split()}
    assert loaded & set(HEAVY.split()) == set()


def test_gradio_is_imported_without_writing_stubs() -> None:
    program = """
from bot.web.page.composer import import_gradio
gradio = import_gradio()
print(gradio.component_meta.create_or_modify_pyi.__module__, gradio.Textbox(label="a").label)
"""
    assert run(program) == "bot.web.page.composer a"


def test_lazy_application_answers_who_asked_before_it_was_built() -> None:
    asked, lived = threading.Event(), []

    @asynccontextmanager
    async def lifespan(_: Starlette):
        lived.append("begun")
        yield
        lived.append("ended")

    async def late_answer(_) -> PlainTextResponse:
        return PlainTextResponse("late")

    async def early_answer(_) -> PlainTextResponse:
        return PlainTextResponse("early")

    def build() -> Starlette:
        asked.wait(10)
        return Starlette(routes=[Route("/late", late_answer)], lifespan=lifespan)

    lazy = LazyApp(build)
    app = Starlette(routes=[Route("/early", early_answer), Mount("/", lazy)], lifespan=lazy.lifespan)
    with TestClient(app) as client:
        assert client.get("/early").text == "early"
        assert lazy.app is None
        threading.Timer(0.2, asked.set).start()
        assert client.get("/late").text == "late"
        assert lived == ["begun"]
    assert lived == ["begun", "ended"]


def test_lazy_application_that_cannot_be_built_says_so() -> None:
    def build() -> Starlette:
        raise OSError("no space")

    async def open_it() -> None:
        lazy = LazyApp(build)
        async with lazy.lifespan(Starlette()):
            await lazy.built()

    with pytest.raises(OSError, match="no space"):
        asyncio.run(open_it())
