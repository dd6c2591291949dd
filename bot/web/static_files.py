"""The files of the page, compressed once and cached by browsers for as long as they are the same.

Only what lay in the folder when it was opened has an address, so no path leads out of it.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import threading
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import brotli
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

_FOR_A_YEAR = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_COMPRESSED = (".js", ".css", ".svg", ".json", ".html", ".txt", ".map")
_SMALLEST = 300  # bytes; below this a compressed file is hardly smaller
_QUALITY = 9  # of Brotli's 11, of which the last two take ten times as long


class _Ready(NamedTuple):
    body: bytes
    encoding: str
    tag: str


class StaticFolder:
    """Serves the files of a folder.

    Args:
        folder: Where they lie.
        named_by_content: Whether their names change with what they hold, as a bundler names them. Otherwise
            `version` is put before the name: what is asked for below it may be kept for a year, and imports between
            the files keep it.
    """

    def __init__(self, folder: Path, *, named_by_content: bool = False) -> None:
        self._paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        self._named_by_content = named_by_content
        self._ready: dict[tuple[str, str], _Ready] = {}
        self._compressing = threading.Lock()

    @cached_property
    def version(self) -> str:
        """What all files hold together, in twelve characters."""
        every = hashlib.sha256()
        for name, path in sorted(self._paths.items()):
            every.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
        return every.hexdigest()[:12]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a file."""
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        kept = self._named_by_content
        if not kept and name.startswith(f"{self.version}/"):
            name, kept = name.removeprefix(f"{self.version}/"), True
        response: Response
        if name not in self._paths:
            response = PlainTextResponse("Not found", 404)
        else:
            response = self.serve(name, Headers(scope=scope), kept=kept)
        await response(scope, receive, send)

    def serve(self, name: str, asked: Headers, *, kept: bool = False) -> Response:
        """Return a file of the folder.

        Args:
            name: Its name, which must be there.
            asked: The headers of the request.
            kept: Whether what is at this address never changes.
        """
        caching = _FOR_A_YEAR if kept else _ASK_AGAIN
        ready = self._read(name, _encoding(name, asked.get("accept-encoding", "")))
        headers = {"cache-control": caching, "etag": ready.tag, "vary": "accept-encoding"}
        if asked.get("if-none-match") == ready.tag:
            return Response(status_code=304, headers=headers)
        if ready.encoding:
            headers["content-encoding"] = ready.encoding
        kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
        return Response(ready.body, media_type=kind or "application/octet-stream", headers=headers)

    def _read(self, name: str, encoding: str) -> _Ready:
        with self._compressing:
            known = self._ready.get((name, encoding))
            if known is not None:
                return known
            body = self._paths[name].read_bytes()
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}{encoding}"'
            if len(body) < _SMALLEST:
                encoding = ""
            if encoding == "br":
                body = brotli.compress(body, quality=_QUALITY)
            elif encoding == "gzip":
                body = gzip.compress(body, mtime=0)
            ready = _Ready(body, encoding, tag)
            if name.endswith(_COMPRESSED):
                self._ready[name, encoding] = ready
            return ready


def _encoding(name: str, accepted: str) -> str:
    """Return the best encoding a browser takes for a file, or nothing where that would not make it smaller."""
    if not name.endswith(_COMPRESSED):
        return ""
    taken = {one.strip().partition(";")[0] for one in accepted.split(",")}
    return next((encoding for encoding in ("br", "gzip") if encoding in taken), "")
