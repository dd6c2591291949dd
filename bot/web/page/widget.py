"""The chat page small enough for a corner of another site, and the script that puts it there.

Only the sites of the setting `widget_origins` may show it; without any, neither exists.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from bot.chatbot import Chatbot
from bot.web.page.chat import render_chat
from bot.web.page.render import PAGE_FILES


def widget_routes(chatbot: Chatbot, gradio_script: str) -> APIRouter:
    """Return the widget's page and its script."""
    router = APIRouter()
    is_wanted = bool(chatbot.settings.widget_origins)

    @router.get("/widget", response_class=HTMLResponse)
    def widget(request: Request) -> HTMLResponse:
        if not is_wanted:
            raise HTTPException(404)
        return HTMLResponse(render_chat(request, chatbot, gradio_script, is_widget=True))

    @router.get("/widget.js")
    def script(request: Request) -> Response:
        if not is_wanted:
            raise HTTPException(404)
        served = PAGE_FILES.serve("widget.js", request.headers)
        served.headers["cross-origin-resource-policy"] = "cross-origin"
        return served

    return router
