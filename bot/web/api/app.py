"""The API, put together: an application of its own below `/api` and `/v1`, described by OpenAPI."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from bot.chatbot import Chatbot
from bot.storage.api_keys import ApiKeys
from bot.web.answer_service import Answering
from bot.web.api.answers import answer_routes
from bot.web.api.authentication import Door
from bot.web.api.chat import chat_api_routes
from bot.web.api.chat_models import REFUSED_VALUES
from bot.web.api.documents import document_routes
from bot.web.api.errors import handle_errors
from bot.web.api.turns import Turns
from bot.web.extensions import Pages
from bot.web.limits import Rates
from bot.web.security import TOPS

_DESCRIPTION = """Answers from your documents, every sentence with a footnote that opens its exact place.

Places are half-open ranges of characters (Unicode code points) of a document's stored text; a citation's `quote` equals
that text from `start` to `end`. Errors have the shape of OpenAI's API everywhere."""


def build_api(chatbot: Chatbot, answering: Answering, keys: ApiKeys, rates: Rates) -> FastAPI:
    """Return the API around a chatbot.

    Args:
        chatbot: Answers.
        answering: Has questions answered, those of readers in the same line.
        keys: Who is let in.
        rates: How often.
    """
    app = FastAPI(
        title="Footnote",
        description=_DESCRIPTION,
        version=version("footnote-chat"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    door, turns = Door(keys, chatbot.settings, rates), Turns(answering)
    handle_errors(app, REFUSED_VALUES)
    app.include_router(answer_routes(chatbot, turns, door))
    app.include_router(document_routes(chatbot, door))
    app.include_router(chat_api_routes(chatbot, turns, door))
    _leave_out_fastapis_own_errors(app.openapi())
    return app


def api_pages(app: FastAPI) -> tuple[Pages, ...]:
    """Return the API as the groups of pages it is: one below each of its paths."""
    return tuple(Pages("API", top, app, top, lambda: None) for top in TOPS)


def _leave_out_fastapis_own_errors(schema: dict[str, Any]) -> None:
    """Take from the description the errors that FastAPI would send and we do not: ours are 400 and have one shape."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
