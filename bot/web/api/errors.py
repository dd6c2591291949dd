"""The API's errors: one shape for all, the one that clients of OpenAI's API read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from index.errors import FootnoteError


class ErrorDetails(BaseModel):
    """What went wrong."""

    message: str = Field(description="A sentence for a person: what, and what to do.")
    type: str = Field(description="The kind of error, as OpenAI's API names it.")
    param: str | None = Field(default=None, description="The parameter that cannot be used.")
    code: str | None = Field(default=None, description="A fixed word for a program.")


class ErrorBody(BaseModel):
    """The body of every response that is not a success."""

    error: ErrorDetails


class ApiError(Exception):
    """Ends a request with a status and an error in the API's shape."""

    def __init__(self, status: int, details: ErrorDetails, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(details.message)
        self.status = status
        self.details = details
        self.headers = headers

    def response(self) -> JSONResponse:
        """Return the error as the API shows it."""
        return JSONResponse(ErrorBody(error=self.details).model_dump(), self.status, self.headers)


_DESCRIPTIONS = {
    400: "The request cannot be used; `param` names what is wrong with it.",
    401: "There is no key, or it is wrong, revoked or expired.",
    403: "The key does not have the scope that this needs.",
    404: "There is no such model or document.",
    413: "The body is too large.",
    429: "A limit of the key is reached; `Retry-After` says for how many seconds.",
    500: "A fault of the server; its log says more.",
    503: "Too many questions are waiting, or the index cannot be used just now.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return errors as FastAPI documents them: those named, and those that every route has."""
    every = {400, 401, 403, 413, 429, 500, 503, *statuses}
    return {status: {"model": ErrorBody, "description": _DESCRIPTIONS[status]} for status in sorted(every)}


def invalid_request(message: str, param: str | None = None, code: str | None = None) -> ErrorDetails:
    """Return the details of an error that the caller can mend."""
    return ErrorDetails(message=message, type="invalid_request_error", param=param, code=code)


def index_unavailable(error: FootnoteError) -> ApiError:
    """Return the error for an index or a database that cannot be used."""
    return ApiError(503, ErrorDetails(message=str(error), type="server_error", code="unavailable"))


def internal_error() -> ErrorDetails:
    """Return the details of an unexpected exception, which are only in the log."""
    return ErrorDetails(message=_DESCRIPTIONS[500], type="server_error", code="internal_error")


def handle_errors(app: FastAPI, refused_values: Mapping[str, str]) -> None:
    """Have an application show every error in the API's shape.

    Args:
        app: The application.
        refused_values: Parameters that accept only a value without effect, each with the reason.
    """

    @app.exception_handler(ApiError)
    def api_error(_: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(FootnoteError)
    def footnote_error(_: Request, error: FootnoteError) -> JSONResponse:
        return index_unavailable(error).response()

    @app.exception_handler(HTTPException)
    def http_exception(_: Request, error: HTTPException) -> JSONResponse:
        return ApiError(error.status_code, invalid_request(str(error.detail)), error.headers).response()

    @app.exception_handler(RequestValidationError)
    def validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
        name = place[0] if place else None
        reason = refused_values.get(name or "")
        message = f"{'.'.join(place) or 'The body'}: {reason or str(first['msg'])}."
        return ApiError(
            400, invalid_request(message, name, "unsupported_value" if reason else "invalid_value")
        ).response()

    @app.exception_handler(Exception)
    def unexpected(_: Request, _error: Exception) -> JSONResponse:
        return ApiError(500, internal_error()).response()
