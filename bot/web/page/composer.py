"""Imports Gradio without what it does only for editors.

Every import of Gradio parses the source of its components and writes type stubs beside it (`gradio.component_meta`).
That is half of the seconds an import takes, and nobody who serves a page reads them.

Gradio's queue, narrowed to the one event that the page uses and kept from growing with every visitor.

As it comes it runs any event that is named, keeps an entry for each session for good (gradio#13154), sums up its
statistics with pandas after every answer, and looks for work a thousand times a second.

The Gradio part of the page: the question box, its two buttons, and the event that answers.

What the event yields goes to a component without a face; the page's own script shows it (`static/page.js`, which
puts the functions named here into `window.footnote`).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from bot.web.limits import caller_of
from bot.web.page.language import visitor_of
from bot.web.page.stream import Asking, Part
from bot.web.static_files import StaticFolder

_WRITER = "gradio.component_meta"


def import_gradio() -> Any:
    """Return the package `gradio`, imported without writing stubs where this is its first import."""
    finder = _WithoutStubs()
    sys.meta_path.insert(0, finder)
    try:
        import gradio  # seconds, in which the page is shown already
    finally:
        sys.meta_path.remove(finder)
    return gradio


class _WithoutStubs(MetaPathFinder):
    """Finds the module that writes stubs, and no other."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _WRITER:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = _Loader(found.loader.name, found.loader.path)
        return found


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        vars(module)["create_or_modify_pyi"] = lambda *_: None


# Gradio's own are eleven letters; a name with its separator in it would keep others from cancelling.
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_REMEMBERED_SESSIONS = 500
# Fifty kilobytes each, of which the page uses nothing.
_KEPT_STATES = 100
_LOOK_SECONDS = 0.01


def narrow_queue(blocks: Any, fn_index: int) -> None:
    """Let the queue of a Gradio application run one event only.

    Args:
        blocks: The application's `gr.Blocks`, its queue configured.
        fn_index: The number of the event.
    """
    queue = blocks._queue
    push = queue.push

    async def push_question(body: Any, request: Any, username: str | None) -> Any:
        if body.fn_index != fn_index or not _SESSION.fullmatch(body.session_hash or ""):
            return False, "There is no such event.", "error"
        if len(queue.pending_event_ids_session) > _REMEMBERED_SESSIONS:
            _forget_sessions(queue)
        return await push(body=body, request=request, username=username)

    queue.push = push_question
    queue.compute_analytics_summary = lambda _records: {}
    queue.ANALYTICS_MAX_EVENTS = 1
    queue.pending_messages_per_session.max_size = _REMEMBERED_SESSIONS
    queue.sleep_when_free = queue.progress_update_sleep_when_free = _LOOK_SECONDS
    blocks.state_session_capacity = _KEPT_STATES


def _forget_sessions(queue: Any) -> None:
    """Drop the sessions none of whose events runs or waits to be told of."""
    sessions = queue.pending_event_ids_session
    for session, events in list(sessions.items()):
        is_heard = session in queue.pending_messages_per_session and events
        if not is_heard and events.isdisjoint(queue.event_ids_to_events):
            del sessions[session]
            queue.pending_messages_per_session.pop(session, None)


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
