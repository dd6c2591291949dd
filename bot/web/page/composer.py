"""The Gradio part of the page: the question box, its two buttons, and the event that answers.

What the event yields goes to a hidden component; the page's own script shows it (`static/page.js`, which puts the
functions named here into `window.footnote`). Gradio is adjusted in two places for which it has no options: its import
writes no type stubs, and its queue runs one event and keeps a bounded number of sessions.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import AsyncIterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from bot.web.page.language import visitor_of
from bot.web.page.stream import PagePart, PageStream
from bot.web.rate_limits import caller_of
from bot.web.static_files import StaticFolder

# Readers who are answered or wait in our own queue, which tells them their position; beyond these Gradio refuses.
_OPEN_QUESTIONS = 64
_SETTINGS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    # Gradio sums up its events with pandas after every so many answers: here never.
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(2**62),
}
# Gradio's own are eleven letters; a name with its separator in it would keep others from cancelling.
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_REMEMBERED_SESSIONS = 500
_KEPT_STATES = 100  # of fifty kilobytes, which the page does not use
_IDLE_SECONDS = 0.01  # between two looks for work; Gradio's own is a tenth of it


def build_composer(page_stream: PageStream) -> FastAPI:
    """Return Gradio's application, without its footer, history, monitoring or fonts from elsewhere. Takes seconds.

    Its `state.stop_streams` is to be set when the server stops: open streams outlast a polite shutdown otherwise.
    """
    os.environ.update(_SETTINGS)
    gr = import_gradio()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # With a CORS policy of our own in place, Gradio does not add its own, which reflects foreign origins.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    gr.mount_gradio_app(
        app,
        _build_blocks(gr, page_stream),
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


def _build_blocks(gr: Any, page_stream: PageStream) -> Any:
    async def ask(question: str, request: dict[str, object], http: Any) -> AsyncIterator[PagePart]:
        visitor, caller = visitor_of(http.cookies), caller_of(http.request.scope)
        async for part in page_stream.ask(question or "", request, visitor, caller):
            yield part

    ask.__annotations__["http"] = gr.Request  # Gradio fills it in; the class exists only after Gradio's import

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
    blocks.state_session_capacity = _KEPT_STATES  # an option of `launch`, but not of mounting
    _restrict_queue(blocks._queue, next(index for index, event in blocks.fns.items() if event.fn is ask))
    return blocks


def _restrict_queue(queue: Any, fn_index: int) -> None:
    """Let a queue run the event with this number only, and forget the sessions that were used least recently.

    Gradio's own runs any event, also a private one, and remembers every session forever (gradio#13154).
    """
    push, messages = queue.push, queue.pending_messages_per_session
    messages.max_size = _REMEMBERED_SESSIONS
    events = queue.pending_event_ids_session = type(messages)(_REMEMBERED_SESSIONS)

    async def push_question(body: Any, request: Any, username: str | None) -> Any:
        if body.fn_index != fn_index or not _SESSION.fullmatch(body.session_hash or ""):
            return False, "There is no such event.", "error"
        for sessions in (messages, events):
            if body.session_hash in sessions:
                sessions.move_to_end(body.session_hash)
        return await push(body=body, request=request, username=username)

    queue.push = push_question
    queue.sleep_when_free = queue.progress_update_sleep_when_free = _IDLE_SECONDS


def import_gradio() -> Any:
    """Return the package `gradio`; if this imports it first, without writing type stubs.

    Gradio parses the source of its components at every import and writes stubs for editors beside it
    (`gradio.component_meta`), which is half of the seconds that an import takes.
    """
    finder = _WithoutStubs()
    sys.meta_path.insert(0, finder)
    try:
        import gradio  # seconds, in which the page is shown already
    finally:
        sys.meta_path.remove(finder)
    return gradio


class _WithoutStubs(MetaPathFinder):
    """Finds the module that writes stubs, and no other."""

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != "gradio.component_meta":
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = _LoaderWithoutStubs(found.loader.name, found.loader.path)
        return found


class _LoaderWithoutStubs(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        vars(module)["create_or_modify_pyi"] = lambda *_: None


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
    """Return Gradio's browser code, which a browser can load before Gradio itself is imported."""
    return StaticFolder(_frontend() / "assets", named_by_content=True)


def _frontend() -> Path:
    package = find_spec("gradio")  # found, not imported: that takes seconds
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "templates" / "frontend"
