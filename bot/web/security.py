"""The outermost checks of every request: the paths that are public, cross-origin requests, body sizes, headers.

Gradio brings routes a public page has no use for (uploads, proxies, files, recordings); only those listed here are
reachable. Decisions use `scope["path"]`, which is what the router matches, never a URL built from headers
(CVE-2026-48710).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.api.errors import ApiError, ErrorDetails
from bot.web.extensions import is_below
from bot.web.page.language import texts_for

API_PATHS = ("/api", "/v1")
_GRADIO = "/gradio_api"
_EXACT = {
    "GET": {
        *("/", "/examples", "/documents", "/model", "/my-data", "/widget", "/widget.js", "/robots.txt"),
        *("/config", "/theme.css", "/healthz", "/readyz"),
        *(f"{_GRADIO}/info", f"{_GRADIO}/startup-events", f"{_GRADIO}/queue/data"),
    },
    "POST": {
        *("/conversation", "/feedback", "/answer"),
        *(f"{_GRADIO}/queue/join", f"{_GRADIO}/cancel", f"{_GRADIO}/reset"),
    },
    "DELETE": {"/my-data"},
}
_BELOW = {
    "GET": ("/source/", "/answer/", "/page/", "/assets/", f"{_GRADIO}/heartbeat/"),
    "POST": ("/answer/",),
    "DELETE": ("/conversation/",),
}
_STATE_CHANGING = ("POST", "DELETE")
_METHODS_OF_PAGES = ("GET", "HEAD", "POST")
_LARGEST_BODY = {"/conversation": 4_000_000, "/v1/chat/completions": 1_000_000, f"{_GRADIO}/queue/join": 400_000}
_LARGEST_OTHER_BODY = 100_000
_LONGEST_IN_SECONDS = 99

# Gradio compiles the one-line functions of its events in the page, which is what 'unsafe-eval' allows; inline
# scripts and inline handlers stay forbidden. Its components set inline styles.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'; "
    "object-src 'none'"
)
DOCUMENT_SECURITY_POLICY = CONTENT_SECURITY_POLICY.replace("script-src 'self' 'unsafe-eval'", "script-src 'none'")
_WITHOUT_SCRIPTS = ("/source/", "/answer/")
_OWN_FRAMES = "frame-ancestors 'self'"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def is_api(path: str) -> bool:
    """Return whether a path belongs to the API."""
    return any(is_below(path, top) for top in API_PATHS)


def rejection(scope: Scope, status: int, key: str, retry_after: int = 0) -> JSONResponse:
    """Return the response to a request that is not processed, in the reader's language.

    Args:
        scope: The request.
        status: The HTTP status.
        key: Key of its text; `{wait}` in the text becomes the time to wait.
        retry_after: Seconds until the request can succeed; 0 if unknown.
    """
    texts = texts_for(Request(scope))
    headers = {"retry-after": str(retry_after)} if retry_after else None
    in_seconds = retry_after <= _LONGEST_IN_SECONDS
    wait = (
        texts.count("wait_seconds", retry_after) if in_seconds else texts.count("wait_minutes", -(-retry_after // 60))
    )
    message = texts(key, wait=wait)
    if is_api(scope["path"]):
        kind = "rate_limit_error" if status == 429 else "invalid_request_error"
        return ApiError(status, ErrorDetails(message=message, type=kind, code=key), headers).response()
    return JSONResponse({"detail": message}, status, headers)


class SecurityMiddleware:
    """Rejects requests that are not public, and puts the security headers on every response.

    Args:
        app: The application behind.
        below: Paths of groups of pages: they authenticate requests themselves, and may send a stricter policy.
        origins: Other sites that may show the page in a frame and send requests from their own pages.
        widget_origins: Other sites that may show the widget in a frame.
    """

    def __init__(
        self, app: ASGIApp, below: Sequence[str] = (), origins: Sequence[str] = (), widget_origins: Sequence[str] = ()
    ) -> None:
        self._app = app
        self._below = tuple(below)
        self._origins = frozenset(origins)
        self._frames = " ".join((_OWN_FRAMES, *origins))
        self._widget_frames = " ".join((self._frames, *widget_origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it with 404, 403 or 413."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        in_group = any(is_below(scope["path"], top) for top in self._below)
        send = self._with_headers(scope["path"], send, in_group=in_group)
        limit = _LARGEST_BODY.get(scope["path"], _LARGEST_OTHER_BODY)
        rejected = self._check(scope, limit, in_group=in_group)
        await (rejected or self._app)(scope, receive if rejected else _bounded(receive, limit), send)

    def _check(self, scope: Scope, limit: int, *, in_group: bool) -> ASGIApp | None:
        method, path, headers = scope["method"], scope["path"], Headers(scope=scope)
        api = is_api(path)  # the API itself answers with the methods that exist
        if not (in_group and (api or method in _METHODS_OF_PAGES)) and not _is_public(method, path):
            return PlainTextResponse("Not found", 404)
        if method in _STATE_CHANGING and not _same_origin(headers):
            allowed = method == "POST" and (api or not in_group) and headers.get("origin") in self._origins
            if not allowed:
                message = "Not from this page"
                details = ErrorDetails(message=message, type="permission_error")
                return ApiError(403, details).response() if api else PlainTextResponse(message, 403)
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > limit:
            return rejection(scope, 413, "too_large")
        return None

    def _with_headers(self, path: str, send: Send, *, in_group: bool) -> Send:
        policy = DOCUMENT_SECURITY_POLICY if path.startswith(_WITHOUT_SCRIPTS) else CONTENT_SECURITY_POLICY
        frames = self._widget_frames if path == "/widget" else self._frames
        if not in_group:
            policy = policy.replace(_OWN_FRAMES, frames)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if not (in_group and "content-security-policy" in headers):
                    headers["content-security-policy"] = policy
                headers.update(_HEADERS)
                if frames != _OWN_FRAMES and not in_group:
                    del headers["x-frame-options"]  # it cannot name another site; the policy does
            await send(message)

        return send_with_headers


def _bounded(receive: Receive, limit: int) -> Receive:
    """Return a `receive` that ends a body without a declared length at the same limit."""
    received = 0

    async def receive_bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, "Too large")
        return message

    return receive_bounded


def _is_public(method: str, path: str) -> bool:
    method = "GET" if method == "HEAD" else method
    return path in _EXACT.get(method, ()) or path.startswith(_BELOW.get(method, ()))


def _same_origin(headers: Headers) -> bool:
    """Return whether a state-changing request comes from our own page, or from a program that is no browser."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
