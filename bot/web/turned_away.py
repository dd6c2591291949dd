"""What somebody gets whose request is not answered: a status for programs, a sentence for the reader."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Scope

from bot.web.api.errors import ErrorDetails, error_response
from bot.web.api.paths import is_api
from bot.web.language import Texts
from bot.web.reader import texts_for

_LONGEST_IN_SECONDS = 99


def turned_away(scope: Scope, status: int, key: str, retry_after: int = 0) -> JSONResponse:
    """Return a response with the words of a key in the reader's language.

    Args:
        scope: The request.
        status: The HTTP status.
        key: Which words; `{wait}` in them becomes the time to wait.
        retry_after: Seconds until it makes sense to ask again; 0 where nobody knows.
    """
    texts = texts_for(Request(scope))
    headers = {"retry-after": str(retry_after)} if retry_after else None
    words = texts(key, wait=_in_words(retry_after, texts))
    if is_api(scope["path"]):
        kind = "rate_limit_error" if status == 429 else "invalid_request_error"
        return error_response(status, ErrorDetails(message=words, type=kind, code=key), headers)
    return JSONResponse({"detail": words}, status, headers)


def _in_words(seconds: int, texts: Texts) -> str:
    if seconds <= _LONGEST_IN_SECONDS:
        return texts.count("wait_seconds", seconds)
    return texts.count("wait_minutes", -(-seconds // 60))
