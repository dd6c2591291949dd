"""The Gradio part of the page: the question box, its two buttons, and the event that answers.

What the event yields goes to a component without a face; the page's own script shows it (`static/page.js`, which
puts the functions named here into `window.footnote`).
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from bot.web.asking import Asking, Part
from bot.web.gradio_import import import_gradio
from bot.web.gradio_queue import narrow_queue
from bot.web.limits.caller import caller_of
from bot.web.static_files import StaticFolder
from bot.web.visitor import visitor_of

# Readers being answered or waiting in our own line, which tells them their place; above that Gradio says no.
_OPEN_QUESTIONS = 64


def build_composer(asking: Asking) -> FastAPI:
    """Return Gradio's application, without its footer, history, monitoring or fonts from elsewhere. Takes seconds.

    Its `state.stop_streams` is to be set when the server stops: open streams outlast a polite shutdown otherwise.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    gr = import_gradio()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # With a CORS policy of our own in place, Gradio does not add its own, which reflects foreign origins.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    gr.mount_gradio_app(
        app,
        _build_blocks(gr, asking),
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gr.themes.Base(font=["serif"], font_mono=["monospace"]),
    )
    # `launch` would tell the streams to stop, mounting does not.
    app.state.stop_streams = app.routes[-1].app.stop_event  # type: ignore[attr-defined]
    return app


def gradio_script() -> str:
    """Return the path of Gradio's browser code, as its package names it.

    Raises:
        RuntimeError: The installed Gradio is laid out differently from the release we pin.
    """
    entry = _frontend() / "gradio.js"
    found = re.search(r'import\("\./(assets/[\w.-]+\.js)"\)', entry.read_text("utf-8"))
    if found is None:
        raise RuntimeError(f"{str(entry)!r} does not name Gradio's browser code")
    return f"/{found[1]}"


def gradio_files() -> StaticFolder:
    """Return Gradio's browser code, which a browser can have before Gradio itself is there."""
    return StaticFolder(_frontend() / "assets", named_by_content=True)


def _frontend() -> Path:
    package = find_spec("gradio")  # found, not imported: that takes seconds
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "templates" / "frontend"


def _build_blocks(gr: Any, asking: Asking) -> Any:
    async def ask(question: str, request: dict[str, object], http: Any) -> AsyncIterator[Part]:
        async for part in asking.ask(question or "", request, visitor_of(http.cookies), caller_of(http.request.scope)):
            yield part

    ask.__annotations__["http"] = gr.Request  # which Gradio fills in, and which is not there before Gradio is

    with gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True) as blocks:
        request = gr.JSON(visible=False)
        answer = gr.JSON(visible=False)
        with gr.Row(elem_id="composer"):
            question = gr.Textbox(
                label="Question", show_label=False, container=False, lines=1, max_lines=8, elem_id="question"
            )
            send = gr.Button("Send", elem_id="send")
            stop = gr.Button("Stop", elem_id="stop")

        asked = gr.on(
            [question.submit, send.click],
            ask,
            inputs=[question, request],
            outputs=[answer],
            js="(question, request) => footnote.begin(question)",
            show_progress="hidden",
            trigger_mode="once",
            concurrency_limit=_OPEN_QUESTIONS,
            api_visibility="private",
        )
        answer.change(None, inputs=[answer], js="(value) => footnote.receive(value)", api_visibility="private")
        asked.then(None, js="() => footnote.settle()", api_visibility="private")
        asked.failure(None, js="() => footnote.settle()", api_visibility="private")
        stop.click(None, js="() => footnote.stopped()", cancels=[asked], api_visibility="private")
    blocks.queue(max_size=_OPEN_QUESTIONS, api_open=False)
    narrow_queue(blocks, next(index for index, event in blocks.fns.items() if event.fn is ask))
    return blocks
