"""Where the API is.

What somebody gets whose request is not answered: a status for programs, a sentence for the reader.

What stands before every route: the paths that exist for the public, bodies of bounded size, headers.

Gradio brings routes a public page has no use for (uploads, proxies, files, recordings); only those on the list
are reachable. Decisions use `scope["path"]`, which is what the router matches, never a URL built from headers
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

from bot.web.api.errors import ErrorDetails, error_response
from bot.web.extensions import is_below
from bot.web.page.language import Texts, texts_for

TOPS = ("/api", "/v1")


def is_api(path: str) -> bool:
    """Return whether a path belongs to the API."""
    return any(is_below(path, top) for top in TOPS)


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


_GRADIO = "/gradio_api"
_EXACT = {
    ("GET", "/"),
    ("GET", "/examples"),
    ("GET", "/documents"),
    ("GET", "/model"),
    ("POST", "/conversation"),
    ("POST", "/feedback"),
    ("GET", "/my-data"),
    ("DELETE", "/my-data"),
    ("POST", "/answer"),
    ("GET", "/widget"),
    ("GET", "/widget.js"),
    ("GET", "/config"),
    ("GET", "/theme.css"),
    ("GET", "/robots.txt"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", f"{_GRADIO}/info"),
    ("GET", f"{_GRADIO}/startup-events"),
    ("POST", f"{_GRADIO}/queue/join"),
    ("GET", f"{_GRADIO}/queue/data"),
    ("POST", f"{_GRADIO}/cancel"),
    ("POST", f"{_GRADIO}/reset"),
}
_BELOW = (
    ("DELETE", "/conversation/"),
    ("GET", "/source/"),
    ("GET", "/answer/"),
    ("POST", "/answer/"),
    ("GET", "/page/"),
    ("GET", "/assets/"),
    ("GET", f"{_GRADIO}/heartbeat/"),
)
_CHANGING = ("POST", "DELETE")
_OF_A_GROUP = ("GET", "HEAD", "POST")
_LARGEST_BODY = {"/conversation": 4_000_000, "/v1/chat/completions": 1_000_000, f"{_GRADIO}/queue/join": 400_000}
_LARGEST_OTHER_BODY = 100_000

# Gradio compiles the one-line functions of its events in the page, which is what 'unsafe-eval' allows; inline
# scripts and inline handlers stay forbidden. Its components set inline styles.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "object-src 'none'",
    )
)
DOCUMENT_SECURITY_POLICY = CONTENT_SECURITY_POLICY.replace("script-src 'self' 'unsafe-eval'", "script-src 'none'")
_WITHOUT_SCRIPTS = ("/source/", "/answer/")
_WIDGET = "/widget"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """Lets in what the public may ask for, and puts the security headers on every response.

    Args:
        app: What stands behind the gate.
        below: Paths of groups of pages: they have a door of their own, and may bring a stricter policy.
        origins: Other sites that may show the page in a frame and ask from their own pages.
        widget_origins: Other sites that may show the widget in a frame.
    """

    def __init__(
        self, app: ASGIApp, below: Sequence[str] = (), origins: Sequence[str] = (), widget_origins: Sequence[str] = ()
    ) -> None:
        self._app = app
        self._below = tuple(below)
        self._origins = frozenset(origins)
        self._frames = " ".join(("frame-ancestors 'self'", *origins))
        self._widget_frames = " ".join((self._frames, *widget_origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or turn it away with 404, 403 or 413."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        theirs = any(is_below(scope["path"], top) for top in self._below)
        send = self._with_headers(scope["path"], send, theirs=theirs)
        limit = _LARGEST_BODY.get(scope["path"], _LARGEST_OTHER_BODY)
        headers = Headers(scope=scope)
        api = is_api(scope["path"])  # it says itself which methods there are
        known = theirs and (api or scope["method"] in _OF_A_GROUP)
        if not known and not _is_public(scope["method"], scope["path"]):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
        elif scope["method"] in _CHANGING and not (
            _same_origin(headers)
            or (scope["method"] == "POST" and (api or not theirs) and headers.get("origin") in self._origins)
        ):
            message = "Not from this page"
            refused = error_response(403, ErrorDetails(message=message, type="permission_error")) if api else None
            await (refused or PlainTextResponse(message, 403))(scope, receive, send)
        elif int(length if (length := headers.get("content-length", "0")).isdecimal() else 0) > limit:
            await turned_away(scope, 413, "too_large")(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive, limit), send)

    def _with_headers(self, path: str, send: Send, *, theirs: bool) -> Send:
        policy = DOCUMENT_SECURITY_POLICY if path.startswith(_WITHOUT_SCRIPTS) else CONTENT_SECURITY_POLICY
        frames = self._widget_frames if path == _WIDGET else self._frames
        if not theirs:
            policy = policy.replace("frame-ancestors 'self'", frames)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if not (theirs and "content-security-policy" in headers):
                    headers["content-security-policy"] = policy
                for name, value in _HEADERS.items():
                    headers[name] = value
                if frames != "frame-ancestors 'self'" and not theirs:
                    del headers["x-frame-options"]  # it cannot name another site; the policy does
            await send(message)

        return send_with_headers


def _bounded(receive: Receive, limit: int) -> Receive:
    """Return a `receive` that ends a body longer than its declared length would have allowed."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, "Too large")
        return message

    return counted


def _is_public(method: str, path: str) -> bool:
    method = "GET" if method == "HEAD" else method
    return (method, path) in _EXACT or any(method == verb and path.startswith(below) for verb, below in _BELOW)


def _same_origin(headers: Headers) -> bool:
    """Return whether a request that changes something comes from our own page, or from no page at all."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
