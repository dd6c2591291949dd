"""The chat page, the widget that other sites embed, and the routes that their script calls.

Those are: examples, documents, the model's progress, conversations, feedback, and the reader's own data.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.answer.answer import Answer
from bot.chatbot import Chatbot
from bot.language_model.weights import cache_folder, fetch_progress
from bot.storage.answers import READER, AnswerRecords, Rating, RatingReason, delete_visitor, visitor_data
from bot.storage.library import Contents
from bot.web.page.language import LANGUAGE_COOKIE, LANGUAGES, Texts, remember_visitor, texts_for, theme_for, visitor_of
from bot.web.page.render_html import (
    PAGE_FILES,
    render_answer,
    render_examples,
    render_fault,
    render_page,
    title_lookup,
    visible,
)
from index.errors import FootnoteError

_ONE_YEAR = 365 * 24 * 3600
# What page.js imports, named in the page so that a browser requests all of them at once.
_SCRIPTS = ("box", "drawer", "export", "invisible", "source", "store", "titles", "turn", "words")
_NO_DOCUMENTS = Contents(total=0, documents=(), more=False, indexed_at=None)
_LISTED = 40
_LONGEST_SEARCH = 100
_DOWNLOAD = {"content-disposition": 'attachment; filename="footnote-my-data.json"', "cache-control": "no-store"}


class StoredConversation(BaseModel):
    """Answers that a browser stored and sends to be rendered again. They are untrusted and validated one by one."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    answers: tuple[dict[str, Any], ...] = Field(max_length=200)


class Feedback(BaseModel):
    """A reader's rating of an answer, as the page sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: Answer
    verdict: Rating
    reason: RatingReason | None = None
    comment: str = Field(default="", max_length=4_000)


def chat_routes(chatbot: Chatbot, records: AnswerRecords, gradio_script: str) -> APIRouter:
    """Return the page, the widget and what their script calls."""
    router = APIRouter()
    has_widget = bool(chatbot.settings.widget_origins)

    @router.get("/", response_class=HTMLResponse)
    def page(request: Request, language: str | None = None) -> Response:
        if language in LANGUAGES:
            chosen = RedirectResponse("/", status_code=303)
            chosen.set_cookie(LANGUAGE_COOKIE, language, max_age=_ONE_YEAR, samesite="lax")
            return chosen
        shown = HTMLResponse(_render_chat(request, chatbot, gradio_script))
        remember_visitor(request.cookies, shown, secure=request.url.scheme == "https")
        return shown

    @router.get("/examples", response_class=HTMLResponse)
    def examples(request: Request) -> HTMLResponse:
        return HTMLResponse(render_examples(chatbot.example_questions(), texts_for(request)))

    @router.get("/documents", response_class=HTMLResponse)
    def documents(request: Request, words: str = "", start: int = 0) -> HTMLResponse:
        """Return a part of the list of documents whose titles contain the words, beginning at `start`."""
        start = min(max(start, 0), 1 << 30)
        contents = chatbot.library.contents(words[:_LONGEST_SEARCH], start, _LISTED)
        return HTMLResponse(_render_titles(contents, start, texts_for(request)))

    @router.get("/model")
    def model(request: Request) -> Response:
        """Return the progress of the language model's download; nothing once it is complete."""
        settings = chatbot.settings
        if settings.answerer != "local":
            return Response(status_code=204)
        progress = fetch_progress(cache_folder(settings.model_cache), settings.gguf)
        if progress.state != "fetching":
            return Response(status_code=204)
        return PlainTextResponse(texts_for(request)("model_fetching", percent=round(100 * progress.fraction)))

    @router.post("/conversation")
    def conversation(request: Request, stored: StoredConversation) -> list[dict[str, str]]:
        texts, title_of = texts_for(request), title_lookup(chatbot)
        shown = []
        for answer in stored.answers:
            try:
                shown.append(render_answer(Answer.model_validate(answer), texts, title_of))
            except ValidationError:
                shown.append({"understood": "", "body": render_fault(texts("unreadable"), texts), "footer": ""})
        return shown

    @router.post("/feedback", status_code=204)
    def give_feedback(request: Request, given: Feedback) -> None:
        visitor = visitor_of(request.cookies)
        records.rate(given.answer, visitor, given.verdict, reason=given.reason, comment=given.comment)

    @router.delete("/conversation/{conversation}", status_code=204)
    def delete_conversation(request: Request, conversation: str) -> None:
        if visitor := visitor_of(request.cookies):
            records.delete_conversation(conversation, visitor)

    @router.get("/my-data")
    def download_data(request: Request) -> JSONResponse:
        return JSONResponse(visitor_data(records, visitor_of(request.cookies)), headers=_DOWNLOAD)

    @router.delete("/my-data", status_code=204)
    def delete_data(request: Request) -> None:
        delete_visitor(records.engine, READER, visitor_of(request.cookies))

    @router.get("/widget", response_class=HTMLResponse)
    def widget(request: Request) -> HTMLResponse:
        if not has_widget:
            raise HTTPException(404)
        return HTMLResponse(_render_chat(request, chatbot, gradio_script, is_widget=True))

    @router.get("/widget.js")
    def widget_script(request: Request) -> Response:
        if not has_widget:
            raise HTTPException(404)
        served = PAGE_FILES.serve("widget.js", request.headers)
        served.headers["cross-origin-resource-policy"] = "cross-origin"
        return served

    return router


def _render_chat(request: Request, chatbot: Chatbot, gradio_script: str, *, is_widget: bool = False) -> str:
    texts = texts_for(request)
    contents, fault = _NO_DOCUMENTS, ""
    try:
        contents = chatbot.library.contents(count=_LISTED)
    except FootnoteError as error:
        fault = str(error)
    built = contents.indexed_at.astimezone() if contents.indexed_at else None
    return render_page(
        "page.html",
        texts,
        theme=theme_for(request),
        languages=list(LANGUAGES.values()),
        contents=contents,
        titles=_render_titles(contents, 0, texts),
        listed=_LISTED,
        is_widget=is_widget,
        # In a frame of another site the browser withholds the cookie that says whose an answer is.
        can_share=chatbot.settings.keep_answers and not is_widget,
        index_fault=fault,
        indexed=texts.indexed(built.date(), datetime.now().astimezone().date()) if built else "",
        gradio_script=gradio_script,
        scripts=_SCRIPTS,
        question_limit=chatbot.settings.maximum_question_characters,
    )


def _render_titles(contents: Contents, start: int, texts: Texts) -> Markup:
    return Markup(  # noqa: S704  # our own template's output
        render_page(
            "titles.html",
            texts,
            documents=contents.documents,
            repeated_titles=_repeated([document.title for document in contents.documents]),
            next_start=start + len(contents.documents) if contents.more else None,
        )
    )


def _repeated(titles: list[str]) -> set[str]:
    """Return the titles that look the same as another one."""
    seen = Counter(visible(title).strip() for title in titles)
    return {title for title in titles if seen[visible(title).strip()] > 1}
