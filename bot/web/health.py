"""Two addresses for whoever starts and balances processes: is it alive, and can it answer?"""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import JSONResponse

from bot.chatbot import Chatbot
from index.errors import FootnoteError

logger = logging.getLogger(__name__)


def health_routes(chatbot: Chatbot, page_is_there: Callable[[], bool]) -> APIRouter:
    """Return `/healthz` (the process answers) and `/readyz` (200 when questions can be answered, else 503)."""
    router = APIRouter()

    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"process": "ok"}

    @router.get("/readyz")
    def ready() -> JSONResponse:
        index = _index(chatbot)
        states = {"index": index, "page": "ok" if page_is_there() else "loading"}
        return JSONResponse(states, 200 if set(states.values()) == {"ok"} else 503)

    return router


def _index(chatbot: Chatbot) -> str:
    """Return the state of the index in one word; why it cannot be read stands in the log, not on a public address."""
    try:
        return "ok" if chatbot.library.is_indexed() else "empty"
    except FootnoteError as error:
        logger.warning("not ready: %s", error)
        return "unavailable"
